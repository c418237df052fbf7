/** The contract of the Vault port, for every implementation and engine. */
import { expect, test } from 'vitest';
import { concatBytes, equalBytes } from '../../src/core/base/index.js';
import {
  ed25519PublicKey,
  signEd25519,
  verifyStrict,
  x25519PublicKey,
  x25519Shared,
} from '../../src/core/crypto/index.js';
import type { VectorFiles } from '../../src/core/crypto/vectors.kit.js';
import { expectVerdicts, hex, signatureCases } from '../../src/core/crypto/vectors.kit.js';
import type { AtRestUse, Vault } from '../../src/ports/index.js';

const filled = (length: number, byte: number): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(byte);
const uses: readonly AtRestUse[] = ['draft', 'epoch-key', 'invite-secret', 'snapshot', 'device-seed', 'title'];

/** `open` gives a vault over the same at-rest data each time within one test. */
export function vaultSuite(create: () => Promise<{ open: () => Promise<Vault> }>, files: VectorFiles): void {
  const openOne = async (): Promise<Vault> => (await create()).open();

  test('device keys are new each time, sign for their id, and agree with any other', async () => {
    const vault = await openOne();
    const [a, b] = [await vault.createDeviceKeys(), await vault.createDeviceKeys()];
    expect(equalBytes(a.deviceId, b.deviceId) || equalBytes(a.x25519, b.x25519)).toBe(false);
    const message = filled(100, 7);
    const signature = await vault.sign(a, message);
    expect(verifyStrict(a.deviceId, message, signature)).toBe(true);
    expect(verifyStrict(b.deviceId, message, signature)).toBe(false);
    const shared = await vault.agree(a, b.x25519);
    expect(shared).toEqual(await vault.agree(b, a.x25519));
    expect(await vault.agree(a, x25519PublicKey(filled(32, 5)))).toEqual(x25519Shared(filled(32, 5), a.x25519));
  });

  test('a peer key of low order, in any encoding, gives null', async () => {
    const vault = await openOne();
    const keys = await vault.createDeviceKeys();
    const lowOrder = [
      '0000000000000000000000000000000000000000000000000000000000000000',
      '0100000000000000000000000000000000000000000000000000000000000000',
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    ];
    for (const point of lowOrder) expect(await vault.agree(keys, hex(point)), point).toBeNull();
  });

  test('[X10] stored keys open again after a restart, for the same device', async () => {
    const { open } = await create();
    const keys = await (await open()).createDeviceKeys();
    // What a store does with the handle.
    const stored: unknown = structuredClone(keys.handle);
    const vault = await open();
    const again = await vault.openDeviceKeys(stored);
    if (again === null) throw new Error('expected keys');
    expect([again.deviceId, again.x25519]).toEqual([keys.deviceId, keys.x25519]);
    const message = filled(1, 1);
    expect(verifyStrict(keys.deviceId, message, await vault.sign(again, message))).toBe(true);
  });

  test('a damaged handle is null, never an exception', async () => {
    const vault = await openOne();
    const { handle } = await vault.createDeviceKeys();
    const other = (await vault.createDeviceKeys()).handle;
    const damaged: unknown[] = [undefined, null, 0, 'x', {}, [], filled(10, 0), filled(113, 1), new Date()];
    if (handle instanceof Uint8Array)
      damaged.push(
        handle.slice(1),
        handle.map((byte, i) => (i === 50 ? byte ^ 1 : byte)),
      );
    else if (typeof handle === 'object') {
      for (const field of Object.keys(handle ?? {})) {
        damaged.push(
          { ...handle, [field]: null },
          { ...handle, [field]: filled(32, 9) },
          { ...handle, [field]: filled(81, 9) },
        );
        // A half of another device: fits its form, not its owner.
        damaged.push({ ...handle, [field]: (other as Record<string, unknown>)[field] });
      }
    }
    for (const [i, each] of damaged.entries()) expect(await vault.openDeviceKeys(each), String(i)).toBeNull();
    await expect(
      vault.sign({ deviceId: filled(32, 1), x25519: filled(32, 1), handle: {} }, filled(1, 1)),
    ).rejects.toThrow('keys.handle');
  });

  test('[S04] every verdict of the vectors', async () => {
    await expectVerdicts(signatureCases(files), (await openOne()).verify);
  });

  test('verify copies its input before it awaits, keeps order, takes none and junk', async () => {
    const vault = await openOne();
    const keys = await vault.createDeviceKeys();
    const message = filled(40, 4);
    const job = {
      publicKey: keys.deviceId.slice(),
      message: message.slice(),
      signature: await vault.sign(keys, message),
    };
    const pending = vault.verify([job, { ...job, message: filled(1, 1) }, job]);
    for (const bytes of [job.publicKey, job.message, job.signature]) bytes.fill(0);
    expect(await pending).toEqual([true, false, true]);
    expect(await vault.verify([])).toEqual([]);
    const junk = { publicKey: filled(0, 0), message: filled(0, 0), signature: filled(0, 0) };
    expect(await vault.verify([junk, { ...junk, signature: filled(64, 255) }])).toEqual([false, false]);
  });

  test('the key of a seed is the same everywhere', async () => {
    const vault = await openOne();
    for (const byte of [0, 1, 200, 255]) {
      const seed = filled(32, byte);
      const pending = vault.signerOfSeed(seed);
      seed.fill(9);
      const { publicKey, sign } = await pending;
      seed.fill(byte);
      expect(publicKey).toEqual(ed25519PublicKey(seed));
      expect(await sign(filled(90, 3))).toEqual(signEd25519(seed, filled(90, 3)));
    }
  });

  test('sign copies its message', async () => {
    const vault = await openOne();
    const keys = await vault.createDeviceKeys();
    const message = filled(40, 4);
    const pending = vault.sign(keys, message);
    message.fill(0);
    expect(verifyStrict(keys.deviceId, filled(40, 4), await pending)).toBe(true);
  });

  test('[X10] what is sealed at rest opens after a restart for its use only, and never twice alike', async () => {
    const { open } = await create();
    const [before, after] = [await open(), await open()];
    const plaintext = filled(50, 6);
    for (const use of uses) {
      const sealed = before.sealAtRest(use, plaintext);
      expect(equalBytes(sealed, before.sealAtRest(use, plaintext))).toBe(false);
      for (const other of uses) {
        const opened = after.openAtRest(other, sealed);
        if (other === use) expect(opened).toEqual(plaintext);
        else expect(opened).toBeNull();
      }
      expect(after.openAtRest(use, concatBytes(sealed, filled(1, 0)))).toBeNull();
      expect(after.openAtRest(use, filled(0, 0))).toBeNull();
    }
    expect((await openOne()).openAtRest('draft', before.sealAtRest('draft', plaintext))).toBeNull();
  });

  test('[X10] what is large opens after a restart for its use only, never twice alike, and as small rows do', async () => {
    const { open } = await create();
    const [before, after] = [await open(), await open()];
    const plaintext = filled(70_000, 6);
    const pending = before.sealLarge('snapshot', plaintext);
    plaintext.fill(0);
    const sealed = await pending;
    plaintext.fill(6);
    expect(equalBytes(sealed, await before.sealLarge('snapshot', plaintext))).toBe(false);
    const opened = await after.openLarge('snapshot', sealed);
    expect(opened !== null && equalBytes(opened, plaintext)).toBe(true);
    expect(await after.openLarge('draft', sealed)).toBeNull();
    expect(await after.openLarge('snapshot', before.sealAtRest('snapshot', filled(9, 1)))).toEqual(filled(9, 1));
    for (const at of [0, 1, 24, 25, 40_000, sealed.length - 1]) {
      const bad = sealed.slice();
      bad[at] = (bad[at] ?? 0) ^ 1;
      expect(await after.openLarge('snapshot', bad), String(at)).toBeNull();
      expect(await after.openLarge('snapshot', sealed.slice(0, at)), String(at)).toBeNull();
    }
    expect(await (await openOne()).openLarge('snapshot', sealed)).toBeNull();
  });
}
