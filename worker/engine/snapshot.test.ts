import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromHex, toHex, type Bytes } from '../../src/core/base/index.js';
import { encodePayload, type Op } from '../../src/core/op/index.js';
import { encodeDeclaration, schemaPrefix } from '../../src/core/schema/index.js';
import { createReferenceVault } from '../vault/reference.js';
import { domainNamed, forgeData, insertOf, nextDeclaration, payloadOf, publish, take, write } from './content.kit.js';
import type { ControlPayload } from '../../src/core/access/index.js';
import { act, copyAll, foundCore, grantFor, linkTo, memberCore, peerOf, strangerCore, unitsOf } from './core.kit.js';
import { testDeclaration } from './rig.kit.js';
import { encodeLive, type SyncReq } from '../../src/core/wire/index.js';
import { countOf, domainOf, idAt, type Chain, type Unit } from './replica/index.js';
import { writeControl } from './room/author.js';
import { countFault, type RoomCore, type WriteRef } from './room/core.js';
import { loadRoom } from './room/load.js';
import { draftCount } from './room/drafts/queue.js';
import { signDrafts } from './room/drafts/sign.js';
import { takeAck } from './room/net/acks.js';
import { createAsking } from './room/net/asking.js';
import { createBeacons } from './room/net/beacons.js';
import { createClearance, resumeFor } from './room/net/clearance.js';
import { unitOfLive } from './room/net/inbound.js';
import { createRoster } from './room/net/roster.js';
import { serve } from './room/net/source.js';
import { unitColumns } from './room/units.js';
import { packUndelivered, snapshotVersion, unpackUndelivered } from './room/snapshot/form.js';
import { freezeRoom, snapshotOps } from './room/snapshot/write.js';
import { counting, dying, flipped, isFromSnapshot, openAgain, snap, snapshotRows } from './snapshot.kit.js';
import { stateDifference } from './state.kit.js';

const zeros32 = new Uint8Array(32);

const card = (core: RoomCore, text: string): Bytes => payloadOf(insertOf(core, 'cards', { text }));

async function writeCards(core: RoomCore, count: number, domain = 'main'): Promise<void> {
  const [main, collection, field] = [
    domainNamed(core, domain),
    domain === 'chat' ? 'chat' : 'cards',
    domain === 'chat' ? 'body' : 'text',
  ];
  for (let n = 0; n < count; n++)
    await write(core, main, {
      payload: payloadOf(insertOf(core, collection, { [field]: `${collection} ${String(n)}` })),
    });
}

/** Opened as the next start would; it has to be what a replay gives. */
async function openChecked(core: RoomCore): Promise<RoomCore> {
  const [opened, replayed] = [await openAgain(core), await openAgain(core, { isReplay: true })];
  expect(stateDifference(opened, replayed)).toBeNull();
  return opened;
}

function chainOf(core: RoomCore, author: RoomCore, domain = 'main'): Chain | undefined {
  return domainOf(core.state, domainNamed(core, domain))?.chainsByAuthor.get(author.device);
}

/** A room of two with a snapshot on the first one's disk. */
async function pair(): Promise<{ ada: RoomCore; bob: RoomCore }> {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  await writeCards(ada, 3);
  await copyAll(ada, bob);
  await writeCards(bob, 2);
  await copyAll(bob, ada);
  expect(await snap(ada)).toBe(true);
  return { ada, bob };
}

test('[X8] what waits for delivery is in order after a snapshot: an acknowledgement looks no further than it reaches', () => {
  const undelivered = new Map<string, WriteRef>();
  const put = (key: string, ref: Partial<WriteRef>): unknown =>
    undelivered.set(key, { domain: 'main', isDraft: false, n: undelivered.size, ...ref });
  for (const key of ['cards/a', 'notes/long', 'cards/b', 'notes/last']) put(key, {});
  for (const key of ['notes/next', 'cards/c', 'notes/more']) put(key, { isDraft: true, n: undelivered.size - 4 });
  const into = new Map<string, WriteRef>();
  unpackUndelivered(packUndelivered(undelivered), { delivered: new Map(), into });
  expect([...into]).toEqual([...undelivered]);
});

