import fc from 'fast-check';
import type { Bytes } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { recordIdBytes } from '../identity/index.js';
import type { Op, Payload } from './index.js';
import { isName, maxOpCode, schemaPrefixBytes } from './index.js';

const bytes = (length: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((b) => new Uint8Array(b));

/** Names of ops, awkward ones among them. */
const arbitraryName = fc.oneof(
  fc.constantFrom('shapes', 'x', '$profiles', 'constructor', 'toString', '10', '9', 'größe', '😀'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }).filter(isName),
);

/** Small, so that any few of them stay within a payload; every value there is comes up in the tests of the codec. */
const smallValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true }),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      bytes(5),
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(arbitraryName, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
const target = { collection: arbitraryName, id: bytes(recordIdBytes) };

/** Ops that decode, whatever a schema says of them. */
const arbitraryOp: fc.Arbitrary<Op> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('insert', 'update'),
    ...target,
    fields: fc.dictionary(arbitraryName, smallValue, { maxKeys: 6, noNullPrototype: true }),
  }),
  fc.record({ kind: fc.constant('delete'), ...target }),
  fc.record({
    kind: fc.constant('increment'),
    ...target,
    field: arbitraryName,
    by: fc.maxSafeInteger().filter((by) => by !== 0),
  }),
  fc.record({
    kind: fc.constant('opaque'),
    code: fc.integer({ min: 4, max: maxOpCode }),
    rest: fc.array(smallValue, { maxLength: 4 }),
  }),
);

/** Payloads within the limits. */
export const arbitraryPayload: fc.Arbitrary<Payload> = fc.record({
  schema: bytes(schemaPrefixBytes),
  ops: fc.array(arbitraryOp, { minLength: 1, maxLength: 5 }),
});
