import { expect, test } from 'vitest';
import { toHex } from '../../src/core/base/index.js';
import type { Deflate, Store } from '../../src/ports/index.js';
import { createMemoryDisk, type MemoryDisk } from '../storage/index.js';
import {
  addUnits,
  chainOf,
  entriesOnDisk,
  manualTime,
  packsOnDisk,
  rest,
  restart,
  servedFrom,
  settled,
  smallRoom,
  type SmallPacks,
} from './compact.kit.js';
import { act, give } from './core.kit.js';
import { forgeData, insertOf, payloadOf } from './content.kit.js';
import type { EnginePorts } from './ports.js';
import { createCompactor } from './room/compact.js';
import type { RoomCore } from './room/core.js';
import { mintEpoch } from './room/epochs.js';
import { loadRoom } from './room/load.js';
import { createStepLoop } from './room/step.js';

const ones = (count: number): number[] => Array.from({ length: count }, () => 1);

/** Ports that die at a call, before it has done its work or before anybody hears of it; nothing is heard afterwards. */
function mortal(
  ports: EnginePorts,
  at: { readonly call: number; readonly isAfter: boolean },
): {
  readonly ports: EnginePorts;
  readonly calls: () => number;
  readonly isDead: () => boolean;
} {
  let calls = 0;
  const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    const mine = calls++;
    if (mine > at.call || (mine === at.call && !at.isAfter)) return never();
    const value = await work();
    return calls > at.call ? never() : value;
  };
  const { store, deflate } = ports;
  const guarded: Store = {
    commit: (ops, o) => guard(() => store.commit(ops, o)),
    get: (table, key) => guard(() => store.get(table, key)),
    list: (table, prefix) => guard(() => store.list(table, prefix)),
    keys: (table, prefix) => guard(() => store.keys(table, prefix)),
    close: () => store.close(),
  };
  const guardedDeflate: Deflate = {
    deflate: (bytes) => guard(() => deflate.deflate(bytes)),
    inflate: (bytes, max) => guard(() => deflate.inflate(bytes, max)),
  };
  return {
    ports: { ...ports, store: guarded, deflate: guardedDeflate },
    calls: () => calls,
    isDead: () => calls > at.call,
  };
}

/** Idle time on a copy of a disk, by an engine that dies at a call of its ports; the call's number, or none when it ended. */
async function dieAt(
  o: SmallPacks,
  at: { readonly call: number; readonly isAfter: boolean },
): Promise<{ disk: MemoryDisk; died: boolean }> {
  const disk = o.disk.copy();
  const time = manualTime();
  const core = await restart(o, { time }, disk);
  const { ports, isDead } = mortal(core.ports, at);
  const loop = createStepLoop({
    store: ports.store,
    report: () => undefined,
    committed: () => undefined,
    failed: () => Promise.resolve(),
  });
  const dying: RoomCore = { ...core, ports, loop };
  const compactor = createCompactor(dying, { isTransferring: () => false });
  while (!isDead() && (await time.step()));
  await settled();
  compactor.stop();
  return { disk, died: isDead() };
}