test('[B03] a room opens from a snapshot and what came after it as from all of its history', async () => {
  const { ada, bob } = await pair();
  expect(isFromSnapshot(await openChecked(ada))).toBe(true);
  await writeCards(ada, 2, 'chat');
  await copyAll(ada, bob);
  await writeCards(bob, 1);
  await copyAll(bob, ada);
  await publish(ada, nextDeclaration);
  const opened = await openChecked(ada);
  expect(isFromSnapshot(opened)).toBe(true);
  expect(opened.faults.size).toBe(0);
  await writeCards(opened, 1); // and it goes on from there
  expect(isFromSnapshot(await openChecked(opened))).toBe(true);
});

test('[B03] what the packs take is counted the same from a snapshot as from all of history', async () => {
  const ada = await foundCore();
  await writeCards(ada, 3);
  await snap(ada);
  await memberCore(ada);
  await writeCards(ada, 2);
  const [opened, replayed] = [await openAgain(ada), await openAgain(ada, { isReplay: true })];
  expect(isFromSnapshot(opened)).toBe(true);
  expect(opened.counters.get('bytesStored')).toBe(replayed.counters.get('bytesStored'));
});

test('what is counted while a room is read anew is not lost', async () => {
  const ada = await foundCore();
  await writeCards(ada, 3);
  const { store } = ada.ports;
  let heard = 0;
  const counting = async (...question: Parameters<typeof store.list>): ReturnType<typeof store.list> => {
    countFault(opened, 'frame/malformed'); // a frame comes meanwhile
    heard++;
    return store.list(...question);
  };
  const opened = await openAgain(ada, {});
  await loadRoom(Object.assign(opened, { ports: { ...opened.ports, store: { ...store, list: counting } } }));
  expect(heard).toBeGreaterThan(1);
  expect(opened.faults.get('frame/malformed')).toBe(heard);
});

test('[B03] what is read at the start does not grow with history, only with what came since', async () => {
  const reads: number[] = [];
  for (const history of [10, 200]) {
    const ada = await foundCore();
    await writeCards(ada, history);
    await snap(ada);
    const none = counting(ada);
    await openAgain(ada, { ports: none.ports });
    await writeCards(ada, 3);
    const some = counting(ada);
    const opened = await openAgain(ada, { ports: some.ports });
    expect(isFromSnapshot(opened)).toBe(true);
    expect(countOf(chainOf(opened, opened))).toBe(history + 3);
    expect(some.read() - none.read()).toBe(3);
    const all = counting(ada);
    await openAgain(ada, { ports: all.ports, isReplay: true });
    expect(all.read()).toBeGreaterThan(history);
    reads.push(none.read());
  }
  expect(reads[1]).toBe(reads[0]);
});

test('[B03] an engine that dies at any call while it writes a snapshot leaves the old one or the new', async () => {
  const { ada } = await pair();
  await writeCards(ada, 2);
  const before = await snapshotRows(ada);
  const keep = before.map(({ key, value }) => ({ do: 'put', table: 'state', key, value }) as const);
  let [died, rewritten] = [0, 0];
  for (let atCall = 1; ; atCall++) {
    let isOver = false;
    for (const landed of [false, true]) {
      await ada.ports.store.commit([{ do: 'delete-prefix', table: 'state', prefix: [ada.room, 'snapshot'] }, ...keep]);
      const { ports, death } = dying(ada.ports, { atCall, landed });
      const end = await Promise.race([snap({ ...ada, ports }), death]);
      isOver = end !== 'died';
      died += isOver ? 0 : 1;
      const opened = await openChecked(ada);
      expect(isFromSnapshot(opened)).toBe(true);
      expect(opened.faults.size).toBe(0);
      const rows = await snapshotRows(ada);
      if (JSON.stringify(rows) !== JSON.stringify(before)) rewritten++;
    }
    if (isOver) break;
  }
  expect(died).toBeGreaterThan(4);
  expect(rewritten).toBe(3); // where the commit had landed, and the two that lived
});

test('[B03] an engine that dies at any call while it opens a room has changed nothing', async () => {
  const { ada } = await pair();
  await writeCards(ada, 1);
  for (let atCall = 1; ; atCall++) {
    const { ports, death } = dying(ada.ports, { atCall, landed: atCall % 2 === 0 });
    const end = await Promise.race([openAgain(ada, { ports }), death]);
    expect(isFromSnapshot(await openChecked(ada))).toBe(true);
    if (end !== 'died') break;
    expect(atCall).toBeLessThan(60);
  }
}, 60_000);

