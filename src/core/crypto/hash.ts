import { expand, extract } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import type { Bytes } from '../base/index.js';

/** SHA-256 of the parts one after the other. */
export function sha256(...parts: readonly Uint8Array[]): Bytes {
  const hash = nobleSha256.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/**
 * SHA-256 of `prefix` followed by the parts, with the work for the prefix done once: entries of one run share
 * their first 192 bytes (F22).
 */
export function sha256After(prefix: Uint8Array): (...parts: readonly Uint8Array[]) => Bytes {
  const start = nobleSha256.create().update(prefix);
  return (...parts) => {
    const hash = start.clone();
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
}

/** HMAC-SHA-256 of the parts one after the other. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes {
  const mac = hmac.create(nobleSha256, key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/** HKDF-Extract with SHA-256 (RFC 5869): 32 bytes. */
export function hkdfExtract(salt: Uint8Array, ikm: Uint8Array): Bytes {
  return extract(nobleSha256, ikm, salt);
}

/** HKDF-Expand with SHA-256 (RFC 5869); at most 8,160 bytes. */
export function hkdfExpand(prk: Uint8Array, info: Uint8Array, length: number): Bytes {
  return expand(nobleSha256, prk, info, length);
}
