import { montgomery } from '@noble/curves/abstract/montgomery.js';
import { pow } from '@noble/curves/abstract/modular.js';
import type { Bytes } from '../base/index.js';
import { requireLength } from '../base/index.js';
import { x25519KeyBytes } from './key-check.js';

const fieldPrime = 2n ** 255n - 19n;

// RFC 7748 §5. Built from the ladder alone: the ready-made x25519 brings a second Ed25519 and hash-to-curve along.
const x25519 = montgomery({
  P: fieldPrime,
  type: 'x25519',
  powPminus2: (x) => pow(x, fieldPrime - 2n, fieldPrime),
  adjustScalarBytes: (bytes: Uint8Array) => {
    bytes[0] = (bytes[0] ?? 0) & 248;
    bytes[31] = ((bytes[31] ?? 0) & 127) | 64;
    return bytes;
  },
});

/** Public key of a 32-byte secret. */
export function x25519PublicKey(secret: Uint8Array): Bytes {
  requireLength('secret', secret, x25519KeyBytes);
  return x25519.getPublicKey(secret);
}

/** Shared secret, never used without a key derivation; null when the peer's key is of low order. */
export function x25519Shared(secret: Uint8Array, publicKey: Uint8Array): Bytes | null {
  requireLength('secret', secret, x25519KeyBytes);
  requireLength('publicKey', publicKey, x25519KeyBytes);
  try {
    return x25519.getSharedSecret(secret, publicKey);
  } catch {
    return null; // with lengths checked, the all-zero result of a low-order point is what is left to throw
  }
}