test('[B03] a snapshot of which any row has any bit another, is missing, or is of another time, is replayed', async () => {
  const { ada } = await pair();
  const older = await snapshotRows(ada);
  await writeCards(ada, 1);
  await snap(ada);
  const rows = await snapshotRows(ada);
  expect(rows.length).toBeGreaterThan(1);
  const restore = rows.map(({ key, value }) => ({ do: 'put', table: 'state', key, value }) as const);
  const check = async (op: Parameters<typeof ada.ports.store.commit>[0][number]): Promise<void> => {
    await ada.ports.store.commit([op]);
    const opened = await openChecked(ada);
    expect(isFromSnapshot(opened)).toBe(false);
    expect(opened.snapshot?.isBad).toBe(true); // and will go
    expect(opened.faults.get('store/corrupt')).toBe(1);
    await ada.ports.store.commit(restore);
  };
  for (const row of rows) {
    const size = row.value instanceof Uint8Array ? row.value.length : 0;
    for (let at = 0; at < size; at += Math.max(1, Math.floor(size / 12))) await check(flipped(row, at));
    await check({ do: 'delete', table: 'state', key: row.key });
    await check({ do: 'put', table: 'state', key: row.key, value: 'no bytes' });
  }
  for (const { key, value } of older) await check({ do: 'put', table: 'state', key, value });
  const extra = [ada.room, 'snapshot', rows.length];
  await check({ do: 'put', table: 'state', key: extra, value: rows[0]?.value });
  await ada.ports.store.commit([{ do: 'delete', table: 'state', key: extra }]);
  expect(isFromSnapshot(await openChecked(ada))).toBe(true);
}, 60_000);

test('[B03] a snapshot of another device, room, data key or version is replayed', async () => {
  const { ada, bob } = await pair();
  const other = await foundCore();
  const put = async (ops: Awaited<ReturnType<typeof snapshotOps>>): Promise<void> => ada.ports.store.commit(ops);
  const frozen = freezeRoom(ada);
  const cases: [string, () => Promise<unknown>, 'corrupt' | 'stale'][] = [
    [
      'device',
      async () => put(await snapshotOps(ada, { ...frozen, head: { ...frozen.head, device: bob.device } })),
      'corrupt',
    ],
    ['room', async () => put(await snapshotOps({ ...other, room: ada.room }, freezeRoom(other))), 'corrupt'],
    [
      'data key',
      async () => {
        const vault = createReferenceVault({ dataKey: new Uint8Array(32).fill(1), random: ada.ports.random });
        await put(await snapshotOps({ ...ada, ports: { ...ada.ports, vault } }, frozen));
      },
      'corrupt',
    ],
    [
      'version',
      async () => put(await snapshotOps(ada, { ...frozen, head: { ...frozen.head, version: snapshotVersion + 1 } })),
      'stale',
    ],
  ];
  for (const [what, spoil, how] of cases) {
    await spoil();
    const opened = await openChecked(ada);
    expect([what, isFromSnapshot(opened)]).toEqual([what, false]);
    expect([what, opened.faults.get('store/corrupt') ?? 0]).toEqual([what, how === 'corrupt' ? 1 : 0]);
    expect([what, opened.counters.get('snapshotsStale') ?? 0]).toEqual([what, how === 'stale' ? 1 : 0]);
  }
  await ada.ports.store.commit([{ do: 'delete-prefix', table: 'state', prefix: [ada.room, 'snapshot'] }]);
  const without = await openChecked(ada);
  expect([without.snapshot, without.faults.size]).toEqual([null, 0]);
});

test('[B03] a snapshot never outweighs history: of a chain that is gone, cut, or another, it is replayed', async () => {
  const { ada, bob } = await pair();
  const main = domainNamed(ada, 'main');
  const rows = await ada.ports.store.list('packs', [ada.room, main, bob.device]);
  const keep = rows.map(({ key, value }) => ({ do: 'put', table: 'packs', key, value }) as const);
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) throw new TypeError('bob has written nothing');
  for (const ops of [
    [{ do: 'delete-prefix', table: 'packs', prefix: [ada.room, main, bob.device] }],
    [{ do: 'delete', table: 'packs', key: last.key }],
    [{ do: 'put', table: 'packs', key: last.key, value: first.value }],
    [{ do: 'put', table: 'packs', key: last.key, value: 'no bytes' }],
  ] as const) {
    await ada.ports.store.commit(ops);
    const opened = await openChecked(ada);
    expect(isFromSnapshot(opened)).toBe(false);
    await ada.ports.store.commit(keep);
  }
  expect(isFromSnapshot(await openChecked(ada))).toBe(true);
});

