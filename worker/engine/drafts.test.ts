import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { toHex, type Bytes } from '../../src/core/base/index.js';
import { encodePayload, type Op } from '../../src/core/op/index.js';
import { encodeDeclaration, schemaPrefix } from '../../src/core/schema/index.js';
import type { RoomInfo } from '../../src/bridge/index.js';
import { StoreError } from '../../src/ports/index.js';
import { createMemoryDisk } from '../storage/index.js';
import { manualTime, rest, restart, settled, smallRoom, type SmallPacks } from './compact.kit.js';
import { domainNamed, insertOf, payloadOf } from './content.kit.js';
import { act, copyAll, unitsOf } from './core.kit.js';
import { allDrafts, historyOf, oldDraftRow, signAll } from './drafts.kit.js';
import { commitSigned, takeWrites } from './room/local.js';
import { tick } from './room/author.js';
import type { RoomCore } from './room/core.js';
import { planRows } from './room/drafts/merge.js';
import { draftCount, keepDrafts } from './room/drafts/queue.js';
import { maxRowDrafts, maxRowWeight } from './room/drafts/row.js';
import { hasReadyDrafts, signDrafts, signingProgress } from './room/drafts/sign.js';
import type { DraftRow } from './room/drafts/types.js';
import { loadRoom } from './room/load.js';
import { createSnapshots } from './room/snapshot/keep.js';
import { isDelivered, noteUndelivered } from './room/undelivered.js';
import { createViews } from './room/views.js';
import { verifyUnit } from './room/units.js';
import { testDeclaration } from './rig.kit.js';
import { dying, isFromSnapshot, openAgain, snap, snapshotRows } from './snapshot.kit.js';
import { stateDifference } from './state.kit.js';

const schema = schemaPrefix(encodeDeclaration(testDeclaration));

/** So many transactions that share a step. */
async function draft(core: RoomCore, payloads: readonly Bytes[], domain = 'main'): Promise<void> {
  const domainHex = domainNamed(core, domain);
  const before = core.marks.get('page') ?? 0;
  const writes = payloads.map((payload, i) => ({ tab: 'page', prev: 0, n: before + 1 + i, domainHex, payload }));
  const { outcomes } = await act(core, (step) => takeWrites(core, step, { writes, isCleared: false }));
  expect(outcomes.every(({ outcome }) => outcome === 'taken')).toBe(true);
}

function cards(core: RoomCore, count: number, from = 0): Bytes[] {
  return Array.from({ length: count }, (_, i) =>
    payloadOf(insertOf(core, 'cards', { text: `card ${String(from + i)}` })),
  );
}

/** A payload of so many kilobytes. */
function large(core: RoomCore, kilobytes: number): Bytes {
  const ops = Array.from({ length: kilobytes }, () => insertOf(core, 'cards', { text: 'x'.repeat(960) }));
  return encodePayload({ schema, ops });
}

/** A card, and increments of it: they show what counts twice. */
function counted(core: RoomCore, increments: number): Bytes[] {
  const insert = insertOf(core, 'cards', { text: 'counted' });
  const op: Op = { kind: 'increment', collection: 'cards', id: insert.id, field: 'votes', by: 5 };
  return [insert, ...Array.from({ length: increments }, () => op)].map((one) => encodePayload({ schema, ops: [one] }));
}

const rowsOf = async (core: RoomCore): Promise<number[]> =>
  (await core.ports.store.list('drafts', [core.room])).map(({ key }) => Number(key[3] ?? 1));

/** Drafts of any sizes in two domains. */
async function lonelyRoom(): Promise<SmallPacks & { readonly written: readonly string[] }> {
  const room = await smallRoom(createMemoryDisk(), { fanIn: 2 });
  const { ada } = room;
  await draft(ada, counted(ada, 3));
  for (let n = 0; n < 3; n++) await draft(ada, cards(ada, 1, n));
  await draft(ada, [payloadOf(insertOf(ada, 'chat', { body: 'alone' }))], 'chat');
  await draft(ada, [large(ada, 70)]);
  for (let n = 3; n < 6; n++) await draft(ada, cards(ada, 2, 2 * n));
  await draft(ada, [large(ada, 70), large(ada, 70)]);
  await draft(ada, [payloadOf(insertOf(ada, 'chat', { body: 'still' }))], 'chat');
  return { ...room, written: await historyOf(ada) };
}

