/**
 * What a data entry says: a list of named changes and the schema version they were written under (format.md X1, F23).
 * Ops name collections, records and fields in full; columns of a pack make that cheap. Decoding is strict, so a payload
 * has one form and one hash. Ops of an unknown code are kept as they came, without effect (F19): a later version may
 * know them. Whether an op fits its schema is for schema to say, who may write it for access, what it does for record.
 */
export { isName, isWellFormed, maxNameBytes } from './name.js';
export type { FieldValues, Op } from './op.js';
export { maxOpCode, maxOpFields, opCodes } from './op.js';
export type { Payload } from './payload.js';
export {
  decodePayload,
  encodePayload,
  maxPayloadBytes,
  maxPayloadOps,
  notePayload,
  payloadLimits,
  schemaPrefixBytes,
} from './payload.js';
