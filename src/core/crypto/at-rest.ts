import type { Bytes } from '../base/index.js';
import { concatBytes } from '../base/index.js';
import { utf8Bytes } from '../codec/index.js';
import { aeadOpen, aeadSeal, hedgedNonce, nonceBytes, tagBytes } from './aead.js';
import { deriveKey } from './derive.js';
import { labels } from './labels.js';

const rowVersion = 1;
const headBytes = 1 + nonceBytes;

/**
 * Seals a row for the disk under a key of its own per use (X10): version u8 | nonce 24 | ciphertext.
 * `dataKey` is 32 random bytes that the Vault keeps wrapped; `use` is part of the key and of the aad.
 */
export function sealAtRest(o: {
  readonly dataKey: Uint8Array;
  readonly use: string;
  readonly random32: Uint8Array;
  readonly plaintext: Uint8Array;
}): Bytes {
  const info = utf8Bytes(o.use);
  const aad = aadOf(info);
  const nonceKey = deriveKey(o.dataKey, labels.nonce, info);
  const nonce = hedgedNonce({ key: nonceKey, random32: o.random32, aad, plaintext: o.plaintext });
  const key = deriveKey(o.dataKey, labels.rest, info);
  return concatBytes(Uint8Array.of(rowVersion), nonce, aeadSeal({ key, nonce, aad, plaintext: o.plaintext }));
}

/** The plaintext, or null when the row is damaged, of another use, or sealed under another data key. */
export function openAtRest(o: {
  readonly dataKey: Uint8Array;
  readonly use: string;
  readonly sealed: Uint8Array;
}): Bytes | null {
  if (o.sealed.length < headBytes + tagBytes || o.sealed[0] !== rowVersion) return null;
  const info = utf8Bytes(o.use);
  return aeadOpen({
    key: deriveKey(o.dataKey, labels.rest, info),
    nonce: o.sealed.subarray(1, headBytes),
    aad: aadOf(info),
    ciphertext: o.sealed.subarray(headBytes),
  });
}

function aadOf(info: Uint8Array): Bytes {
  return concatBytes(labels.rest, Uint8Array.of(rowVersion), info);
}
