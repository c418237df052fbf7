import { _poly1305_aead as poly1305Aead, xchacha20 } from '@noble/ciphers/chacha.js';
import type { Bytes } from '../base/index.js';
import { requireLength } from '../base/index.js';
import { keyBytes } from './derive.js';
import { hmacSha256, sha256 } from './hash.js';

/** XChaCha20-Poly1305 without the library's checks of arguments: those of {@link checkContext} stand for them. */
const xchacha20poly1305 = poly1305Aead(xchacha20);

/** Length of a nonce of the AEAD. */
export const nonceBytes = 24;
/** What sealing adds to the plaintext. */
export const tagBytes = 16;
/** Fresh randomness a hedged nonce takes. */
export const nonceRandomBytes = 32;

/** Where and under what something is sealed. */
export interface SealContext {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
}

/** XChaCha20-Poly1305: ciphertext and tag, {@link tagBytes} longer than the plaintext. */
export function aeadSeal(o: SealContext & { readonly plaintext: Uint8Array }): Bytes {
  checkContext(o);
  return xchacha20poly1305(o.key, o.nonce, o.aad).encrypt(o.plaintext);
}

/** The plaintext, or null when the ciphertext was not sealed under exactly this key, nonce and aad. */
export function aeadOpen(o: SealContext & { readonly ciphertext: Uint8Array }): Bytes | null {
  checkContext(o);
  if (o.ciphertext.length < tagBytes) return null;
  try {
    return xchacha20poly1305(o.key, o.nonce, o.aad).decrypt(o.ciphertext);
  } catch {
    return null; // lengths are checked above: what is left to throw is the tag
  }
}

/**
 * A nonce that stays unique when the random source repeats itself (restored machine, cloned profile), because it
 * depends on everything sealed (format.md §2). `key` is X(nonce, sealer), used for nothing else.
 */
export function hedgedNonce(o: {
  readonly key: Uint8Array;
  readonly random32: Uint8Array;
  readonly aad: Uint8Array;
  readonly plaintext: Uint8Array;
}): Bytes {
  requireLength('random32', o.random32, nonceRandomBytes);
  return hmacSha256(o.key, o.random32, sha256(o.aad), sha256(o.plaintext)).slice(0, nonceBytes);
}

function checkContext(o: SealContext): void {
  requireLength('key', o.key, keyBytes);
  requireLength('nonce', o.nonce, nonceBytes);
}
