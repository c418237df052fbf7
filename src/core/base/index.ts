/**
 * Bytes, fixed layouts, results and the table of fault codes: what every other room of the core stands on.
 * Nothing here knows about rooms, people or networks.
 */
export type { Bytes } from './bytes.js';
export {
  briefHex,
  compareBytes,
  concatBytes,
  copyBytes,
  equalBytes,
  fromBase64Url,
  fromHex,
  idHex,
  isZero,
  toBase64Url,
  toHex,
} from './bytes.js';
export type { FaultCode, Outcome } from './faults.js';
export { faultOutcomes } from './faults.js';
export type { Writer } from './layout.js';
export { createWriter, maxU48, readU16, readU32, readU48 } from './layout.js';
export type { Recent } from './recent.js';
export { createMemo, createRecent } from './recent.js';
export { requireLength, requireWithin } from './require.js';
export type { Fault, Result } from './result.js';
export { assertNever, fail, ok } from './result.js';
