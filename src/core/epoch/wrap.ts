import { concatBytes, equalBytes, type Bytes } from '../base/index.js';
import { aeadOpen, aeadSeal, deriveKey, hkdfExtract, keyBytes, kidOf, labels, nonceBytes } from '../crypto/index.js';

/** What a wrapped key is bound to: moving it to another room, epoch, device or ephemeral key makes it useless. */
export interface WrapContext {
  readonly roomId: Bytes;
  readonly scope: Bytes;
  readonly kid: Bytes;
  readonly epk: Bytes;
  readonly device: Bytes;
  readonly x25519: Bytes;
}

/** Length of a wrapped key: the key and its tag. */
export const sealedKeyBytes = 48;

const zeroNonce = new Uint8Array(nonceBytes);

/** The epoch key sealed for one device. `shared` is X25519(ephemeral, device) and is used for nothing else. */
export function sealKey(key: Bytes, shared: Bytes, context: WrapContext): Bytes {
  return aeadSeal({ key: wrapKey(shared, context), nonce: zeroNonce, aad: aadOf(context), plaintext: key });
}

/** The epoch key, or null when the wrap does not open or its content is not the key the kid commits to (attack 16). */
export function openKey(sealed: Bytes, shared: Bytes, context: WrapContext): Bytes | null {
  const key = aeadOpen({ key: wrapKey(shared, context), nonce: zeroNonce, aad: aadOf(context), ciphertext: sealed });
  if (key?.length !== keyBytes) return null;
  return equalBytes(kidOf(context.roomId, context.scope, key), context.kid) ? key : null;
}

function wrapKey(shared: Bytes, c: WrapContext): Bytes {
  return deriveKey(hkdfExtract(c.roomId, shared), labels.wrap, c.kid, c.epk, c.device, c.x25519);
}

function aadOf(c: WrapContext): Bytes {
  return concatBytes(labels.wrap, c.roomId, c.kid);
}
