/** What only the Vault over WebCrypto promises; for Node and browsers. */
import { expect, test } from 'vitest';
import { concatBytes } from '../../src/core/base/index.js';
import { utf8Bytes } from '../../src/core/codec/index.js';
import * as curves from '../../src/core/crypto/index.js';
import { deriveKey, labels, platformVectors } from '../../src/core/crypto/index.js';
import type { VectorFiles } from '../../src/core/crypto/vectors.kit.js';
import { expectVerdicts, hex, signatureCases } from '../../src/core/crypto/vectors.kit.js';
import type { Vault } from '../../src/ports/index.js';
import { openDataKey } from './data-key.js';
import { createDeviceKeyring, probeKeySupport } from './device-keys.js';
import type { OpenedVault } from './index.js';
import { createRandom, createVault } from './index.js';
import { createReferenceVault } from './reference.js';
import { runSelfTest } from './self-test.js';
import type { EngineVerify } from './verifier.js';
import { createVerifier, webCryptoVerify } from './verifier.js';

const random = createRandom();
const loadCurves = () => Promise.resolve(curves);
/** For what the platform does by itself. */
const noCurves = () => Promise.reject(new Error('asked for the curves'));
const filled = (length: number, byte: number): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(byte);

/** A vault of this platform; throws when its row does not open. */
async function openWebVault(atRest: unknown): Promise<OpenedVault> {
  const opened = await createVault({ atRest, random, loadCurves: noCurves });
  if (!opened.ok) throw new Error(opened.fault.detail);
  return opened.value;
}

/** For the shared suite: every opening finds the row of the first. */
export async function createWebVault(): Promise<{ open: () => Promise<Vault> }> {
  const first = await openWebVault(null);
  // What a store does with the row.
  return { open: async () => (await openWebVault(structuredClone(first.newRow))).vault };
}

/** A vault whose platform keeps no keys: seeds at rest. */
export async function createSeedVault(): Promise<{ open: () => Promise<Vault> }> {
  const { vault } = await openWebVault(null);
  const seeds = {
    seal: (seed: Uint8Array<ArrayBuffer>) => vault.sealAtRest('device-seed', seed),
    open: (sealed: Uint8Array<ArrayBuffer>) => vault.openAtRest('device-seed', sealed),
  };
  const keyring = createDeviceKeyring({
    support: { ed25519: false, x25519: false },
    seeds,
    random,
    verify: vault.verify,
    loadCurves,
  });
  return { open: () => Promise.resolve({ ...vault, ...keyring }) };
}

/** A vault of the pure core. */
export async function createReference(): Promise<{ open: () => Promise<Vault> }> {
  const dataKey = random.bytes(32);
  return Promise.resolve({ open: () => Promise.resolve(createReferenceVault({ dataKey, random, memo: new Map() })) });
}