test('[B04] drafts share rows in idle time; what they say, their order and their times stay, after a restart as well', async () => {
  const room = await lonelyRoom();
  const { ada, time } = room;
  const rows = await rowsOf(ada);
  const before = await allDrafts(ada);
  await rest(ada, time);
  expect([rows.length, (await rowsOf(ada)).sort()]).toEqual([12, [1, 1, 14, 2]]);
  expect(await allDrafts(ada)).toEqual(before);
  const again = await restart(room, { time: manualTime() });
  expect(await allDrafts(again)).toEqual(before);
  expect(again.lastHlc).toEqual(ada.lastHlc);
  expect(stateDifference(again, ada)).toBeNull();
});

test('[F20] joining drafts is a commit that counts', async () => {
  const { ada, time } = await lonelyRoom();
  const commit = vi.spyOn(ada.ports.store, 'commit');
  const before = ada.counters.get('commits') ?? 0;
  await rest(ada, time);
  const joins = commit.mock.calls.filter(([ops]) => ops.some(({ table }) => table === 'drafts'));
  expect(joins.length).toBeGreaterThan(0);
  expect((ada.counters.get('commits') ?? 0) - before).toBe(joins.length);
});

test('[B04] an engine that dies at any call while drafts are joined, put into a snapshot and signed loses nothing and keeps nothing twice', async () => {
  const room = await lonelyRoom();
  const { ada, disk, written } = room;
  const shown = (core: RoomCore): unknown[] => [...core.state.records.entries('cards')].map(([, { fields }]) => fields);
  const records = shown(ada);
  let calls = 0;
  const seen = new Set<string>();
  for (let isDone = false; !isDone; calls++)
    for (const landed of [false, true]) {
      const copy = disk.copy();
      const time = manualTime();
      const alive = await restart(room, { time }, copy);
      const { ports, death } = dying(alive.ports, { atCall: calls + 1, landed });
      const life = async (): Promise<'lived'> => {
        const mortal = await openAgain(alive, { ports });
        await rest(mortal, time);
        await snap(mortal);
        await signAll(mortal);
        return 'lived';
      };
      isDone = (await Promise.race([life(), death])) === 'lived';
      const again = await restart(room, { time: manualTime() }, copy);
      expect(again.faults.get('store/corrupt')).toBeUndefined();
      expect(await historyOf(again)).toEqual(written);
      expect(shown(again)).toEqual(records);
      expect(stateDifference(again, await openAgain(again, { isReplay: true }))).toBeNull();
      seen.add(JSON.stringify([(await rowsOf(again)).length, draftCount(again), isFromSnapshot(again)]));
      await signAll(again);
      expect([await historyOf(again), shown(again), await rowsOf(again)]).toEqual([written, records, []]);
    }
  console.log(
    `[B04] died at each of ${String(calls - 1)} calls, before and after; ${String(seen.size)} states of the disk`,
  );
  expect(seen.size).toBeGreaterThan(6);
}, 120_000);

test('[B04] no draft is rewritten more often than there are powers of the fan-in below a full row, and once; rows stay in order and within their bounds', () => {
  const sizes = fc.array(
    fc.record({
      count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 300 })),
      bytes: fc.integer({ min: 30, max: 40_000 }),
    }),
    { minLength: 1, maxLength: 300 },
  );
  fc.assert(
    fc.property(sizes, fc.constantFrom(2, 3, 8), fc.integer({ min: 1, max: 9 }), (grown, fanIn, every) => {
      const rows: DraftRow[] = [];
      const rewrites: number[] = [];
      let n = 0;
      for (const [i, { count, bytes }] of grown.entries()) {
        rows.push({ key: [], domain: '', n, count, weight: Math.min(maxRowWeight, bytes * count), drafts: null });
        n += count;
        if (i % every > 0 && i < grown.length - 1) continue;
        for (let run = planRows(rows, fanIn); run !== null; run = planRows(rows, fanIn)) {
          const at = rows.indexOf(run[0] as DraftRow);
          const gone = run;
          const sum = (of: 'count' | 'weight'): number => gone.reduce((all, row) => all + row[of], 0);
          expect(run.length).toBeGreaterThan(1);
          expect(run).toEqual(rows.slice(at, at + run.length));
          const row = { ...(run[0] as DraftRow), count: sum('count'), weight: sum('weight') };
          expect(row.count <= maxRowDrafts && row.weight <= maxRowWeight).toBe(true);
          rows.splice(at, run.length, row);
          for (let d = row.n; d < row.n + row.count; d++) rewrites[d] = (rewrites[d] ?? 0) + 1;
        }
      }
      const powers = Math.ceil(Math.log(2 * maxRowDrafts) / Math.log(fanIn)) - 1;
      expect(rewrites.reduce((a, b) => Math.max(a, b), 0)).toBeLessThanOrEqual(powers + 1);
      expect(rows.reduce((next, row) => (row.n === next ? next + row.count : -1), 0)).toBe(n);
    }),
    { numRuns: 60 },
  );
});

