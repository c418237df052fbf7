/**
 * What a platform does not tell about public keys and signatures. Public values only, so nothing here has to take equal
 * time. The library's own answers (ed25519.ts, x25519.ts) are compared with these over every vector.
 */
import type { Bytes } from '../base/index.js';

/** Length of an Ed25519 public key, and of a seed. */
export const ed25519KeyBytes = 32;
/** Length of an X25519 key, secret or public. */
export const x25519KeyBytes = 32;
/** Length of an Ed25519 signature. */
const signatureBytes = 64;

const fieldPrime = 2n ** 255n - 19n;
/** Order of the prime-order subgroup of Ed25519. */
export const groupOrder: bigint = 2n ** 252n + 27742317777372353535851937790883648493n;
const lowBits = 2n ** 255n - 1n;

/**
 * Key admission of ED25519-STRICT-1, the dear half of it (a millisecond): canonical, not of small order, in the
 * prime-order subgroup. With such a key every cofactorless verifier gives the same verdict. Remember the answer per key.
 */
export function isAdmissiblePublicKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== ed25519KeyBytes) return false;
  const y = littleEndian(publicKey, 0, 32) & lowBits;
  // y = 1 is the neutral point, y = -1 the one of order 2: the only points with x = 0, where the sign bit would matter.
  if (y >= fieldPrime || y === 1n || y === fieldPrime - 1n) return false;
  const u = ((1n + y) * power(fieldPrime + 1n - y, fieldPrime - 2n)) % fieldPrime;
  const isOnCurve = power(u * (u * u + 486662n * u + 1n), (fieldPrime - 1n) / 2n) === 1n;
  return isOnCurve && isNeutralTimes(u, groupOrder);
}

/**
 * The byte checks of ED25519-STRICT-1 that come before any verifier: S < L, R canonical, R not the identity
 * (nor the other point with x = 0, which no admissible key can produce).
 */
export function hasStrictSignatureForm(signature: Uint8Array): boolean {
  if (signature.length !== signatureBytes) return false;
  const y = littleEndian(signature, 0, 32) & lowBits;
  const s = littleEndian(signature, 32, 64);
  return s < groupOrder && y < fieldPrime && y !== 1n && y !== fieldPrime - 1n;
}

/** Whether every shared secret with this X25519 key is zero, in whatever encoding it comes. */
export function isLowOrderX25519(publicKey: Bytes): boolean {
  const u = (littleEndian(publicKey, 0, x25519KeyBytes) & lowBits) % fieldPrime;
  return u === 0n || isNeutralTimes(u, 8n);
}

/** The number in these bytes, whose count is a multiple of 8. */
export function littleEndian(bytes: Uint8Array, from: number, to: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let out = 0n;
  for (let at = to - 8; at >= from; at -= 8) out = (out << 64n) | view.getBigUint64(at, true);
  return out;
}

/** Whether `times` the point of Montgomery coordinate `u`, not 0, is the neutral point (RFC 7748 §5, without its clamping). */
function isNeutralTimes(u: bigint, times: bigint): boolean {
  let [x2, z2, x3, z3] = [1n, 0n, u, 1n];
  for (const bit of times.toString(2)) {
    if (bit === '1') [x2, z2, x3, z3] = [x3, z3, x2, z2];
    const [sum, difference] = [x2 + z2, x2 - z2];
    const [a, b] = [((x3 - z3) * sum) % fieldPrime, ((x3 + z3) * difference) % fieldPrime];
    const [squared, other] = [(sum * sum) % fieldPrime, (difference * difference) % fieldPrime];
    const e = squared - other;
    x3 = (a + b) ** 2n % fieldPrime;
    z3 = (u * ((a - b) ** 2n % fieldPrime)) % fieldPrime;
    x2 = (squared * other) % fieldPrime;
    z2 = (e * (squared + 121665n * e)) % fieldPrime;
    if (bit === '1') [x2, z2, x3, z3] = [x3, z3, x2, z2];
  }
  return z2 === 0n;
}

function power(base: bigint, exponent: bigint): bigint {
  let out = 1n;
  for (const bit of exponent.toString(2)) {
    out = (out * out) % fieldPrime;
    if (bit === '1') out = (out * (base % fieldPrime)) % fieldPrime;
  }
  return out;
}
