/**
 * A Vault over the pure core alone: keys are sealed seeds, signatures are the reference's. For the simulator and for
 * tests, where one seed must give one run: nothing here reads the platform, and with a seeded Random everything repeats.
 * It is also what the platform's Vault is compared with. It holds its secrets in plain memory: no host of a person's
 * device uses it.
 */
import type { Bytes } from '../../src/core/base/index.js';
import { concatBytes, copyBytes, toHex } from '../../src/core/base/index.js';
import {
  ed25519KeyBytes,
  ed25519PublicKey,
  nonceRandomBytes,
  openAtRest,
  sealAtRest,
  sha256,
  signEd25519,
  verifyStrict,
  x25519PublicKey,
  x25519Shared,
} from '../../src/core/crypto/index.js';
import type { DeviceKeys, Random, Vault, VerifyJob } from '../../src/ports/index.js';
import { storedBytes } from '../../src/ports/index.js';

/** Verdicts by job; share one among the peers of a simulation, which all check the same signatures. */
export type VerdictMemo = Map<string, boolean>;

const handleBytes = 2 * ed25519KeyBytes;

/** `dataKey` is what seals at rest: 32 bytes that outlive a restart of the peer, as its store does. */
export function createReferenceVault(o: {
  readonly dataKey: Bytes;
  readonly random: Random;
  readonly memo?: VerdictMemo;
}): Vault {
  const { dataKey, random, memo } = o;
  const seal: Vault['sealAtRest'] = (use, plaintext) =>
    sealAtRest({ dataKey, use, random32: random.bytes(nonceRandomBytes), plaintext });
  const open: Vault['openAtRest'] = (use, sealed) => openAtRest({ dataKey, use, sealed });

  function openHandle(handle: unknown): { seed: Bytes; secret: Bytes } | null {
    const sealed = storedBytes(handle);
    const plain = sealed === null ? null : open('device-seed', sealed);
    if (plain?.length !== handleBytes) return null;
    return { seed: plain.slice(0, ed25519KeyBytes), secret: plain.slice(ed25519KeyBytes) };
  }

  function requireHandle(keys: DeviceKeys): { seed: Bytes; secret: Bytes } {
    const opened = openHandle(keys.handle);
    if (opened === null) throw new TypeError('keys.handle: expected a handle of this vault');
    return opened;
  }

  function keysOf(handle: unknown, opened: { seed: Bytes; secret: Bytes }): DeviceKeys {
    return { deviceId: ed25519PublicKey(opened.seed), x25519: x25519PublicKey(opened.secret), handle };
  }

  function verdict(job: VerifyJob): boolean {
    if (memo === undefined) return verifyStrict(job.publicKey, job.message, job.signature);
    const id = `${toHex(job.publicKey)}${toHex(job.signature)}${toHex(sha256(job.message))}`;
    const known = memo.get(id) ?? verifyStrict(job.publicKey, job.message, job.signature);
    memo.set(id, known);
    return known;
  }

  return {
    createDeviceKeys: async () => {
      const opened = { seed: random.bytes(ed25519KeyBytes), secret: random.bytes(ed25519KeyBytes) };
      return Promise.resolve(keysOf(seal('device-seed', concatBytes(opened.seed, opened.secret)), opened));
    },
    openDeviceKeys: async (handle) => {
      const opened = openHandle(handle);
      return Promise.resolve(opened === null ? null : keysOf(handle, opened));
    },
    sign: async (keys, message) => Promise.resolve(signEd25519(requireHandle(keys).seed, message)),
    agree: async (keys, peer) => Promise.resolve(x25519Shared(requireHandle(keys).secret, peer)),
    signerOfSeed: async (seed) => {
      const own = copyBytes(seed);
      const sign = async (message: Bytes): Promise<Bytes> => Promise.resolve(signEd25519(own, message));
      return Promise.resolve({ publicKey: ed25519PublicKey(own), sign });
    },
    verify: async (jobs) => Promise.resolve(jobs.map(verdict)),
    sealAtRest: seal,
    openAtRest: open,
    sealLarge: async (use, plaintext) => Promise.resolve(seal(use, plaintext)),
    openLarge: async (use, sealed) => Promise.resolve(open(use, sealed)),
  };
}