test('[B03] what somebody may do is never taken from a snapshot: a grant that has fallen since is replayed, one more is not', async () => {
  const ada = await foundCore();
  const eva = await memberCore(ada, { rank: 5, perms: 127 });
  const bob = await memberCore(ada);
  await copyAll(ada, eva);
  const rest = { scope: zeros32, write: null, approval: false, anyAdmitter: true, admitters: [] };
  const [invitePub, expiryMs] = [ada.keys.deviceId, Date.now() + 600_000];
  const invite: ControlPayload = { kind: 'invite', invitePub, rank: 10, perms: 127, maxUses: 5, expiryMs, ...rest };
  const target = (await act(ada, (step) => writeControl(ada, step, invite))).entries[0]?.id ?? zeros32;
  for (const core of [eva, bob]) await copyAll(ada, core);
  const max = await strangerCore(eva);
  const via = { invite: target, use: 0, requestId: new Uint8Array(16) };
  const grant = { ...(await grantFor(eva, max, { rank: 10, perms: 127 })), via };
  await act(eva, (step) => writeControl(eva, step, grant));
  await copyAll(eva, max);
  await writeCards(max, 2);
  await copyAll(max, bob);
  await snap(bob);
  await memberCore(ada); // one more device, of which the snapshot knows nothing
  await copyAll(ada, bob);
  const opened = await openChecked(bob);
  expect([isFromSnapshot(opened), opened.state.voids.size]).toEqual([true, 0]);
  const revocation: ControlPayload = { kind: 'revoke', targetKind: 3, target, cascade: false };
  await take(bob, [await act(ada, (step) => writeControl(ada, step, revocation))]);
  const replayed = await openChecked(bob);
  expect([isFromSnapshot(replayed), replayed.state.voids.size]).toEqual([false, 2]);
  expect(replayed.counters.get('snapshotsStale')).toBe(1);
  await snap(replayed);
  const again = await openChecked(replayed);
  expect([isFromSnapshot(again), again.state.voids.size]).toEqual([true, 2]);
}, 60_000);

test('[B03] drafts are in a snapshot as long as all of them are drafts', async () => {
  const { ada, bob } = await pair();
  const main = domainNamed(ada, 'main');
  const increments = async (core: RoomCore): Promise<void> => {
    const schema = schemaPrefix(encodeDeclaration(testDeclaration));
    const insert = insertOf(core, 'cards', { text: 'counted' });
    const op: Op = { kind: 'increment', collection: 'cards', id: insert.id, field: 'votes', by: 5 };
    for (const ops of [[insert], [op], [op]])
      await write(core, main, { payload: encodePayload({ schema, ops }), isCleared: false });
  };
  await increments(ada);
  await snap(ada);
  await increments(ada);
  const opened = await openChecked(ada);
  expect([isFromSnapshot(opened), draftCount(opened)]).toEqual([true, 6]);
  await act(opened, (step) => signDrafts(opened, step));
  const signed = await openChecked(opened);
  expect([isFromSnapshot(signed), draftCount(signed)]).toEqual([false, 0]); // counters would count twice
  await copyAll(signed, bob);
  expect(bob.held).toEqual([]);
});

test('[B03] where there is a fork, or something waits on the disk, no snapshot is made and none is used', async () => {
  const { ada, bob } = await pair();
  const main = domainNamed(bob, 'main');
  const rival = await forgeData(bob, main, { entries: [{ payload: card(bob, 'rival'), ms: Date.now() }], head: null });
  await take(ada, [rival]);
  expect(ada.state.forks.size).toBe(1);
  expect(await snap(ada)).toBe(false);
  const opened = await openChecked(ada);
  expect([isFromSnapshot(opened), opened.state.forks.size]).toEqual([false, 1]);
});

