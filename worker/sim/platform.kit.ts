/** What a simulated device gets from Node, all of it synchronous inside: one seed gives one run. */
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { concatBytes, copyBytes, fromHex, type Bytes } from '../../src/core/base/index.js';
import {
  ed25519PublicKey,
  hasStrictSignatureForm,
  isAdmissiblePublicKey,
  openAtRest,
  sealAtRest,
  signEd25519,
  x25519PublicKey,
  x25519Shared,
} from '../../src/core/crypto/index.js';
import type { Deflate, DeviceKeys, Random, Vault, VerifyJob } from '../../src/ports/index.js';
import { storedBytes } from '../../src/ports/index.js';

/** Resolves when every promise that can settle has: what is queued here runs after all of them. */
export function drainPromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Node's zlib behind the port. */
export const nodeDeflate: Deflate = {
  deflate: (bytes) => Promise.resolve(copyBytes(deflateRawSync(bytes))),
  inflate: (bytes, maxBytes) => {
    try {
      return Promise.resolve(copyBytes(inflateRawSync(bytes, { maxOutputLength: Math.max(1, maxBytes) })));
    } catch {
      return Promise.resolve(null);
    }
  },
};

/**
 * Verdicts, agreements and key objects, which depend on nothing but their bytes: all devices of a world may look them up,
 * because all would come to the same.
 */
export interface PureMemo {
  readonly verdicts: Map<string, boolean>;
  readonly agreements: Map<string, Bytes | null>;
  readonly keys: Map<string, KeyObject | null>;
}

export function createPureMemo(): PureMemo {
  return { verdicts: new Map(), agreements: new Map(), keys: new Map() };
}

const pkcs8 = fromHex('302e020100300506032b657004220420') ?? new Uint8Array();
const spki = fromHex('302a300506032b6570032100') ?? new Uint8Array();

/**
 * The reference Vault with Node's Ed25519 in place of noble's: the same keys, the same signatures (they are
 * deterministic), the same verdicts (form and key admission by the core, as on every fast path), thirty times faster.
 */
export function createNodeVault(o: {
  readonly dataKey: Bytes;
  readonly random: Random;
  readonly memo: PureMemo;
}): Vault {
  const { dataKey, random, memo } = o;
  const seal: Vault['sealAtRest'] = (use, plaintext) =>
    sealAtRest({ dataKey, use, random32: random.bytes(32), plaintext });
  const open: Vault['openAtRest'] = (use, sealed) => openAtRest({ dataKey, use, sealed });
  const opened = new Map<unknown, { readonly key: KeyObject; readonly secret: Bytes }>();
  const secretsOf = (keys: DeviceKeys): { readonly key: KeyObject; readonly secret: Bytes } => {
    const known = opened.get(keys);
    if (known === undefined) throw new TypeError('keys: expected keys of this vault');
    return known;
  };
  const keysOf = (handle: unknown, seeds: Bytes): DeviceKeys => {
    const [seed, secret] = [seeds.slice(0, 32), seeds.slice(32)];
    const key = createPrivateKey({ key: Buffer.from(concatBytes(pkcs8, seed)), format: 'der', type: 'pkcs8' });
    const keys = { deviceId: ed25519PublicKey(seed), x25519: x25519PublicKey(secret), handle };
    opened.set(keys, { key, secret });
    return keys;
  };
  return {
    createDeviceKeys: () => {
      const seeds = random.bytes(64);
      return Promise.resolve(keysOf(seal('device-seed', seeds), seeds));
    },
    openDeviceKeys: (handle) => {
      const sealed = storedBytes(handle);
      const seeds = sealed && open('device-seed', sealed);
      return Promise.resolve(seeds?.length === 64 ? keysOf(handle, seeds) : null);
    },
    sign: (keys, message) => Promise.resolve(copyBytes(sign(null, message, secretsOf(keys).key))),
    agree: (keys, peer) => Promise.resolve(agreementOf(secretsOf(keys).secret, peer, memo)),
    signerOfSeed: (seed) =>
      Promise.resolve({
        publicKey: ed25519PublicKey(seed),
        sign: (message) => Promise.resolve(signEd25519(seed, message)),
      }),
    verify: (jobs) => Promise.resolve(jobs.map((job) => verdictOf(job, memo))),
    sealAtRest: seal,
    openAtRest: open,
  };
}

function agreementOf(secret: Bytes, peer: Bytes, memo: PureMemo): Bytes | null {
  const id = textOf(secret, peer);
  let shared = memo.agreements.get(id);
  if (shared === undefined) {
    shared = x25519Shared(secret, peer);
    memo.agreements.set(id, shared);
  }
  return shared && copyBytes(shared);
}

/** The bytes as the key of a map. */
function textOf(...parts: readonly Bytes[]): string {
  return Buffer.concat(parts).toString('latin1');
}

function verdictOf(job: VerifyJob, memo: PureMemo): boolean {
  const id = textOf(job.signature, job.publicKey, job.message);
  let verdict = memo.verdicts.get(id);
  if (verdict === undefined) {
    const key = hasStrictSignatureForm(job.signature) ? publicKeyOf(job.publicKey, memo) : null;
    verdict = key !== null && verify(null, job.message, key, job.signature);
    memo.verdicts.set(id, verdict);
  }
  return verdict;
}

function publicKeyOf(bytes: Bytes, memo: PureMemo): KeyObject | null {
  const id = textOf(bytes);
  let key = memo.keys.get(id);
  if (key === undefined) {
    const isAdmissible = isAdmissiblePublicKey(bytes);
    key = isAdmissible
      ? createPublicKey({ key: Buffer.from(concatBytes(spki, bytes)), format: 'der', type: 'spki' })
      : null;
    memo.keys.set(id, key);
  }
  return key;
}