test('[B04] an engine that dies at any call of a port while it compacts loses nothing, keeps nothing twice, and goes on', async () => {
  const room = await smallRoom(createMemoryDisk(), { fanIn: 3 });
  await addUnits(room, room.ada, [1, 1, 1, 9, 2, 1, 27, 1, 1, 1, 1]);
  await addUnits(room, room.bob, [1, 1, 1, 4, 1, 1]);
  const before = await entriesOnDisk(room.ada);
  const lengths = { ada: 46, bob: 9 };
  const rowsOf = async (core: RoomCore): Promise<number[]> =>
    Promise.all([room.ada, room.bob].map(async ({ device }) => (await packsOnDisk(core, room.main, device)).rows));
  expect(await rowsOf(room.ada)).toEqual([11, 6]);
  let [calls, rewritten] = [0, 0];
  for (let isDone = false; !isDone; calls++)
    for (const isAfter of [false, true]) {
      const { disk, died } = await dieAt(room, { call: calls, isAfter });
      isDone = !died;
      const time = manualTime();
      const again = await restart(room, { time }, disk);
      expect(again.faults.get('store/corrupt')).toBeUndefined();
      expect(await entriesOnDisk(again)).toBe(before);
      expect(chainOf(again, room.main, room.ada.device).loaded.ids).toHaveLength(lengths.ada);
      expect(chainOf(again, room.main, room.bob.device).loaded.ids).toHaveLength(lengths.bob);
      if ((await rowsOf(again)).join() !== '11,6') rewritten++;
      const { units, isComplete } = await servedFrom(again, {
        ...room,
        domainHex: room.main,
        author: room.ada.device,
        from: 36,
        to: room.bob,
      });
      expect(units.flatMap(({ entries }) => entries.map(({ seq }) => seq))).toEqual([
        36, 37, 38, 39, 40, 41, 42, 43, 44, 45,
      ]);
      expect(isComplete).toBe(true);
      await rest(again, time);
      expect(await entriesOnDisk(again)).toBe(before);
      expect(await rowsOf(again)).toEqual([5, 1]);
    }
  console.log(
    `[B04] died at each of ${String(calls - 1)} calls, before and after; ${String(rewritten)} disks had packs rewritten by then`,
  );
  expect(calls).toBeGreaterThan(20);
  expect(rewritten).toBeGreaterThan(4);
}, 120_000);

test('[F8] whoever lacks any part of a chain is sent just that, in units that their author signed: before, while and after packs are rewritten', async () => {
  const room = await smallRoom(createMemoryDisk());
  const { ada, bob, time, main } = room;
  await addUnits(room, ada, [...ones(20), 1000, 4, ...ones(12)]);
  await addUnits(room, bob, ones(20));
  const all = chainOf(ada, main, ada.device).loaded.ids.map(toHex);
  const froms = [0, 1, 9, 19, 20, 500, 1019, 1020, 1023, 1024, 1026, 1035];
  const served = async (from: number, between?: () => Promise<void>): Promise<number[]> => {
    const o = { domainHex: main, author: ada.device, from, to: bob, ...(between && { between }) };
    const { units, isComplete } = await servedFrom(ada, o);
    expect(isComplete).toBe(true);
    expect(units.flatMap(({ entries }) => entries.map(({ id }) => toHex(id)))).toEqual(all.slice(from));
    for (const { entries } of units)
      expect(entries.findIndex(({ seq }) => seq % 1024 === 1023)).toBeOneOf([-1, entries.length - 1]);
    return units.map(({ entries }) => entries.length);
  };
  expect(all).toHaveLength(1036);
  expect((await packsOnDisk(ada, main, ada.device)).rows).toBe(42);
  for (const from of froms) await served(from);
  // While it is served: each pack waits until something was rewritten.
  const compactor = createCompactor(ada, { isTransferring: () => false });
  const rewritten = (): number => ada.counters.get('packsMerged') ?? 0;
  let during = 0;
  await served(0, async () => {
    for (const before = rewritten(); rewritten() === before && (await time.step()););
    during++;
  });
  expect(during).toBeGreaterThan(0);
  expect(rewritten()).toBeGreaterThan(0);
  while (await time.step());
  compactor.stop();
  expect((await packsOnDisk(ada, main, ada.device)).rows).toBe(2);
  for (const from of froms) await served(from);
  expect(await served(1026)).toEqual([10]);
  expect(ada.faults.size).toBe(0);
}, 60_000);

