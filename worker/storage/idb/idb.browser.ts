import { expect, test } from 'vitest';
import { storageContract } from '../contract.kit.js';
import { databaseSuite } from './database.kit.js';
import { usedBytes } from './index.js';
import { databaseRig } from './rig.kit.js';

const browser = navigator.userAgent.includes('Firefox') ? 'Firefox' : 'Chromium';

storageContract(`IndexedDB in ${browser}`, databaseRig);
databaseSuite(`in ${browser}`);

test('private keys survive in the database without ever being extractable', async () => {
  const rig = await databaseRig();
  const sign = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
  const wrap = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  const store = rig.disk.open(await rig.disk.raiseGeneration());
  const value = { sign: sign.privateKey, wrap };
  await store.commit([{ do: 'put', table: 'keys', key: ['device'], value }], { strict: true });
  await store.close();
  const again = rig.second().open(await rig.second().raiseGeneration());
  const stored = (await again.get('keys', ['device'])) as typeof value;
  const message = new Uint8Array([1, 2, 3]);
  const signature = await crypto.subtle.sign('Ed25519', stored.sign, message);
  expect(await crypto.subtle.verify('Ed25519', sign.publicKey, signature, message)).toBe(true);
  expect([stored.sign.extractable, stored.wrap.extractable]).toEqual([false, false]);
  await expect(crypto.subtle.exportKey('raw', stored.wrap)).rejects.toThrow();
  await again.close();
  await rig.dispose();
});

test('the cost of a commit is printed', async () => {
  const rig = await databaseRig();
  const store = rig.disk.open(await rig.disk.raiseGeneration());
  const rounds = 200;
  for (const strict of [false, true]) {
    const started = performance.now();
    for (let i = 0; i < rounds; i++) {
      const op = { do: 'put', table: 'packs', key: ['r', i], value: new Uint8Array(4_096) } as const;
      await store.commit([op, { do: 'put', table: 'marks', key: ['tab'], value: i }], { strict });
    }
    const each = ((performance.now() - started) * 1_000) / rounds;
    console.log(`${browser}: ${each.toFixed(0)} µs per ${strict ? 'strict' : 'relaxed'} commit of 4 KB`);
  }
  expect(await store.list('packs', [])).toHaveLength(rounds);
  expect(await usedBytes(navigator.storage)).toBeGreaterThan(0);
  await store.close();
  await rig.dispose();
});

test('[S06] the cost of a log begun anew is printed', async () => {
  const rig = await databaseRig({ canTearLog: true });
  const started = performance.now();
  await rig.disk.raiseGeneration();
  const plainMs = performance.now() - started;
  // Nobody noted an end.
  await rig.second().raiseGeneration();
  const renewedMs = performance.now() - started - plainMs;
  console.log(`${browser}: ${plainMs.toFixed(0)} ms to take over, ${renewedMs.toFixed(0)} ms behind a kill`);
  expect(await usedBytes(navigator.storage)).toBeGreaterThan(0);
  await rig.dispose();
});
