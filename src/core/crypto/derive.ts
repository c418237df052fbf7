import type { Bytes } from '../base/index.js';
import { concatBytes } from '../base/index.js';
import { hkdfExpand, hkdfExtract, sha256 } from './hash.js';
import { labels } from './labels.js';

/** Length of every symmetric key. */
export const keyBytes = 32;

/** Key id of an epoch key in its scope: it commits to the key, so a received key is checked against it (format.md §2). */
export function kidOf(roomId: Uint8Array, scope: Uint8Array, key: Uint8Array): Bytes {
  return sha256(labels.kid, roomId, scope, key);
}

/** PRK of an epoch, from which all its keys are derived; as secret as the epoch key. */
export function epochPrk(roomId: Uint8Array, kid: Uint8Array, key: Uint8Array): Bytes {
  return hkdfExtract(concatBytes(roomId, kid), key);
}

/** X(label, info) of format.md §2: 32 bytes for one purpose. `label` is one of {@link labels}; info is its parts in order. */
export function deriveKey(prk: Uint8Array, label: Uint8Array, ...info: readonly Uint8Array[]): Bytes {
  return hkdfExpand(prk, concatBytes(label, ...info), keyBytes);
}
