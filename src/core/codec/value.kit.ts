import fc from 'fast-check';
import type { Value } from './index.js';

const text = fc.string({ unit: 'binary', maxLength: 40 }).filter((s) => !/\p{Surrogate}/u.test(s));
const longText = fc
  .tuple(fc.constantFrom('', '\ufeff', 'é', '😀'), fc.integer({ min: 20, max: 700 }))
  .map(([start, count]) => start + 'x'.repeat(count));
const key = fc.oneof(
  text,
  fc.constantFrom('constructor', 'toString', 'hasOwnProperty', '10', '9', '2', '', '\uffff', '😀'),
);
const integer = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -40, max: 140 }),
  fc
    .tuple(fc.constantFrom(5, 7, 8, 15, 16, 31, 32, 52), fc.integer({ min: -2, max: 2 }), fc.boolean())
    .map(([bits, off, isNegative]) => (isNegative ? -(2 ** bits) + off : 2 ** bits + off)),
);
const fraction = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Number.isInteger(n));
const bytes = fc.uint8Array({ maxLength: 300 }).map((b) => new Uint8Array(b));

/** Values of the profile: every kind, every width, awkward keys. */
export const arbitraryValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small', withCrossShrink: true },
    fc.oneof(fc.constant(null), fc.boolean(), integer, fraction, text, bytes, { arbitrary: longText, weight: 1 }),
    fc.array(tie('value'), { maxLength: 8 }),
    fc.dictionary(
      key.filter((k) => k !== '__proto__'),
      tie('value'),
      { maxKeys: 8, noNullPrototype: true },
    ),
  ),
})).value;