test('[F10] drafts that an older version left, one to a row, come before newer ones, share rows with them and are signed with them', async () => {
  const room = await smallRoom(createMemoryDisk(), { fanIn: 2 });
  const { ada, main, time } = room;
  const old = cards(ada, 5).map((payload, i) => ({ n: i, domainHex: main, hlc: tick(ada), payload }));
  await ada.ports.store.commit(old.map((one) => oldDraftRow(ada, one)));
  const opened = await restart(room, { time });
  await draft(opened, cards(opened, 3, 5));
  const history = await historyOf(opened);
  expect([history.length - 1, (await allDrafts(opened)).map(({ hlc }) => hlc).slice(0, 5)]).toEqual([
    8,
    old.map(({ hlc }) => hlc),
  ]);
  await rest(opened, time);
  expect(await rowsOf(opened)).toEqual([8]);
  const again = await restart(room, { time: manualTime() });
  expect(await historyOf(again)).toEqual(history);
  await signAll(again);
  expect([await historyOf(again), await rowsOf(again)]).toEqual([history, []]);
});

test('[F10] a draft in the middle of a row that must wait holds back what is behind it alone, after a restart as well', async () => {
  const room = await smallRoom(createMemoryDisk());
  const { ada, main } = room;
  const unknown = encodePayload({
    schema: new Uint8Array(8).fill(3),
    ops: [insertOf(ada, 'cards', { text: 'later' })],
  });
  const drafts = [...cards(ada, 3), unknown, ...cards(ada, 2, 3)].map((payload) => ({ hlc: tick(ada), payload }));
  await act(ada, (step) => keepDrafts(ada, step, { domain: main, drafts }));
  const history = await historyOf(ada);
  expect((await act(ada, (step) => signDrafts(ada, step))).units.map(({ entries }) => entries.length)).toEqual([3]);
  expect([draftCount(ada), hasReadyDrafts(ada), await rowsOf(ada)]).toEqual([3, false, [3]]);
  const again = await restart(room);
  expect(await historyOf(again)).toEqual(history);
  expect((await act(again, (step) => signDrafts(again, step))).units).toEqual([]);
  expect([draftCount(again), hasReadyDrafts(again), await rowsOf(again)]).toEqual([3, false, [3]]);
});

test('[F10] many drafts are signed slice by slice, one signature for many, and others get their turn between; the order stays', async () => {
  const room = await smallRoom(createMemoryDisk());
  const { ada, bob, main } = room;
  const count = 3 * maxRowDrafts;
  await draft(ada, cards(ada, count));
  const history = await historyOf(ada);
  let signatures = 0;
  const { vault } = ada.ports;
  const ports = {
    ...ada.ports,
    vault: { ...vault, sign: (...a: Parameters<typeof vault.sign>) => (signatures++, vault.sign(...a)) },
  };
  const core = await openAgain(ada, { ports });
  expect(await signAll(core)).toHaveLength(3);
  expect([signatures, await historyOf(core)]).toEqual([3, history]);
  const mine = (await unitsOf(core)).filter(
    ({ domainId, author }) => toHex(domainId) === main && toHex(author) === core.device,
  );
  for (const unit of mine) {
    expect(await verifyUnit(unit, core)).toBeNull();
    expect(unit.entries.findIndex(({ seq }) => seq % 1024 === 1023)).toBeOneOf([-1, unit.entries.length - 1]);
  }
  await copyAll(core, bob);
  expect([bob.held, [...bob.state.records.entries('cards')].length]).toEqual([[], count]);
}, 60_000);

test('[F10] how much of many drafts is signed shows; of those that cannot be signed there is nothing to show', async () => {
  const { ada } = await smallRoom(createMemoryDisk());
  await draft(ada, cards(ada, 4 * maxRowDrafts));
  expect(signingProgress(ada, false)).toBeNull();
  const seen: (number | null)[] = [];
  for (let i = 0; i < 5; i++) {
    seen.push(signingProgress(ada, true));
    await act(ada, (step) => signDrafts(ada, step));
  }
  expect(seen).toEqual([0, 0.25, 0.5, 0.75, null]);
  await draft(ada, cards(ada, 1));
  expect(signingProgress(ada, true)).toBe(0);
}, 60_000);

