/** What a simulated device gets from Node, all of it synchronous inside: one seed gives one run. */
import { createPrivateKey, createPublicKey, diffieHellman, sign, verify, type KeyObject } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { copyBytes, fromHex, type Bytes } from '../../src/core/base/index.js';
import {
  ed25519PublicKey,
  hasStrictSignatureForm,
  isAdmissiblePublicKey,
  openAtRest,
  sealAtRest,
  signEd25519,
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
  readonly pairs: Map<string, KeyPairs>;
}

/** The two key pairs of a device. */
interface KeyPairs {
  readonly signing: KeyObject;
  readonly agreeing: KeyObject;
  readonly deviceId: Bytes;
  readonly x25519: Bytes;
}

export function createPureMemo(): PureMemo {
  return { verdicts: new Map(), agreements: new Map(), keys: new Map(), pairs: new Map() };
}

// DER of RFC 8410 up to the 32 bytes of the key.
const der = {
  ed25519Private: fromHex('302e020100300506032b657004220420'),
  ed25519Public: fromHex('302a300506032b6570032100'),
  x25519Private: fromHex('302e020100300506032b656e04220420'),
  x25519Public: fromHex('302a300506032b656e032100'),
};

/**
 * The reference Vault with Node's curves in place of noble's: the same keys, the same signatures (they are
 * deterministic), the same verdicts (form and key admission by the core, as on every fast path), thirty times faster.
 * What a device has signed here needs no check by the others: its verdict is known when it is made.
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
  const opened = new Map<unknown, KeyPairs>();
  const pairsOf = (keys: DeviceKeys): KeyPairs => {
    const known = opened.get(keys);
    if (known === undefined) throw new TypeError('keys: expected keys of this vault');
    return known;
  };
  const keysOf = (handle: unknown, seeds: Bytes): DeviceKeys => {
    const pairs = pairsOfSeeds(seeds, memo);
    const keys = { deviceId: pairs.deviceId, x25519: pairs.x25519, handle };
    opened.set(keys, pairs);
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
    sign: (keys, message) => {
      const { signing, deviceId } = pairsOf(keys);
      const signature = copyBytes(sign(null, message, signing));
      memo.verdicts.set(textOf(signature, deviceId, message), true);
      return Promise.resolve(signature);
    },
    agree: (keys, peer) => Promise.resolve(agreementOf(pairsOf(keys), peer, memo)),
    signerOfSeed: (seed) =>
      Promise.resolve({
        publicKey: ed25519PublicKey(seed),
        sign: (message) => Promise.resolve(signEd25519(seed, message)),
      }),
    verify: (jobs) => Promise.resolve(jobs.map((job) => verdictOf(job, memo))),
    sealAtRest: seal,
    openAtRest: open,
    sealLarge: (use, plaintext) => Promise.resolve(seal(use, plaintext)),
    openLarge: (use, sealed) => Promise.resolve(open(use, sealed)),
  };
}

function pairsOfSeeds(seeds: Bytes, memo: PureMemo): KeyPairs {
  const id = textOf(seeds);
  let pairs = memo.pairs.get(id);
  if (pairs === undefined) {
    const signing = createPrivateKey(derKey('pkcs8', der.ed25519Private, seeds.subarray(0, 32)));
    const agreeing = createPrivateKey(derKey('pkcs8', der.x25519Private, seeds.subarray(32)));
    pairs = { signing, agreeing, deviceId: publicBytesOf(signing), x25519: publicBytesOf(agreeing) };
    memo.pairs.set(id, pairs);
  }
  return pairs;
}

function derKey<T extends 'pkcs8' | 'spki'>(
  type: T,
  prefix: Bytes | null,
  bytes: Bytes,
): { readonly key: Buffer; readonly format: 'der'; readonly type: T } {
  return { key: Buffer.concat([prefix ?? new Uint8Array(), bytes]), format: 'der', type };
}

/** Node derives the public key; it stands at the end of its DER. */
function publicBytesOf(key: KeyObject): Bytes {
  return copyBytes(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32));
}

/** Null, as by the core, where the peer's key is of low order: OpenSSL refuses the all-zero result. */
function agreementOf(own: KeyPairs, peer: Bytes, memo: PureMemo): Bytes | null {
  const id = textOf(own.x25519, peer);
  let shared = memo.agreements.get(id);
  if (shared === undefined) {
    try {
      const publicKey = createPublicKey(derKey('spki', der.x25519Public, peer));
      shared = copyBytes(diffieHellman({ privateKey: own.agreeing, publicKey }));
    } catch {
      shared = null;
    }
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
    key = isAdmissible ? createPublicKey(derKey('spki', der.ed25519Public, bytes)) : null;
    memo.keys.set(id, key);
  }
  return key;
}
