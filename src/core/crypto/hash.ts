import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import type { Bytes } from '../base/index.js';
import { requireWithin } from '../base/index.js';

const hashBytes = 32;
const hashBlockBytes = 64;
const maxExpandBytes = 255 * hashBytes;

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

/** HMAC-SHA-256 (RFC 2104) of the parts one after the other. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes {
  const block = new Uint8Array(hashBlockBytes);
  block.set(key.length > hashBlockBytes ? sha256(key) : key);
  const inner = sha256(
    block.map((byte) => byte ^ 0x36),
    ...parts,
  );
  return sha256(
    block.map((byte) => byte ^ 0x5c),
    inner,
  );
}

/** HKDF-Extract with SHA-256 (RFC 5869): 32 bytes. */
export function hkdfExtract(salt: Uint8Array, ikm: Uint8Array): Bytes {
  return hmacSha256(salt, ikm);
}

/** HKDF-Expand with SHA-256 (RFC 5869); at most 8,160 bytes. */
export function hkdfExpand(prk: Uint8Array, info: Uint8Array, length: number): Bytes {
  requireWithin('prk.length', prk.length, hashBytes, hashBlockBytes);
  requireWithin('length', length, 0, maxExpandBytes);
  const out = new Uint8Array(Math.ceil(length / hashBytes) * hashBytes);
  let last: Bytes = out.subarray(0, 0);
  for (let at = 0; at < length; at += hashBytes) {
    last = hmacSha256(prk, last, info, Uint8Array.of(at / hashBytes + 1));
    out.set(last, at);
  }
  return out.slice(0, length);
}
