/**
 * The host's side of keys, randomness and compression, over WebCrypto and the platform's streams: private keys that
 * cannot be read out where the platform has the algorithm (sealed seeds elsewhere), signature checks on the fast path
 * behind a start-up self-test (security.md §2.1), sealing at rest (X10), deflate-raw with a bound.
 * WebCrypto verifies about ten times faster than the reference, but engines disagree on crafted signatures: the byte
 * checks and key admission of the core come first, always. Stores nothing itself: the host keeps the rows.
 * reference.ts is the same port without a platform, for the simulator.
 */
export type { Curves, LoadCurves } from './curves.js';
export type { AtRestRow } from './data-key.js';
export { createDeflate } from './deflate.js';
export type { KeySupport } from './device-keys.js';
export { createRandom } from './random.js';
export type { SelfTestVerdict } from './self-test.js';
export type { OpenedVault } from './vault.js';
export { createVault } from './vault.js';