test('[B04] what was rewritten is read again as it was, after a restart in the middle as well, and nobody but the disk notices', async () => {
  const room = await smallRoom(createMemoryDisk());
  const { ada, bob, time, main } = room;
  await addUnits(room, ada, ones(40));
  await addUnits(room, bob, ones(9));
  const before = { entries: await entriesOnDisk(ada), records: [...ada.state.records.entries('cards')] };
  const compactor = createCompactor(ada, { isTransferring: () => false });
  while ((ada.counters.get('packsMerged') ?? 0) === 0) await time.step();
  compactor.stop();
  const laterTime = manualTime();
  const later = await restart(room, { time: laterTime });
  expect(await entriesOnDisk(later)).toBe(before.entries);
  await addUnits({ ...room, ada: later }, later, ones(30));
  await rest(later, laterTime);
  expect(chainOf(later, main, ada.device).packs).toEqual([{ fromSeq: 0, count: 70, branch: null }]);
  const last = await restart(room);
  expect([...last.state.records.entries('cards')]).toHaveLength(before.records.length + 30);
  expect(chainOf(last, main, ada.device).packs).toEqual(chainOf(later, main, ada.device).packs);
  expect(last.faults.size).toBe(0);
  expect(last.counters.get('bytesStored')).toBe(later.counters.get('bytesStored'));
}, 60_000);

test('[PACK-7] the disk of a chain of single edits is bounded, and what it took to get there is a few times what is there', async () => {
  const room = await smallRoom(createMemoryDisk());
  const { ada, time, main } = room;
  const edits = 1290;
  let largest = 0;
  let unmerged = 0;
  const compactor = createCompactor(ada, { isTransferring: () => false });
  for (let done = 0; done < edits; done += 30) {
    const before = ada.counters.get('bytesStored') ?? 0;
    await addUnits(room, ada, ones(30));
    unmerged += (ada.counters.get('bytesStored') ?? 0) - before;
    compactor.look();
    while (await time.step());
    if (done > 1024) largest = Math.max(largest, (await packsOnDisk(ada, main, ada.device)).rows);
  }
  compactor.stop();
  const { rows, bytes } = await packsOnDisk(ada, main, ada.device);
  const rewritten = ada.counters.get('bytesRewritten') ?? 0;
  const payloads = edits * payloadOf(insertOf(ada, 'cards', { text: 'a card of some twenty letters' })).length;
  console.log(
    `[PACK-7] ${String(edits)} single edits: ${(unmerged / edits).toFixed(0)} B each as written, ${(bytes / edits).toFixed(1)} B in ${String(rows)} packs (their payloads ${(payloads / edits).toFixed(1)} B); ${String(largest)} packs at most; rewritten ${(rewritten / bytes).toFixed(2)} times what is there`,
  );
  expect(bytes).toBeLessThan(payloads * 1.2);
  expect(largest).toBeLessThan(40);
  expect(rewritten).toBeLessThan(5 * bytes);
}, 120_000);

test('[PACK-7] full packs are looked at once, not in every start', async () => {
  const room = await smallRoom(createMemoryDisk());
  const { ada, time, main } = room;
  // Each of these is as large as a pack gets beside its neighbours.
  await addUnits(
    room,
    ada,
    Array.from({ length: 5 }, () => 250),
  );
  const long = payloadOf(insertOf(ada, 'cards', { text: 'x'.repeat(1000) }));
  await give(ada, [
    await forgeData(ada, main, {
      entries: Array.from({ length: 100 }, (_, i) => ({ payload: long, ms: ada.lastHlc.ms + 1 + i })),
    }),
  ]);
  await rest(ada, time);
  const again = await restart(room, { time });
  let reads = 0;
  const { store } = again.ports;
  const counted: RoomCore = {
    ...again,
    ports: { ...again.ports, store: { ...store, get: (table, key) => (reads++, store.get(table, key)) } },
  };
  await rest(counted, time);
  expect(reads).toBe(0);
}, 60_000);

test('[PACK-7] a pack that does not open is left alone with its neighbours, and the others lose nothing by it', async () => {
  const room = await smallRoom(createMemoryDisk());
  const { ada, time, disk, main } = room;
  await addUnits(room, ada, ones(40));
  const key = [ada.room, main, ada.device, 20];
  disk.damage([{ do: 'put', table: 'packs', key, value: new Uint8Array(500) }]);
  await rest(ada, time);
  expect(ada.faults.get('store/corrupt')).toBe(1);
  expect(chainOf(ada, main, ada.device).packs.map(({ fromSeq, count }) => [fromSeq, count])).toEqual([
    [0, 20],
    [20, 1],
    [21, 19],
  ]);
  expect(await ada.ports.store.get('packs', key)).toHaveLength(500);
  const { units, isComplete } = await servedFrom(ada, { domainHex: main, author: ada.device, from: 30, to: room.bob });
  expect([units.length, units[0]?.fromSeq, isComplete]).toEqual([1, 30, true]);
}, 60_000);