/** So many that a snapshot has the ids of only some of them. */
const many = 150;

/** Asks a device, which has nothing: so what waits waits for nothing that is on its way. */
async function askInVain(core: RoomCore, source: RoomCore): Promise<void> {
  const { netLink } = linkTo(core, [peerOf(source)]);
  const nothing = (): void => undefined;
  const roster = { ...createRoster(core), reach: () => ({ netLink, peer: peerOf(source) }) };
  roster.links.set('memory', netLink);
  const asking = createAsking(core, {
    ...{ roster, isCold: false, isStopped: () => false, after: () => nothing },
    beacons: createBeacons(core, { roster, after: () => nothing, isCold: false }),
    ...{ admitted: nothing, synced: nothing, ended: nothing, changed: nothing },
  });
  asking.fetchFrom(source.keys.deviceId);
  const transfer = asking.pull.source()?.transfer ?? -1;
  asking.pull.handle({ is: 'done', transfer, complete: true, useful: true });
  asking.pull.stop();
  await core.loop.idle();
}

test('[B03] what a snapshot has no ids of is fetched from its packs before it is asked for', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  await writeCards(ada, many);
  await snap(ada);
  const main = domainNamed(ada, 'main');
  const old = idAt(chainOf(ada, ada), 3) ?? new Uint8Array(32);
  // Bob has seen only the beginning, and what he writes names an entry of then.
  const early = (await unitsOf(ada)).filter(
    ({ entries }) => (entries.at(-1)?.seq ?? 0) <= 3 || toHex(entries[0]?.domainId ?? old) !== main,
  );
  await take(bob, early);
  const late = await forgeData(bob, main, { entries: [{ payload: card(bob, 'late'), ms: Date.now(), deps: [old] }] });
  const opened = await openChecked(ada);
  expect(chainOf(opened, ada)?.loaded.from).toBeGreaterThan(50);
  // It may be on its way: nothing is read for it while somebody sends.
  await take(opened, [late]);
  expect(opened.held.map(({ code }) => code)).toEqual(['entry/missing-dep']);
  expect(chainOf(opened, ada)?.loaded.from).toBeGreaterThan(50);
  await askInVain(opened, bob);
  expect(chainOf(opened, ada)?.loaded).toEqual(chainOf(ada, ada)?.loaded);
  expect([opened.held, countOf(chainOf(opened, bob))]).toEqual([[], 1]);
  await openChecked(opened);
  // In the tail of a disk it is the same.
  const again = await openAgain(opened);
  expect([isFromSnapshot(again), again.held, countOf(chainOf(again, bob))]).toEqual([true, [], 1]);
}, 60_000);

test('[B03] an entry for a place that a snapshot has no id of is a fork as ever, and a known one is known', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  await copyAll(ada, bob);
  await writeCards(bob, many);
  await copyAll(bob, ada);
  await snap(ada);
  const main = domainNamed(ada, 'main');
  const mine = (await unitsOf(ada)).filter(
    ({ domainId, author }) => toHex(domainId) === main && toHex(author) === bob.device,
  );
  const opened = await openChecked(ada);
  expect(isFromSnapshot(opened)).toBe(true);
  expect(await take(opened, mine.slice(2, 4))).toBe(0);
  const head = { seq: 4, id: idAt(chainOf(bob, bob), 4) ?? new Uint8Array(32) };
  const rival = await forgeData(bob, main, { entries: [{ payload: card(bob, 'rival'), ms: Date.now() }], head });
  expect(await take(opened, [rival])).toBe(1);
  expect([countOf(chainOf(opened, bob)), opened.state.forks.size]).toEqual([5, 1]);
}, 60_000);

