/**
 * The curves of the reference, published as one file without imports beside the worker, which loads it only where the
 * platform lacks Ed25519 or X25519, or answers a vector of the start-up self-test wrongly.
 */
export { ed25519PublicKey, signEd25519, verifyAdmitted, x25519PublicKey, x25519Shared } from './core/crypto/index.js';
