/** For arguments of our own making; what comes from outside is decoded. Throws a RangeError with name, expectation and what came. */
export function requireLength(name: string, { length }: { readonly length: number }, expected: number): void {
  if (length !== expected) throw new RangeError(`${name}: expected ${String(expected)} bytes, got ${String(length)}`);
}

/** The same for a number that has to be a whole one from `min` to `max`. */
export function requireWithin(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new RangeError(`${name}: expected ${String(min)} to ${String(max)}, got ${String(value)}`);
}