test('[F6] a chain with a fork, and one of which a part waits, are left as they are', async () => {
  const room = await smallRoom(createMemoryDisk());
  const { ada, bob, time, main } = room;
  await addUnits(room, bob, ones(20));
  const payload = payloadOf(insertOf(bob, 'cards', { text: 'late' }));
  const ahead = Date.now() + 3_600_000;
  const part = await forgeData(bob, main, {
    entries: [
      { payload, ms: ahead - 3_600_000 },
      { payload, ms: ahead },
    ],
  });
  expect((await give(ada, [part])).map(({ outcome, fault }) => [outcome, fault?.code])).toEqual([
    ['admitted', 'entry/future-clock'],
  ]);
  await rest(ada, time);
  // What is admitted whole goes together; the rest, of which a part waits, does not.
  const places = (): number[][] => chainOf(ada, main, bob.device).packs.map(({ fromSeq, count }) => [fromSeq, count]);
  expect(places()).toEqual([
    [0, 20],
    [20, 2],
  ]);
  await addUnits(room, ada, ones(20));
  const head = { seq: 9, id: chainOf(ada, main, ada.device).loaded.ids[9] ?? new Uint8Array(32) };
  const other = await forgeData(ada, main, { head, entries: [{ payload, ms: ada.lastHlc.ms + 1 }] });
  await give(ada, [other]);
  await loadRoom(ada);
  const before = await packsOnDisk(ada, main, ada.device);
  await rest(ada, time);
  expect(before.rows).toBe(20);
  expect(await packsOnDisk(ada, main, ada.device)).toEqual(before);
}, 60_000);

test('[F8] units are not joined where their epoch changes: who lacks the later key gets all that is under the earlier', async () => {
  const room = await smallRoom(createMemoryDisk());
  const { ada, time, main } = room;
  await addUnits(room, ada, ones(12));
  await act(ada, (step) => mintEpoch(ada, step));
  await addUnits(room, ada, ones(12));
  await rest(ada, time);
  expect(chainOf(ada, main, ada.device).packs.map(({ count }) => count)).toEqual([12, 12]);
}, 60_000);

test('[PACK-7] nothing is rewritten while packs come or go, but not for ever; nor after the end', async () => {
  const room = await smallRoom(createMemoryDisk());
  const { ada, time, main } = room;
  await addUnits(room, ada, ones(20));
  const rows = async (): Promise<number> => (await packsOnDisk(ada, main, ada.device)).rows;
  const busy = createCompactor(ada, { isTransferring: () => true });
  for (let i = 0; i < 60; i++) await time.step();
  expect(await rows()).toBe(20);
  const ended = createCompactor(ada, { isTransferring: () => false });
  ended.stop();
  for (let i = 0; i < 2; i++) await time.step();
  expect(await rows()).toBe(1);
  busy.stop();
  expect(await time.step()).toBe(false);
}, 60_000);

test('[PACK-7] a commit that the disk refuses changes nothing, and is tried again', async () => {
  const room = await smallRoom(createMemoryDisk());
  const { ada, time, disk, main } = room;
  await addUnits(room, ada, ones(20));
  const before = await entriesOnDisk(ada);
  disk.failNext('full', 2);
  let steps = 0;
  await rest(ada, time, async () => {
    if (steps++ < 2) expect(chainOf(ada, main, ada.device).packs).toHaveLength(20);
    expect(await entriesOnDisk(ada)).toBe(before);
  });
  expect(chainOf(ada, main, ada.device).packs).toHaveLength(1);
}, 60_000);
