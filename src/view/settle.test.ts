import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { settle } from './settle.js';

/** No decoder lets the forbidden key through, and no write takes it. */
const json = fc
  .jsonValue({ noUnicodeString: false })
  .filter((value) => !JSON.stringify(value).includes('"__proto__":'));

describe('settle', () => {
  test('an equal value is the one before, whatever it was copied from', () => {
    fc.assert(
      fc.property(json, (value) => {
        const first = settle(null, value);
        expect(first).toEqual(value);
        expect(settle(first, structuredClone(value))).toBe(first);
      }),
    );
  });

  test('what did not change keeps its identity, what did is new; nothing can be changed', () => {
    const before = settle(null, { a: { x: 1 }, b: [1, { y: 2 }] });
    const after = settle(before, { a: { x: 1 }, b: [1, { y: 3 }] });
    expect(after).not.toBe(before);
    expect(after.a).toBe(before.a);
    expect(after.b).not.toBe(before.b);
    expect(() => Object.assign(after.b[1] as object, { y: 4 })).toThrow(TypeError);
  });

  test('lists and maps of the same content differ', () => {
    const list = settle(null, ['a']);
    expect(settle(list, { 0: 'a' })).toEqual({ 0: 'a' });
    expect(settle({ a: 1, b: 2 }, { a: 1 })).toEqual({ a: 1 });
    expect(settle({ a: 1 }, { b: 1 })).toEqual({ b: 1 });
  });

  test('dates by their time; its owner may go on changing what was given', () => {
    const before = settle(null, { at: new Date(5) });
    expect(settle(before, { at: new Date(5) })).toBe(before);
    expect(settle(before, { at: new Date(6) })).not.toBe(before);
    const given = { list: [1] };
    const kept = settle(null, given);
    given.list.push(2);
    expect(kept).toEqual({ list: [1] });
  });
});