export function webVaultSuite(files: VectorFiles): void {
  test('[S04] this platform passes the self-test and holds both kinds of keys', async () => {
    const { selfTest, support } = await openWebVault(null);
    expect(selfTest).toEqual({ fastPath: true, asked: 8, mismatches: [] });
    expect(support).toEqual({ ed25519: true, x25519: true });
  });

  test('[S04] the fast path, the reference and a platform without Ed25519 give the same verdicts', async () => {
    const cases = signatureCases(files);
    let asked = 0;
    const counted: EngineVerify = (...job) => {
      asked++;
      return webCryptoVerify(...job);
    };
    await expectVerdicts(cases, createVerifier(counted, noCurves).verify);
    expect(asked).toBeGreaterThanOrEqual(15);
    await expectVerdicts(cases, createVerifier(null, loadCurves).verify);
    await expectVerdicts(cases, createVerifier(() => Promise.reject(new Error('no Ed25519')), loadCurves).verify);
    console.log(`[S04] signatures: ${String(cases.length)} vectors, ${String(asked)} of them decided by the platform`);
  });

  test('[X10] a large row made by hand from the rule opens, and no other', async () => {
    const atRest = (await openWebVault(null)).newRow;
    const { vault } = await openWebVault(structuredClone(atRest));
    const dataKey = await openDataKey(atRest);
    if (!dataKey.ok) throw new Error(dataKey.fault.detail);
    const [salt, aad] = [filled(24, 5), concatBytes(labels.rest, filled(1, 2), utf8Bytes('snapshot'))];
    const rowOf = async (info: string): Promise<Uint8Array<ArrayBuffer>> => {
      const raw = deriveKey(dataKey.value, labels.rest, concatBytes(utf8Bytes(info), salt));
      const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt']);
      const gcm = { name: 'AES-GCM', iv: filled(12, 0), additionalData: aad };
      const sealed = new Uint8Array(await crypto.subtle.encrypt(gcm, key, filled(9, 7)));
      return concatBytes(filled(1, 2), salt, sealed);
    };
    expect(await vault.openLarge('snapshot', await rowOf('snapshot'))).toEqual(filled(9, 7));
    expect(await vault.openLarge('snapshot', await rowOf('draft'))).toBeNull();
  });

  test('the self-test finds a platform that disagrees, fails, or has nothing', async () => {
    const accepting = await runSelfTest(() => Promise.resolve(true));
    expect(accepting.fastPath).toBe(false);
    expect(accepting.mismatches).toContain('X1 key ok, R + order 8');
    expect((await runSelfTest(() => Promise.resolve(false))).mismatches).toContain('good');
    const failing = await runSelfTest(() => Promise.reject(new Error('x')));
    expect(failing.fastPath).toBe(false);
    expect(failing.mismatches).toHaveLength(failing.asked);
    expect(failing.asked).toBe(platformVectors.length);
  });

  test('the curves are loaded where the platform lacks something, and not before', async () => {
    const { subtle } = crypto;
    const real = subtle.generateKey.bind(subtle);
    let loads = 0;
    const counted = async () => {
      loads++;
      return loadCurves();
    };
    const without = async (missing: string): Promise<{ loads: number; support: OpenedVault['support'] }> => {
      loads = 0;
      const generateKey = (...args: Parameters<typeof real>) =>
        args[0] === missing ? Promise.reject(new DOMException(missing, 'NotSupportedError')) : real(...args);
      Object.defineProperty(subtle, 'generateKey', { value: generateKey, configurable: true });
      try {
        const opened = await createVault({ atRest: null, random, loadCurves: counted });
        if (!opened.ok) throw new Error(opened.fault.detail);
        return { loads, support: opened.value.support };
      } finally {
        Reflect.deleteProperty(subtle, 'generateKey');
      }
    };
    expect(await without('none')).toEqual({ loads: 0, support: { ed25519: true, x25519: true } });
    expect(await without('Ed25519')).toEqual({ loads: 1, support: { ed25519: false, x25519: true } });
    expect(await without('X25519')).toEqual({ loads: 1, support: { ed25519: true, x25519: false } });
  });

  test('[X10] seeds that were stored before the platform had the curves wait for them: no keys are given up', async () => {
    const seedVault = await (await createSeedVault()).open();
    const { handle } = await seedVault.createDeviceKeys();
    const seeds = {
      seal: (seed: Uint8Array<ArrayBuffer>) => seedVault.sealAtRest('device-seed', seed),
      open: (sealed: Uint8Array<ArrayBuffer>) => seedVault.openAtRest('device-seed', sealed),
    };
    const { verify } = seedVault;
    const support = { ed25519: true, x25519: true };
    const offline = createDeviceKeyring({ support, seeds, random, verify, loadCurves: noCurves });
    await expect(offline.openDeviceKeys(handle)).rejects.toThrow('asked for the curves');
    const online = createDeviceKeyring({ support, seeds, random, verify, loadCurves });
    expect(await online.openDeviceKeys(handle)).not.toBeNull();
  });

  test('[X10] private keys and the wrapping key cannot be read out', async () => {
    const { vault, newRow } = await openWebVault(null);
    const { handle } = await vault.createDeviceKeys();
    const keys = [newRow?.wrapKey, ...Object.values(handle as object)].filter((part) => part instanceof CryptoKey);
    expect(keys).toHaveLength(3);
    for (const key of keys) {
      expect(key.extractable).toBe(false);
      for (const format of ['raw', 'pkcs8', 'jwk'] as const) {
        await expect(crypto.subtle.exportKey(format, key)).rejects.toThrow();
      }
    }
  });

  test('[X10] a row is made once, and a damaged one is a typed failure that replaces nothing', async () => {
    const { newRow, vault } = await openWebVault(null);
    if (newRow === null) throw new Error('expected a row');
    expect((await openWebVault(newRow)).newRow).toBeNull();
    const otherKey = (await openWebVault(null)).newRow?.wrapKey;
    const flipped = newRow.wrapped.map((byte, i) => (i === 20 ? byte ^ 1 : byte));
    const damaged: unknown[] = [
      {},
      'x',
      filled(60, 0),
      { ...newRow, wrapped: flipped },
      { ...newRow, wrapped: newRow.wrapped.slice(0, 30) },
      { ...newRow, wrapped: filled(3, 0) },
      { ...newRow, wrapKey: otherKey },
      { ...newRow, wrapKey: {} },
      { ...newRow, wrapKey: undefined },
    ];
    for (const atRest of damaged) {
      expect(await createVault({ atRest, random, loadCurves: noCurves })).toMatchObject({
        ok: false,
        fault: { code: 'store/corrupt' },
      });
    }
    const sealed = vault.sealAtRest('draft', filled(3, 3));
    expect((await openWebVault(newRow)).vault.openAtRest('draft', sealed)).toEqual(filled(3, 3));
  });

  test('keys beyond the bound of the cache are admitted again', async () => {
    const { vault } = await openWebVault(null);
    const keys = await vault.createDeviceKeys();
    const message = filled(1, 1);
    const job = { publicKey: keys.deviceId, message, signature: await vault.sign(keys, message) };
    const verifier = createVerifier(webCryptoVerify, noCurves, 4);
    const others = await Promise.all(
      Array.from({ length: 6 }, async () => ({ ...job, publicKey: (await vault.createDeviceKeys()).deviceId })),
    );
    expect(await verifier.verify([job, ...others, job])).toEqual([true, ...others.map(() => false), true]);
  });

  test('randomness has the length asked for, beyond one draw too', () => {
    expect(random.bytes(0)).toHaveLength(0);
    const long = random.bytes(70_000);
    expect(long).toHaveLength(70_000);
    expect(long.subarray(69_900).every((byte) => byte === 0)).toBe(false);
    expect(hex('00')).not.toEqual(random.bytes(32));
  });

  test('the probe finds what the platform has', async () => {
    expect(await probeKeySupport()).toEqual({ ed25519: true, x25519: true });
  });
}
