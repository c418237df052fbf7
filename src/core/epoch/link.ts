import { concatBytes, equalBytes, type Bytes } from '../base/index.js';
import { aeadOpen, aeadSeal, deriveKey, epochPrk, kidOf, labels, nonceBytes } from '../crypto/index.js';

const zeroNonce = new Uint8Array(nonceBytes);

/** Where an epoch and its parent stand. */
export interface LinkContext {
  readonly roomId: Bytes;
  readonly scope: Bytes;
  readonly kid: Bytes;
  readonly parentKid: Bytes;
}

/** The parent's key under the child's, so that one key opens all history before it (format.md §2 epoch). 48 bytes. */
export function sealLink(parentKey: Bytes, key: Bytes, context: LinkContext): Bytes {
  return aeadSeal({ key: linkKey(key, context), nonce: zeroNonce, aad: aadOf(context), plaintext: parentKey });
}

/** The parent's key, or null when the link does not open or does not hold the key its kid commits to. */
export function openLink(link: Bytes, key: Bytes, context: LinkContext): Bytes | null {
  const parent = aeadOpen({ key: linkKey(key, context), nonce: zeroNonce, aad: aadOf(context), ciphertext: link });
  if (parent === null) return null;
  return equalBytes(kidOf(context.roomId, context.scope, parent), context.parentKid) ? parent : null;
}

function linkKey(key: Bytes, c: LinkContext): Bytes {
  return deriveKey(epochPrk(c.roomId, c.kid, key), labels.link, c.parentKid);
}

function aadOf(c: LinkContext): Bytes {
  return concatBytes(labels.link, c.roomId, c.parentKid);
}
