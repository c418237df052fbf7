import type { Bytes } from '../base/index.js';
import { concatBytes, copyBytes, createMemo, equalBytes, requireLength, toBase64Url } from '../base/index.js';

/** A device id is its Ed25519 public key. */
export const deviceIdBytes = 32;
/** The part of a device id that stands in the ids of its records. */
export const devicePrefixBytes = 16;
/** The random part of a record id. */
const recordRandomBytes = 12;
/** recordId = random part ‖ prefix of the creator's device id (X1). */
export const recordIdBytes: number = recordRandomBytes + devicePrefixBytes;

/** The first 16 bytes of a device id. */
export function devicePrefixOf(deviceId: Uint8Array): Bytes {
  requireLength('deviceId', deviceId, deviceIdBytes);
  return copyBytes(deviceId.subarray(0, devicePrefixBytes));
}

/** The id of a record that this device makes. */
export function createRecordId(random12: Uint8Array, deviceId: Uint8Array): Bytes {
  requireLength('random12', random12, recordRandomBytes);
  return concatBytes(random12, devicePrefixOf(deviceId));
}

/** The record of a `single` (X1): zeros, made by its first update. */
export function singleRecordId(): Bytes {
  return new Uint8Array(recordIdBytes);
}

/** The record of `$profiles` that belongs to a device (X3). */
export function profileRecordId(deviceId: Uint8Array): Bytes {
  return createRecordId(new Uint8Array(recordRandomBytes), deviceId);
}

/** Ids of the last packs. */
const recentTexts = 16_384;

/** The record id in base64url: what records are found by. Written once for the same array, which must not change. */
export const recordIdText: (recordId: Bytes) => string = /* @__PURE__ */ createMemo(recentTexts, toBase64Url);

/** The creator's device prefix in a record id. */
export function creatorPrefixOf(recordId: Uint8Array): Bytes {
  requireLength('recordId', recordId, recordIdBytes);
  return copyBytes(recordId.subarray(recordRandomBytes));
}

/** Whether this device may have made the record: an insert by any other is VOID (X1). */
export function isCreatorOf(deviceId: Uint8Array, recordId: Uint8Array): boolean {
  requireLength('deviceId', deviceId, deviceIdBytes);
  requireLength('recordId', recordId, recordIdBytes);
  return equalBytes(deviceId.subarray(0, devicePrefixBytes), recordId.subarray(recordRandomBytes));
}
