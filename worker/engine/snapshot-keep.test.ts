import { expect, test } from 'vitest';
import { encodeDeclaration } from '../../src/core/schema/index.js';
import { StoreError, type Store } from '../../src/ports/index.js';
import { createMemoryDisk, type MemoryDisk } from '../storage/index.js';
import type { EnginePorts } from './ports.js';
import { startDevice, testDeclaration, until, type RigDevice, type RigRoom, type RigTab } from './rig.kit.js';

const declaration = encodeDeclaration(testDeclaration);
const profile = { name: 'Ada', color: null };
const create = { request: 'aa', key: 'plans', title: 'Plans', declaration, profile };
const eager = { minChanges: 3, waitMs: 20 };

function rowsOn(disk: MemoryDisk): number {
  return (disk.dump().get('state') ?? []).filter(({ key }) => key[1] === 'snapshot').length;
}

async function roomOf(device: RigDevice): Promise<{ tab: RigTab; room: RigRoom }> {
  const tab = device.tab();
  const { room } = await tab.call('create', create);
  return { tab, room: tab.room(room) };
}

async function fillWith(room: RigRoom, count: number): Promise<void> {
  let last = 0;
  for (let n = 0; n < count; n++) {
    room.insertCard(`card ${String(n)}`);
    last++;
  }
  const before = room.saved();
  await until(() => room.saved() >= before + last);
}

async function counterOf(tab: RigTab, room: RigRoom, name: string): Promise<number> {
  return (await tab.call('stats', {})).counters[room.room]?.[name] ?? 0;
}

test('[B03] a snapshot is written once it is worth it and nobody has written for a while; the next start uses it', async () => {
  const device = await startDevice({ ports: { snapshots: eager } });
  const { tab, room } = await roomOf(device);
  await fillWith(room, 4);
  await until(() => rowsOn(device.disk) > 1);
  await until(() => room.saved() >= 4);
  const written = await counterOf(tab, room, 'snapshotsWritten');
  await fillWith(room, 1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await counterOf(tab, room, 'snapshotsWritten')).toBe(written); // one more is not worth it
  const again = await startDevice({ disk: device.disk.copy() });
  const opened = again.tab();
  await opened.call('open', { room: room.room, declaration });
  expect(opened.room(room.room).rows('cards').size).toBe(5);
  expect(await counterOf(opened, room, 'snapshotsUsed')).toBe(1);
});

test('[B03] what is due is written when the room closes, and not when it is not', async () => {
  // The head, the own collections, those of the app.
  for (const [cards, rows] of [
    [4, 3],
    [0, 0],
  ] as const) {
    const device = await startDevice({ ports: { snapshots: { minChanges: 4, waitMs: 60_000 } } });
    const { room } = await roomOf(device);
    if (cards > 0) await fillWith(room, cards);
    expect(rowsOn(device.disk)).toBe(0);
    await device.engine.stop();
    expect(rowsOn(device.disk)).toBe(rows);
  }
});

/** A store that has no room for snapshots. */
function tooSmall(store: Store): { readonly store: Store; readonly refused: () => number } {
  let refused = 0;
  return {
    refused: () => refused,
    store: {
      ...store,
      commit: (ops, o) => {
        if (!ops.some((op) => op.do === 'put' && op.key[1] === 'snapshot')) return store.commit(ops, o);
        refused++;
        return Promise.reject(new StoreError('full', 'no room'));
      },
    },
  };
}

test('[B03] a snapshot that does not fit the disk is nobody’s trouble', async () => {
  const disk = createMemoryDisk();
  const { store, refused } = tooSmall(disk.open(1));
  const errors: unknown[] = [];
  const ports: Partial<EnginePorts> = { store, snapshots: eager, report: (error) => errors.push(error) };
  const device = await startDevice({ disk, ports });
  const { tab, room } = await roomOf(device);
  await fillWith(room, 4);
  await until(() => refused() > 0);
  await fillWith(room, 2);
  expect([tab.client()?.storage, errors, device.lost, rowsOn(disk)]).toEqual(['memory', [], [], 0]);
  expect(await counterOf(tab, room, 'snapshotsFailed')).toBeGreaterThan(0);
});

test('[B03] a room that is forgotten leaves no snapshot, also of one that was being written', async () => {
  const device = await startDevice({ ports: { snapshots: { ...eager, waitMs: 0 } } });
  const { tab, room } = await roomOf(device);
  await fillWith(room, 5);
  await tab.call('forget', { room: room.room });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(rowsOn(device.disk)).toBe(0);
});
