import type { Bytes } from '../base/index.js';
import { requireWithin } from '../base/index.js';
import { absorb, digestFrom, hashBlockBytes, hashBytes, hashStart } from './sha256.js';

const maxExpandBytes = 255 * hashBytes;

/** SHA-256 of the parts one after the other. */
export function sha256(...parts: readonly Uint8Array[]): Bytes {
  return digestFrom(hashStart, parts);
}

/**
 * SHA-256 of `prefix`, whole blocks of 64 bytes, followed by the parts, with the work for the prefix done once: entries
 * of one run share their first 192 bytes (F22).
 */
export function sha256After(prefix: Uint8Array): (...parts: readonly Uint8Array[]) => Bytes {
  const start = absorb(hashStart, prefix);
  return (...parts) => digestFrom(start, parts);
}

/** HMAC-SHA-256 (RFC 2104) of the parts one after the other. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes {
  return hmacWith(key)(...parts);
}

/** HMAC-SHA-256 under one key, with the work for the key done once. */
export function hmacWith(key: Uint8Array): (...parts: readonly Uint8Array[]) => Bytes {
  const block = new Uint8Array(hashBlockBytes);
  block.set(key.length > hashBlockBytes ? sha256(key) : key);
  for (let i = 0; i < hashBlockBytes; i++) block[i] = (block[i] ?? 0) ^ 0x36;
  const inner = absorb(hashStart, block);
  for (let i = 0; i < hashBlockBytes; i++) block[i] = (block[i] ?? 0) ^ (0x36 ^ 0x5c);
  const outer = absorb(hashStart, block);
  return (...parts) => digestFrom(outer, [digestFrom(inner, parts)]);
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
  const hmac = hmacWith(prk);
  let last: Bytes = out.subarray(0, 0);
  for (let at = 0; at < length; at += hashBytes) {
    last = hmac(last, info, Uint8Array.of(at / hashBytes + 1));
    out.set(last, at);
  }
  return out.slice(0, length);
}
