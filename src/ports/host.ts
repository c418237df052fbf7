import type { Bytes } from '../core/base/index.js';

/** The host's clock and timers. Milliseconds since 1970, as the device believes. */
export interface Time {
  readonly now: () => number;
  /** Runs `run` once after `delayMs`; the returned function cancels it. */
  readonly after: (delayMs: number, run: () => void) => () => void;
}

/** Cryptographically strong randomness (seeded in the simulator). */
export interface Random {
  readonly bytes: (length: number) => Bytes;
}

/** deflate-raw. Inflating stops at `maxBytes` of output and gives null on bad input or excess. */
export interface Deflate {
  readonly deflate: (bytes: Bytes) => Promise<Bytes>;
  readonly inflate: (bytes: Bytes, maxBytes: number) => Promise<Bytes | null>;
}

/** One Ed25519 check: profile ED25519-STRICT-1 (security.md §2.1). */
export interface VerifyJob {
  readonly publicKey: Bytes;
  readonly message: Bytes;
  readonly signature: Bytes;
}

/** The private keys of one device in one room. `handle` is opaque and storable; it never leaves the engine's thread. */
export interface DeviceKeys {
  readonly deviceId: Bytes;
  readonly x25519: Bytes;
  readonly handle: unknown;
}

/** An Ed25519 key that is not a device's, known to whoever has its seed. */
export interface SeedSigner {
  readonly publicKey: Bytes;
  readonly sign: (message: Bytes) => Promise<Bytes>;
}

/** What holds private keys and does asymmetric work. */
export interface Vault {
  readonly createDeviceKeys: () => Promise<DeviceKeys>;
  /** Null when the stored handle cannot be used (damaged row, other platform). */
  readonly openDeviceKeys: (handle: unknown) => Promise<DeviceKeys | null>;
  readonly sign: (keys: DeviceKeys, message: Bytes) => Promise<Bytes>;
  /** X25519 with the device's static key; null for a low-order peer key. */
  readonly agree: (keys: DeviceKeys, peerX25519: Bytes) => Promise<Bytes | null>;
  /** The key of a 32-byte seed that a link carries. */
  readonly signerOfSeed: (seed: Bytes) => Promise<SeedSigner>;
  /** One verdict per job, in order. Rejects only when what checks cannot be loaded. Copies its input before it awaits. */
  readonly verify: (jobs: readonly VerifyJob[]) => Promise<readonly boolean[]>;
  /** Seals small secrets for the disk under a key named by `use` (format.md X10). */
  readonly sealAtRest: (use: AtRestUse, plaintext: Bytes) => Bytes;
  /** Null when the row is damaged or of another use. */
  readonly openAtRest: (use: AtRestUse, sealed: Bytes) => Bytes | null;
  /** As {@link Vault.sealAtRest}, for what is large: by the platform's cipher where it has one, beside this thread. */
  readonly sealLarge: (use: AtRestUse, plaintext: Bytes) => Promise<Bytes>;
  /** Opens what either has sealed. */
  readonly openLarge: (use: AtRestUse, sealed: Bytes) => Promise<Bytes | null>;
}

export type AtRestUse = 'draft' | 'epoch-key' | 'invite-secret' | 'snapshot' | 'device-seed' | 'title';
