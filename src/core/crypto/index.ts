/**
 * The primitives of the format as synchronous functions over audited libraries, and every label that separates their
 * uses: SHA-256, HMAC, HKDF, XChaCha20-Poly1305 with hedged nonces, X25519, and Ed25519 under the profile
 * ED25519-STRICT-1, whose verdict is part of consensus (security.md §2.1).
 * @noble/ed25519 with the ladder of @noble/curves was measured at 6.0 kB (min + gzip) against 21.2 kB for
 * @noble/curves/ed25519, and has all we call. Verifying here takes milliseconds: it is the reference and the fallback
 * of the Vault, which asks WebCrypto first.
 * No randomness (callers pass it), no key storage, no decision about which key to use.
 */
export type { SealContext } from './aead.js';
export { aeadOpen, aeadSeal, hedgedNonce, nonceBytes, nonceRandomBytes, tagBytes } from './aead.js';
export { openAtRest, sealAtRest } from './at-rest.js';
export { deriveKey, epochPrk, keyBytes, kidOf } from './derive.js';
export {
  ed25519KeyBytes,
  ed25519PublicKey,
  hasStrictSignatureForm,
  isAdmissiblePublicKey,
  signEd25519,
  verifyAdmitted,
  verifyStrict,
} from './ed25519.js';
export { hkdfExpand, hkdfExtract, hmacSha256, sha256, sha256After } from './hash.js';
export type { LabelName } from './labels.js';
export { labelNames, labels } from './labels.js';
export { padme } from './padme.js';
export type { StrictVector } from './strict-vectors.js';
export { strictVectors } from './strict-vectors.js';
export { x25519KeyBytes, x25519PublicKey, x25519Shared } from './x25519.js';
