import { getPublicKey, hashes, Point, sign } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import type { Bytes } from '../base/index.js';
import { concatBytes, equalBytes, requireLength } from '../base/index.js';
import { ed25519KeyBytes, groupOrder, hasStrictSignatureForm, littleEndian } from './key-check.js';

// The library's synchronous functions take their hash from here.
hashes.sha512 = sha512;

/**
 * The reference verdict of ED25519-STRICT-1 (security.md §2.1), key admission included.
 * Never `verify` of the library: that one checks the cofactored equation, which WebCrypto does not.
 */
export function verifyStrict(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const point = decodePoint(publicKey);
  const isAdmissible = point !== null && !point.isSmallOrder() && point.isTorsionFree();
  return isAdmissible && verifyAdmitted(publicKey, message, signature);
}

/** The same for a key that isAdmissiblePublicKey accepted. With any other key the verdict means nothing. */
export function verifyAdmitted(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const point = decodePoint(publicKey);
  if (point === null || !hasStrictSignatureForm(signature)) return false;
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature, 32, 64);
  const digest = sha512(concatBytes(r, publicKey, message));
  const k = littleEndian(digest, 0, 64) % groupOrder;
  // Public values only, so the variable-time multiplication (which also takes 0) is the right one.
  const expected = Point.BASE.multiply(s, false).add(point.negate().multiply(k, false));
  return equalBytes(expected.toBytes(), r);
}

/** Signature by the key of a 32-byte seed (RFC 8032: deterministic). */
export function signEd25519(seed: Uint8Array, message: Uint8Array): Bytes {
  requireLength('seed', seed, ed25519KeyBytes);
  return sign(message, seed);
}

/** Public key of a 32-byte seed. */
export function ed25519PublicKey(seed: Uint8Array): Bytes {
  requireLength('seed', seed, ed25519KeyBytes);
  return getPublicKey(seed);
}

/** Null for what is no canonical encoding of a point. */
function decodePoint(bytes: Uint8Array): Point | null {
  if (bytes.length !== ed25519KeyBytes) return null;
  try {
    return Point.fromBytes(bytes, false);
  } catch {
    return null;
  }
}
