import type { Bytes } from '../../src/core/base/index.js';

/** What the reference does where the platform cannot: the exports of src/curves.ts. */
export interface Curves {
  readonly ed25519PublicKey: (seed: Bytes) => Bytes;
  readonly signEd25519: (seed: Bytes, message: Bytes) => Bytes;
  readonly verifyAdmitted: (publicKey: Bytes, message: Bytes, signature: Bytes) => boolean;
  readonly x25519PublicKey: (secret: Bytes) => Bytes;
  readonly x25519Shared: (secret: Bytes, publicKey: Bytes) => Bytes | null;
}

/** Loads them, at the first call; rejects when they cannot be had, and may be called again. */
export type LoadCurves = () => Promise<Curves>;