test('[B03] a covered pack that turns out damaged ends its chain there: the room is replayed, and the rest is asked for', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  await writeCards(ada, many);
  await copyAll(ada, bob);
  await snap(ada);
  const main = domainNamed(ada, 'main');
  const opened = await openAgain(ada);
  const key = [ada.room, main, ada.device, 20];
  await ada.ports.store.commit([{ do: 'put', table: 'packs', key, value: new Uint8Array(300) }]);
  const rival = await forgeData(ada, main, {
    entries: [{ payload: card(ada, 'x'), ms: Date.now() }],
    head: { seq: 3, id: new Uint8Array(32) },
  });
  await expect(take(opened, [rival])).rejects.toThrow('does not fit');
  expect([opened.snapshot?.isBad, opened.state.isStale]).toEqual([true, true]);
  // Where the start itself needs what the damaged pack holds, it replays.
  const old = idAt(chainOf(ada, ada), 3) ?? zeros32;
  const entries = [{ payload: card(bob, 'late'), ms: Date.now(), deps: [old] }];
  await take(ada, [await forgeData(bob, main, { entries })]);
  const replayed = await openAgain(ada);
  expect([isFromSnapshot(replayed), countOf(chainOf(replayed, ada))]).toEqual([false, 20]);
  await loadRoom(opened); // as after any step that fails
  expect([isFromSnapshot(opened), countOf(chainOf(opened, opened))]).toEqual([false, 20]);
  await take(
    opened,
    (await unitsOf(bob)).filter(({ fromSeq }) => fromSeq >= 20),
  );
  expect(countOf(chainOf(opened, opened))).toBe(many);
  expect(opened.faults.get('store/corrupt')).toBe(1);
}, 60_000);

/** One thing that somebody does; `n` chooses what with. */
type Deed = (scene: { ada: RoomCore; others: readonly RoomCore[]; n: number; known: Op[] }) => Promise<void>;

const opsOf = (ops: readonly Op[]): Bytes =>
  encodePayload({ schema: schemaPrefix(encodeDeclaration(testDeclaration)), ops });

const deeds: Readonly<Record<string, Deed>> = {
  insert: async ({ ada, known }) => {
    const op = insertOf(ada, 'cards', { text: `card ${String(known.length)}` });
    known.push(op);
    await write(ada, domainNamed(ada, 'main'), { payload: opsOf([op]) });
  },
  change: async ({ ada, others, n, known }) => {
    const target = known[n % known.length];
    if (target === undefined || target.kind !== 'insert') return;
    const at = { collection: 'cards', id: target.id } as const;
    const ops: Op[] = [
      { kind: 'update', ...at, fields: { text: `changed ${String(n)}` } },
      { kind: 'increment', ...at, field: 'votes', by: n - 50 || 1 },
      { kind: 'delete', ...at },
    ];
    const author = [ada, others[0] ?? ada][n % 2] ?? ada;
    await write(author, domainNamed(author, 'main'), { payload: opsOf(ops.slice(n % 3, (n % 3) + 2)) });
  },
  draft: async ({ ada, n }) => {
    await write(ada, domainNamed(ada, 'main'), { payload: card(ada, `draft ${String(n)}`), isCleared: false });
  },
  sign: async ({ ada }) => {
    await act(ada, (step) => signDrafts(ada, step));
  },
  // A guest may write nowhere but in the chat: what it signs for another domain has no effect.
  forbidden: async ({ ada, others, n }) => {
    const guest = others[1];
    if (guest === undefined) return;
    await writeCards(guest, 1, 'chat');
    const entries = [
      {
        payload: opsOf([{ kind: 'update', collection: 'cards', id: new Uint8Array(28), fields: {} }]),
        ms: Date.now() + n,
      },
    ];
    const unit = await forgeData(guest, domainNamed(guest, 'chat'), { entries });
    await take(ada, [unit]);
    await take(guest, [unit]);
  },
  schema: async ({ ada }) => {
    if (![...ada.state.declarations.values()].some(({ declaration }) => 'notes' in declaration.collections))
      await publish(ada, nextDeclaration);
  },
  meet: async ({ ada, others }) => {
    for (const other of others) {
      await take(other, await unitsOf(ada));
      await take(ada, await unitsOf(other));
    }
  },
  fork: async ({ ada, others, n }) => {
    const liar = others[1];
    if (liar === undefined || n % 2 > 0) return;
    const chat = domainNamed(liar, 'chat');
    const payload = payloadOf(insertOf(liar, 'chat', { body: `rival ${String(n)}` }));
    const rival = await forgeData(liar, chat, { entries: [{ payload, ms: Date.now() }], head: null });
    await take(ada, [rival]);
  },
};