test('[F10] of a row that turns out to have to wait the pages hear that nothing is signed any more; the next signing counts anew', async () => {
  const { ada, main } = await smallRoom(createMemoryDisk());
  const later = (): Bytes => {
    const ops = [insertOf(ada, 'cards', { text: 'later' })];
    return encodePayload({ schema: new Uint8Array(8).fill(3), ops });
  };
  const keep = (domain: string, payloads: readonly Bytes[]): Promise<unknown> =>
    act(ada, (step) =>
      keepDrafts(ada, step, { domain, drafts: payloads.map((payload) => ({ hlc: tick(ada), payload })) }),
    );
  await keep(main, cards(ada, maxRowDrafts));
  await keep(main, Array.from({ length: 20 }, later));
  const told: unknown[] = [];
  for (let i = 0; i < 2; i++)
    await act(ada, async (step) => {
      await signDrafts(ada, step);
      told.push([step.infoChanged, signingProgress(ada, true)]);
    });
  expect(told).toEqual([
    [true, 0.96],
    [true, null],
  ]);
  const chat = domainNamed(ada, 'chat');
  await keep(
    chat,
    Array.from({ length: 10 }, () => payloadOf(insertOf(ada, 'chat', { body: 'x' }))),
  );
  expect(signingProgress(ada, true)).toBe(0);
}, 60_000);

test('[X8] a record with a further change among the drafts is not delivered before that is', async () => {
  const { ada, main } = await smallRoom(createMemoryDisk());
  const [insert, first, second] = counted(ada, 2);
  await draft(ada, [insert, first, ...Array.from({ length: maxRowDrafts }, () => large(ada, 1)), second] as Bytes[]);
  await act(ada, (step) => signDrafts(ada, step));
  const signed = { domain: main, isDraft: true, n: 0 };
  ada.delivered.set(main, 10_000);
  const record = [...ada.undelivered.keys()].at(-1) ?? '';
  const isShown = (): boolean => isDelivered(ada, ada.undelivered.get(record) ?? signed);
  expect([ada.undelivered.get(record)?.isDraft, isDelivered(ada, signed), isShown()]).toEqual([true, true, false]);
  await signAll(ada);
  expect([ada.undelivered.get(record)?.isDraft, isShown()]).toEqual([false, true]);
});

test('[B03] of drafts that are in a snapshot only the last row is read; what came after is read beside it', async () => {
  const room = await smallRoom(createMemoryDisk(), { fanIn: 2 });
  const { ada, time } = room;
  for (let n = 0; n < 6; n++) await draft(ada, [large(ada, 60), large(ada, 60)]);
  await draft(ada, counted(ada, 3));
  await snap(ada);
  await draft(ada, counted(ada, 2));
  const { vault } = ada.ports;
  let read = 0;
  const ports = {
    vault: {
      ...vault,
      openAtRest: (...[use, sealed]: Parameters<typeof vault.openAtRest>) => (
        use === 'draft' && read++,
        vault.openAtRest(use, sealed)
      ),
    },
  };
  const opened = await openAgain(ada, { ports });
  expect([isFromSnapshot(opened), read, draftCount(opened)]).toEqual([true, 1, 19]);
  expect(stateDifference(opened, await openAgain(ada, { isReplay: true }))).toBeNull();
  await rest(ada, time); // covered ones and others share a row
  const again = await openAgain(ada);
  expect([isFromSnapshot(again), stateDifference(again, await openAgain(ada, { isReplay: true }))]).toEqual([
    true,
    null,
  ]);
});

test('[B03] a snapshot goes with the first of its drafts that is signed, whatever is numbered like them later', async () => {
  const { ada } = await smallRoom(createMemoryDisk());
  await draft(ada, counted(ada, 2));
  await snap(ada);
  const opened = await openAgain(ada);
  await signAll(opened);
  expect(await snapshotRows(opened)).toEqual([]);
  const again = await openAgain(opened);
  await draft(again, counted(again, 2)); // numbered from 0 in a new start
  const replayed = await openAgain(again);
  expect(stateDifference(replayed, await openAgain(again, { isReplay: true }))).toBeNull();
  expect(isFromSnapshot(replayed)).toBe(false);
});

