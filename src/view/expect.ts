import type { Abort } from './types.js';

/**
 * Throws a TypeError that names the argument, what was expected and the kind of what came: never its value, which may
 * be somebody's words.
 */
export function expect(isFine: boolean, argument: string, expected: string, got: unknown): asserts isFine {
  if (!isFine) throw new TypeError(`${argument}: expected ${expected}, got ${kindOf(got)}`);
}

/** An object that is not null. */
export function expectObject(argument: string, got: unknown): asserts got is object {
  expect(typeof got === 'object' && got !== null, argument, 'an object', got);
}

/** Something to call. */
export function expectFunction(argument: string, got: unknown): void {
  expect(typeof got === 'function', argument, 'a function', got);
}

/** An integer of the safe range; RangeError for another number. */
export function expectInteger(argument: string, got: unknown, [min, max]: readonly [number, number]): void {
  expect(typeof got === 'number', argument, 'a number', got);
  if (Number.isSafeInteger(got) && got >= min && got <= max) return;
  throw new RangeError(`${argument}: expected an integer from ${min} to ${max}, got ${got}`);
}

/** What kind of thing it is, without a part of it. */
export function kindOf(value: unknown): string {
  if (typeof value !== 'object') return typeof value;
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** The platform's signal in what a caller may give last, if there is one. */
export function signalOf(o: Abort = {}): AbortSignal | undefined {
  expectObject('options', o);
  const { signal } = o;
  expect(signal === undefined || signal instanceof AbortSignal, 'signal', 'an AbortSignal', signal);
  return signal;
}