test('[B03] after any history, and a snapshot anywhere in it, the room is what a replay gives', async () => {
  const names = [
    'insert',
    'change',
    'change',
    'draft',
    'sign',
    'forbidden',
    'schema',
    'meet',
    'fork',
    'snap',
    'snap',
    'open',
  ];
  let [fromSnapshot, forks, voids] = [0, 0, 0];
  for (let run = 0; run < 6; run++) {
    const chance = fc.sample(fc.tuple(fc.nat(names.length - 1), fc.nat(99)), { numRuns: 30, seed: 7 + run });
    let ada = await foundCore();
    const bob = await memberCore(ada);
    const guest = await memberCore(ada, { rank: 40, perms: 3 });
    await copyAll(ada, bob);
    const others = [bob, guest];
    const known: Op[] = [];
    for (const [at, n] of chance) {
      const name = names[at] ?? 'insert';
      if (name === 'snap') await snap(ada);
      else if (name === 'open') ada = await openChecked(ada);
      else await deeds[name]?.({ ada, others, n, known });
      if (name === 'sign' || name === 'fork') await loadRoom(ada);
    }
    const opened = await openChecked(ada);
    if (isFromSnapshot(opened)) fromSnapshot++;
    forks += opened.state.forks.size;
    voids += opened.state.voids.size;
  }
  expect([fromSnapshot > 1, forks > 0, voids > 0]).toEqual([true, true, true]);
}, 120_000);

test('[B03] what peers say of places that a snapshot has no ids of is answered as ever', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  await writeCards(ada, many);
  await snap(ada);
  const main = domainNamed(ada, 'main');
  const isEarly = ({ domainId, entries }: Unit): boolean => toHex(domainId) !== main || (entries[0]?.seq ?? 0) < 5;
  await take(bob, (await unitsOf(ada)).filter(isEarly));
  const nothing = (): void => undefined;
  // The probe: bob holds less, and nothing that ada does not.
  const probed = await openAgain(ada);
  const clearance = createClearance(probed, { start: 'again', changed: nothing });
  const { heads } = resumeFor(bob, { device: ada.keys.deviceId, session: ada.boot });
  expect(heads.some(({ domainId, seq }) => toHex(domainId) === main && seq === 4)).toBe(true);
  expect(await clearance.answered(bob.keys.deviceId, heads)).toBe('clear');
  expect(chainOf(probed, ada)?.loaded.from).toBeLessThan(5);
  // An acknowledgement of an old entry, and a live frame that says one again.
  const acked = await openAgain(ada);
  const [domainId, author] = [fromHex(main) ?? zeros32, ada.keys.deviceId];
  const headId = idAt(chainOf(ada, ada), 7) ?? zeros32;
  await act(acked, (step) => takeAck(acked, step, { heads: [{ domainId, author, seq: 7, headId }], transfers: [] }));
  expect(acked.delivered.get(main)).toBe(8);
  const heard = await openAgain(ada);
  const unit = (await unitsOf(ada)).find((one) => toHex(one.domainId) === main && one.fromSeq === 9);
  if (unit === undefined) throw new TypeError('no unit');
  const message = encodeLive({ ...unit, count: 1, body: unitColumns(unit) });
  expect(await unitOfLive(heard, message, author)).toMatchObject({ ok: true, value: { fromSeq: 9 } });
  // A request of who is behind on another branch: the whole chain is offered, because its head is none of ours.
  const serving = await openAgain(ada);
  const { netLink, clear } = linkTo(serving, [peerOf(bob)]);
  const summary = { root: zeros32, count: 0, window: { after: null, upTo: null } };
  const branch = { author: author.slice(0, 16), count: 5, head: new Uint8Array(8) };
  const req: SyncReq = {
    ...{
      reqId: new Uint8Array(16),
      attempt: 0,
      want: 1,
      prefer: null,
      exclude: [],
      controlOnly: false,
      transfer: 0x1_0000,
    },
    domains: [
      { ...summary, domainId: zeros32, entries: [] },
      { ...summary, domainId, entries: [branch] },
    ],
    held: [],
  };
  const windowMoved = (): Promise<boolean> => Promise.resolve(true);
  await serve(serving, { req, peer: peerOf(bob), netLink, transfer: 0x1_0000, floors: [], windowMoved }).done;
  expect(chainOf(serving, ada)?.loaded.from).toBeLessThan(5);
  expect(clear.length).toBeGreaterThan(0);
}, 60_000);
