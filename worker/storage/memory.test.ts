import { expect, test } from 'vitest';
import type { StoreOp } from '../../src/ports/index.js';
import { storageContract } from './contract.kit.js';
import type { MemoryStep } from './index.js';
import { createMemoryDisk } from './index.js';

const put = (key: string, value: unknown): StoreOp => ({ do: 'put', table: 'state', key: [key], value });

storageContract('memory', async () => {
  const disk = createMemoryDisk();
  return { disk, second: () => disk, dispose: async () => undefined };
});

test('a commit told to fail stores nothing and says why; the one after works', async () => {
  const disk = createMemoryDisk();
  const store = disk.open(await disk.raiseGeneration());
  disk.failNext('full');
  disk.failNext('broken', 2);
  await expect(store.commit([put('a', 1)])).rejects.toMatchObject({ failure: 'full' });
  await expect(store.commit([put('a', 1)])).rejects.toMatchObject({ failure: 'broken' });
  await expect(store.commit([put('a', 1)])).rejects.toMatchObject({ failure: 'broken' });
  expect(await store.get('state', ['a'])).toBeUndefined();
  await store.commit([put('a', 2)]);
  expect(await store.get('state', ['a'])).toBe(2);
});

test('a crash keeps what was acknowledged, drops the rest, answers nobody, and the next process goes on', async () => {
  for (const landed of [0, 1, 2]) {
    const gates: (() => void)[] = [];
    let slow = false;
    const pace = (): Promise<void> => (slow ? new Promise((resolve) => gates.push(resolve)) : Promise.resolve());
    const disk = createMemoryDisk({ pace });
    const store = disk.open(await disk.raiseGeneration());
    await store.commit([put('before', 1)]);
    slow = true;
    const answered: string[] = [];
    const hear = (what: string) => (): number => answered.push(what);
    store.commit([put('first', 1)]).then(hear('first'), hear('first'));
    store.get('state', ['before']).then(hear('get'), hear('get'));
    store.commit([put('second', 1)]).then(hear('second'), hear('second'));
    disk.crash({ landed });
    slow = false;
    for (const open of gates) open();
    store.commit([put('ghost', 1)]).then(hear('ghost'), hear('ghost'));
    store.close().then(hear('close'), hear('close'));

    const next = disk.open(await disk.raiseGeneration());
    const keys = (await next.list('state', [])).map((row) => row.key[0]);
    expect(keys).toEqual(['before', 'first', 'second'].slice(0, 1 + landed));
    await next.commit([put('after', 1)]);
    expect(answered).toEqual([]);
  }
});

test('steps happen one at a time in the order of the asking, at the given pace', async () => {
  const steps: MemoryStep[] = [];
  let inside = 0;
  const disk = createMemoryDisk({
    pace: async (step) => {
      expect(++inside).toBe(1);
      steps.push(step);
      await Promise.resolve();
      inside--;
    },
  });
  const store = disk.open(await disk.raiseGeneration());
  const read = store.get('state', ['a']);
  const commit = store.commit([put('a', 1)]);
  const list = store.list('state', []);
  expect(await read).toBeUndefined();
  await commit;
  expect(await list).toEqual([{ key: ['a'], value: 1 }]);
  expect(steps).toEqual(['generation', 'get', 'commit', 'list']);
});

test('a copy is a disk of its own; damage goes past every check', async () => {
  const disk = createMemoryDisk();
  const store = disk.open(await disk.raiseGeneration());
  await store.commit([put('a', 1)]);
  const backup = disk.copy();
  await store.commit([put('a', 2)]);
  const restored = backup.open(await backup.raiseGeneration());
  expect(await restored.get('state', ['a'])).toBe(1);
  disk.damage([put('a', 'damaged')]);
  expect(await store.get('state', ['a'])).toBe('damaged');
  expect(disk.dump().get('state')).toEqual([{ key: ['a'], value: 'damaged' }]);
  expect(backup.dump().get('state')).toEqual([{ key: ['a'], value: 1 }]);
});

test('a handle of the Vault is stored as it is', async () => {
  const disk = createMemoryDisk();
  const store = disk.open(await disk.raiseGeneration());
  const pair = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
  await store.commit([{ do: 'put', table: 'keys', key: ['k'], value: { sign: pair.privateKey } }]);
  const { sign } = (await store.get('keys', ['k'])) as { sign: CryptoKey };
  const signature = await crypto.subtle.sign('Ed25519', sign, new Uint8Array([1]));
  expect(await crypto.subtle.verify('Ed25519', pair.publicKey, signature, new Uint8Array([1]))).toBe(true);
});
