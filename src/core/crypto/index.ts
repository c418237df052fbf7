/**
 * The primitives of the format as synchronous functions over audited libraries, and every label that separates their
 * uses: SHA-256, HMAC, HKDF, XChaCha20-Poly1305 with hedged nonces, X25519, and Ed25519 under the profile
 * ED25519-STRICT-1, whose verdict is part of consensus (security.md §2.1).
 * Private keys, and the equation of a signature, are the platform's wherever it has the algorithms. Curves over
 * @noble/ed25519 and the ladder of @noble/curves (6.0 kB min + gzip, against 21.2 kB for @noble/curves/ed25519) take
 * milliseconds: they are the reference, and what the Vault loads (src/curves.ts) where the platform has nothing.
 * No randomness (callers pass it), no key storage, no decision about which key to use.
 */
export type { SealContext } from './aead.js';
export { aeadOpen, aeadSeal, hedgedNonce, nonceBytes, nonceRandomBytes, tagBytes } from './aead.js';
export { openAtRest, sealAtRest } from './at-rest.js';
export { deriveKey, epochPrk, keyBytes, kidOf } from './derive.js';
export { ed25519PublicKey, signEd25519, verifyAdmitted, verifyStrict } from './ed25519.js';
export { hkdfExpand, hkdfExtract, hmacSha256, hmacWith, sha256, sha256After } from './hash.js';
export {
  ed25519KeyBytes,
  hasStrictSignatureForm,
  isAdmissiblePublicKey,
  isLowOrderX25519,
  x25519KeyBytes,
} from './key-check.js';
export type { LabelName } from './labels.js';
export { labelNames, labels } from './labels.js';
export { padme } from './padme.js';
export type { StrictVector } from './platform-vectors.js';
export { platformVectors } from './platform-vectors.js';
export { strictVectors } from './strict-vectors.js';
export { x25519PublicKey, x25519Shared } from './x25519.js';
