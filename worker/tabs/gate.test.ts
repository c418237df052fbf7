import { expect, test } from 'vitest';
import type { StoreOp } from '../../src/ports/index.js';
import { createMemoryDisk } from '../storage/index.js';
import { gateStore } from './gate.js';

const put: StoreOp = { do: 'put', table: 'state', key: ['k'], value: 1 };
const fenced = { name: 'StoreError', failure: 'fenced' };

test('an open gate changes nothing', async () => {
  const disk = createMemoryDisk();
  const { store } = gateStore(disk.open(await disk.raiseGeneration()), () => expect.unreachable());
  await store.commit([put]);
  expect(await store.get('state', ['k'])).toBe(1);
  expect(await store.list('state', [])).toEqual([{ key: ['k'], value: 1 }]);
  await store.close();
  await expect(store.commit([put])).rejects.toMatchObject({ failure: 'closed' });
});

test('[X11] a shut gate lets nothing through, answers what is under way, and waits for no disk', async () => {
  const never = new Promise<void>(() => undefined);
  let pace = Promise.resolve();
  const disk = createMemoryDisk({ pace: () => pace });
  const generation = await disk.raiseGeneration();
  const gate = gateStore(disk.open(generation), () => expect.unreachable());
  pace = never;
  const underWay = [gate.store.commit([put]), gate.store.get('state', ['k']), gate.store.list('state', [])];
  gate.shut();
  for (const work of underWay) await expect(work).rejects.toMatchObject(fenced);
  await expect(gate.store.commit([put])).rejects.toMatchObject(fenced);
  await expect(gate.store.get('state', ['k'])).rejects.toMatchObject(fenced);
  await gate.store.close();
  expect(disk.dump().get('state')).toEqual([]);

  const other = createMemoryDisk();
  const quick = gateStore(other.open(await other.raiseGeneration()), () => expect.unreachable());
  quick.shut();
  await expect(quick.store.commit([put])).rejects.toMatchObject(fenced);
  expect(other.dump().get('state')).toEqual([]);
});

test('the disk saying fenced is told once; other failures are the engine’s own', async () => {
  const disk = createMemoryDisk();
  let told = 0;
  const { store } = gateStore(disk.open(await disk.raiseGeneration()), () => told++);
  disk.failNext('full');
  await expect(store.commit([put])).rejects.toMatchObject({ failure: 'full' });
  expect(told).toBe(0);
  await disk.raiseGeneration();
  await expect(store.commit([put])).rejects.toMatchObject(fenced);
  await expect(store.commit([put])).rejects.toMatchObject(fenced);
  expect(told).toBe(1);
});