test('[B03] a snapshot that is being written while its drafts are signed is not stored', async () => {
  const { ada, time } = await smallRoom(createMemoryDisk());
  await draft(ada, counted(ada, 2));
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const { deflate } = ada.ports.deflate;
  const held = { ...ada.ports.deflate, deflate: (bytes: Bytes) => gate.then(() => deflate(bytes)) };
  const core = await openAgain(ada, { ports: { deflate: held, snapshots: { minChanges: 1, waitMs: 0 } } });
  const snapshots = createSnapshots(core);
  snapshots.committed();
  await time.step();
  await signAll(core);
  open();
  for (let turns = 0; turns < 9; turns++) await settled();
  expect(await snapshotRows(core)).toEqual([]);
  await snapshots.stop(); // which writes what there is now
  expect([draftCount(core), core.counters.get('snapshotsWritten')]).toEqual([0, 1]);
  const again = await openAgain(core);
  expect([isFromSnapshot(again), stateDifference(again, await openAgain(core, { isReplay: true }))]).toEqual([
    true,
    null,
  ]);
});

test('[F10] a row that is damaged is told and left out; the others are signed, and the room shows what is there', async () => {
  const room = await smallRoom(createMemoryDisk());
  const { ada } = room;
  await draft(ada, [large(ada, 100)]);
  await draft(ada, counted(ada, 2));
  await draft(ada, [large(ada, 100)]);
  await snap(ada);
  const [, second] = await ada.ports.store.list('drafts', [ada.room]);
  await ada.ports.store.commit([{ do: 'put', table: 'drafts', key: second?.key ?? [], value: new Uint8Array(90) }]);
  const opened = await openAgain(ada);
  expect(isFromSnapshot(opened)).toBe(true); // it is closed
  const signed = await act(opened, (step) => signDrafts(opened, step));
  expect([signed.mustReload, opened.faults.get('store/corrupt'), draftCount(opened)]).toEqual([true, 1, 1]);
  const again = await openAgain(opened);
  expect([...again.state.records.entries('cards')].length).toBe(200);
  await signAll(again);
  expect([draftCount(again), again.state.domains.get(domainNamed(again, 'main'))?.entryCount]).toEqual([0, 2]);
});

test('[X8] what drafts were to become in a commit that failed says nothing of what they have become since', async () => {
  const room = await smallRoom(createMemoryDisk());
  const { ada, main } = room;
  await draft(ada, cards(ada, 3));
  const refused = act(ada, async (step) => {
    await signDrafts(ada, step);
    throw new StoreError('full', 'no place');
  });
  await expect(refused).rejects.toThrow('no place');
  await loadRoom(ada);
  // As entries that were lost, and are fetched before anything is signed (F10).
  const items = cards(ada, 4, 3).map((payload) => ({ hlc: tick(ada), payload }));
  await act(ada, (step) => commitSigned(ada, step, { domainHex: main, items }));
  await signAll(ada);
  const ref = { domain: main, isDraft: true, n: 2 };
  ada.delivered.set(main, 4);
  expect(isDelivered(ada, ref)).toBe(false);
  ada.delivered.set(main, 7);
  expect(isDelivered(ada, ref)).toBe(true);
});

test('[X8] drafts of another engine are not delivered by one at their end that can have no effect', async () => {
  const room = await smallRoom(createMemoryDisk());
  const { ada, main } = room;
  const nowhere = encodePayload({ schema, ops: [insertOf(ada, 'chat', { body: 'in the wrong domain' })] });
  const drafts = [...cards(ada, 2), nowhere].map((payload) => ({ hlc: tick(ada), payload }));
  await act(ada, (step) => keepDrafts(ada, step, { domain: main, drafts }));
  ada.marks.set('page', 3);
  for (const domainHex of ada.state.domains.keys()) if (domainHex !== main) ada.delivered.set(domainHex, 100);
  const told: number[] = [];
  const views = createViews(ada, () => ({}) as RoomInfo);
  views.open('page', (message) => {
    if (message.t === 'view') told.push(message.update.deliveredUpTo);
  });
  await act(ada, (step) => signDrafts(ada, step));
  views.flush('all', null);
  ada.delivered.set(main, 2);
  views.flush('all', null);
  expect(told).toEqual([0, 0, 3]);
});

test('[X8] a lost tail that comes back is older than the drafts: a record that both change is delivered with the draft', async () => {
  const { ada, main } = await smallRoom(createMemoryDisk());
  const [insert, change] = counted(ada, 1) as [Bytes, Bytes];
  await draft(ada, [insert, change]);
  const key = [...ada.undelivered.keys()].at(-1) ?? '';
  const items = [{ hlc: tick(ada), payload: change }];
  const [unit] = await act(ada, (step) => commitSigned(ada, step, { domainHex: main, items }));
  noteUndelivered(ada, unit?.entries ?? []);
  expect(ada.undelivered.get(key)).toEqual({ domain: main, isDraft: true, n: 1 });
  await signAll(ada);
  expect(ada.undelivered.get(key)).toEqual({ domain: main, isDraft: false, n: 2 });
});
