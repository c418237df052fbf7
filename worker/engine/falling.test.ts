import { expect, test } from 'vitest';
import { toHex, type Bytes } from '../../src/core/base/index.js';
import type { ControlPayload } from '../../src/core/access/index.js';
import { profileRecordId } from '../../src/core/identity/index.js';
import {
  domainNamed,
  forgeData,
  insertOf,
  nextDeclaration,
  payloadOf,
  publish,
  take,
  textsOf,
  write,
} from './content.kit.js';
import {
  act,
  copyAll,
  forgeControl,
  foundCore,
  grantFor,
  memberCore,
  signedUnit,
  strangerCore,
  unitsOf,
} from './core.kit.js';
import { writeControl } from './room/author.js';
import type { RoomCore } from './room/core.js';
import { mendEpochs } from './room/epochs.js';
import { ingestUnit } from './room/ingest.js';
import { loadRoom } from './room/load.js';
import { createRoomEngine } from './room/room.js';
import { draftCount, keepDrafts } from './room/drafts/queue.js';
import { signDrafts } from './room/drafts/sign.js';
import type { Unit } from './replica/index.js';

const zeros32 = new Uint8Array(32);

const card = (core: RoomCore, text: string): Bytes => payloadOf(insertOf(core, 'cards', { text }));
const note = (core: RoomCore, text: string): Bytes => payloadOf(insertOf(core, 'notes', { text }), nextDeclaration);

function ownCount(core: RoomCore): number {
  return core.state.domains.get(domainNamed(core, 'main'))?.chainsByAuthor.get(core.device)?.loaded.ids.length ?? 0;
}

async function rowsOf(core: RoomCore): Promise<string[]> {
  const main = domainNamed(core, 'main');
  const mine = (await unitsOf(core)).filter(
    ({ domainId, author }) => toHex(domainId) === main && toHex(author) === core.device,
  );
  return mine.flatMap(({ entries }) => entries.map(({ id }) => toHex(id)));
}

/** An admin of which one more entry at the place before its publication takes that away from everybody (F6). */
async function roomWithDoomedSchema(): Promise<{ ada: RoomCore; bob: RoomCore; sibling: Unit }> {
  const ada = await foundCore();
  const max = await memberCore(ada, { rank: 10, perms: 127 });
  const bob = await memberCore(ada);
  for (const core of [max, bob]) await copyAll(ada, core);
  const fields = { name: 'Max', color: null };
  const op = { kind: 'insert', collection: '$profiles', id: profileRecordId(max.keys.deviceId), fields } as const;
  const entries = [{ payload: payloadOf(op, null), ms: Date.now() + 500 }];
  const sibling = await forgeData(max, domainNamed(max, 'meta'), { entries });
  await publish(max, nextDeclaration);
  for (const core of [ada, bob]) await copyAll(max, core);
  return { ada, bob, sibling };
}

test('[AUTH-7] what an admin opened to the room keeps its meaning when the link it came in by turns out revoked', async () => {
  const ada = await foundCore();
  const eva = await memberCore(ada, { rank: 5, perms: 127 });
  const bob = await memberCore(ada);
  await copyAll(ada, eva);
  const rest = { scope: zeros32, write: null, approval: false, anyAdmitter: true, admitters: [] };
  const [invitePub, expiryMs] = [ada.keys.deviceId, Date.now() + 600_000];
  const invite: ControlPayload = { kind: 'invite', invitePub, rank: 10, perms: 127, maxUses: 5, expiryMs, ...rest };
  const target = (await act(ada, (step) => writeControl(ada, step, invite))).entries[0]?.id ?? zeros32;
  for (const core of [eva, bob]) await copyAll(ada, core);
  const revocation: ControlPayload = { kind: 'revoke', targetKind: 3, target, cascade: false };
  const revoke = await act(ada, (step) => writeControl(ada, step, revocation));
  const max = await strangerCore(eva);
  const via = { invite: target, use: 0, requestId: new Uint8Array(16) };
  const grant = { ...(await grantFor(eva, max, { rank: 10, perms: 127 })), via };
  await act(eva, (step) => writeControl(eva, step, grant));
  await copyAll(eva, max);
  await publish(max, nextDeclaration);
  for (const core of [eva, bob]) await copyAll(max, core);
  await write(bob, domainNamed(bob, 'main'), { payload: note(bob, 'note') });
  await copyAll(bob, eva);
  for (const core of [bob, eva]) {
    await take(core, [revoke]);
    expect(core.state.access.devices.has(max.device)).toBe(false);
    expect([textsOf(core, 'notes'), core.held]).toEqual([['note'], []]);
  }
  await copyAll(bob, ada); // who knew of the revocation first
  expect([textsOf(ada, 'notes'), ada.held]).toEqual([['note'], []]);
}, 60_000);

test('[X3] a name that an admin gave whose link turns out revoked waits for its domain, whatever came first', async () => {
  const ada = await foundCore();
  const eva = await memberCore(ada, { rank: 5, perms: 127 });
  const [bob, cai] = [await memberCore(ada), await memberCore(ada)];
  await copyAll(ada, eva);
  const rest = { scope: zeros32, write: null, approval: false, anyAdmitter: true, admitters: [] };
  const [invitePub, expiryMs] = [ada.keys.deviceId, Date.now() + 600_000];
  const invite = { kind: 'invite', invitePub, rank: 10, perms: 127, maxUses: 5, expiryMs, ...rest } as const;
  const target = (await act(ada, (step) => writeControl(ada, step, invite))).entries[0]?.id ?? zeros32;
  for (const core of [eva, bob, cai]) await copyAll(ada, core);
  const revoke = { kind: 'revoke', targetKind: 3, target, cascade: false } as const;
  const revoked = await act(ada, (step) => writeControl(ada, step, revoke));
  const max = await strangerCore(eva);
  const via = { invite: target, use: 0, requestId: new Uint8Array(16) };
  const grant = { ...(await grantFor(eva, max, { rank: 10, perms: 127 })), via };
  await act(eva, (step) => writeControl(eva, step, grant));
  await copyAll(eva, max);
  for (const core of [bob, cai]) {
    await copyAll(eva, core);
    await take(core, [revoked]);
  }
  const made = { kind: 'domain', scope: zeros32, isMeta: false, nonce: new Uint8Array(16) } as const;
  const domain = await forgeControl(max, made);
  const id = toHex(domain.entries[0]?.id ?? zeros32);
  const payload = payloadOf(insertOf(max, '$domains', { name: 'notes', domain: id }), null);
  const name = await forgeData(max, domainNamed(max, 'meta'), { entries: [{ ms: Date.now() + 5, payload }] });
  await take(bob, [domain, name]);
  await take(cai, [name, domain]);
  expect([bob, cai].map((core) => [core.state.domainNames.get(id), core.held.length])).toEqual([
    ['notes', 0],
    ['notes', 0],
  ]);
}, 60_000);

test('[F10] where own entries wait nothing is signed: what is written stays a draft until they stand again', async () => {
  const { ada, bob, sibling } = await roomWithDoomedSchema();
  const main = domainNamed(bob, 'main');
  await write(bob, main, { payload: card(bob, 'one') });
  await write(bob, main, { payload: note(bob, 'two') });
  await write(bob, main, { payload: card(bob, 'three') });
  const signed = await rowsOf(bob);
  await take(bob, [sibling]);
  await loadRoom(bob);
  expect([ownCount(bob), bob.held.length]).toEqual([1, 2]);
  await write(bob, main, { payload: card(bob, 'four') });
  await act(bob, (step) => signDrafts(bob, step));
  expect([draftCount(bob), await rowsOf(bob)]).toEqual([1, signed]);
  expect(textsOf(bob, 'cards')).toEqual(['four', 'one']);
  await take(ada, [sibling]);
  await publish(ada, nextDeclaration);
  await take(bob, await unitsOf(ada));
  expect([ownCount(bob), bob.held]).toEqual([3, []]);
  await act(bob, (step) => signDrafts(bob, step));
  await copyAll(bob, ada);
  for (const core of [ada, bob]) {
    expect([textsOf(core, 'cards'), textsOf(core, 'notes')]).toEqual([['four', 'one', 'three'], ['two']]);
    expect(core.state.forks.has(`${main}/${bob.device}`)).toBe(false);
  }
  expect([bob.blocked, (await rowsOf(bob)).length]).toEqual([null, 4]);
}, 60_000);

test('[F10] a draft whose schema is gone waits and holds back its domain alone', async () => {
  const { ada, bob, sibling } = await roomWithDoomedSchema();
  const main = domainNamed(bob, 'main');
  await write(bob, main, { payload: note(bob, 'draft'), isCleared: false });
  await write(bob, main, { payload: card(bob, 'behind'), isCleared: false });
  const op = insertOf(bob, 'chat', { body: 'said' });
  await write(bob, domainNamed(bob, 'chat'), { payload: payloadOf(op), isCleared: false });
  await take(bob, [sibling]);
  const signed = await act(bob, (step) => signDrafts(bob, step));
  expect([signed.units.length, signed.dropped, draftCount(bob)]).toEqual([1, [], 2]);
  await take(ada, [sibling]);
  await publish(ada, nextDeclaration);
  await take(bob, await unitsOf(ada));
  expect((await act(bob, (step) => signDrafts(bob, step))).units).toHaveLength(1);
  expect([draftCount(bob), await bob.ports.store.list('drafts', [bob.room])]).toEqual([0, []]);
}, 60_000);

test('[F10] what waited as a draft is signed as soon as it can be, without another write', async () => {
  const { ada, bob, sibling } = await roomWithDoomedSchema();
  await write(bob, domainNamed(bob, 'main'), { payload: note(bob, 'draft'), isCleared: false });
  await take(bob, [sibling]);
  await take(ada, [sibling]);
  await publish(ada, nextDeclaration);
  const failures: unknown[] = [];
  const nothing = (): void => undefined;
  const engine = createRoomEngine(
    bob,
    {
      storeFailed: (failure) => failures.push(failure),
      committed: nothing,
      summarize: nothing,
      codes: () => new Map(),
    },
    { start: 'new', isCold: false },
  );
  await engine.whenSigning();
  await engine.act((step) => (step.infoChanged = true));
  await bob.loop.idle();
  expect([draftCount(bob), ownCount(bob)]).toEqual([1, 0]);
  for (const unit of await unitsOf(ada)) await engine.act((step) => ingestUnit(bob, step, { unit, bytes: 500 }));
  await bob.loop.idle();
  expect([draftCount(bob), ownCount(bob), failures]).toEqual([0, 1, []]);
  await engine.stop();
}, 60_000);

test('[F10] a draft that can have no effect any more is told to its author and goes; the others are signed', async () => {
  const ada = await foundCore();
  const eva = await memberCore(ada, { rank: 5, perms: 127 });
  const bob = await memberCore(eva, { rank: 40, perms: 3 });
  await copyAll(bob, ada);
  await write(bob, domainNamed(bob, 'main'), { payload: card(bob, 'lost'), isCleared: false });
  const fields = { name: 'Bob', color: null };
  const op = { kind: 'insert', collection: '$profiles', id: profileRecordId(bob.keys.deviceId), fields } as const;
  await write(bob, domainNamed(bob, 'meta'), { payload: payloadOf(op, null), isCleared: false });
  const grant = await grantFor(ada, bob, { rank: 30, perms: 1 });
  await act(ada, (step) => writeControl(ada, step, grant));
  await act(ada, (step) => mendEpochs(ada, step));
  await copyAll(ada, bob);
  const signed = await act(bob, (step) => signDrafts(bob, step));
  expect(signed.units).toHaveLength(1);
  expect(signed.dropped.map(({ fault, payload }) => [fault.code, payload.length])).toEqual([
    ['entry/scope', card(bob, 'lost').length],
  ]);
  expect(signed.mustReload).toBe(true);
  await loadRoom(bob);
  expect([textsOf(bob, 'cards'), await bob.ports.store.list('drafts', [bob.room])]).toEqual([[], []]);
}, 60_000);

test('[F6] a branch that begins inside a pack of which a part waits ends the chain alike, in whatever order it comes', async () => {
  const ada = await foundCore();
  const [eve, bob] = [await memberCore(ada), await memberCore(ada)];
  const main = domainNamed(ada, 'main');
  const unknown = new Uint8Array(32).fill(7);
  const ms = Date.now();
  const long = await forgeData(eve, main, {
    entries: [0, 1, 2, 3, 4, 5].map((n) => ({
      payload: card(eve, `a${String(n)}`),
      ms: ms + n,
      deps: n === 3 ? [unknown] : [],
    })),
  });
  const head = long.entries[2] ?? null;
  const short = await forgeData(eve, main, { entries: [{ payload: card(eve, 'b3'), ms: ms + 50 }], head });
  await take(ada, [long, short]);
  await take(bob, [await signedUnit(eve, long.entries.slice(0, 3)), short, long]);
  for (const core of [ada, bob]) {
    for (let i = 0; i < 2; i++) {
      expect(textsOf(core, 'cards')).toEqual(['a0', 'a1', 'a2']);
      expect([...core.state.forks.values()].map(({ end }) => end)).toEqual([3]);
      await loadRoom(core);
    }
  }
}, 60_000);

test('[F6] of a chain that is forked ever earlier one proof is kept, and what others built on', async () => {
  const ada = await foundCore();
  const [eve, bob] = [await memberCore(ada), await memberCore(ada)];
  await copyAll(ada, eve);
  const main = domainNamed(ada, 'main');
  const ms = Date.now() - 100_000;
  const chain = await forgeData(eve, main, {
    entries: Array.from({ length: 40 }, (_, n) => ({ payload: card(eve, `e${String(n)}`), ms: ms + n })),
  });
  await take(ada, [chain]);
  const siblings: Unit[] = [];
  for (let n = 39; n > 0; n--) {
    const entries = [{ payload: card(eve, 'f'), ms: ms + 1000 + n }];
    siblings.push(await forgeData(eve, main, { entries, head: chain.entries[n - 1] ?? null }));
  }
  const cited = siblings[10]?.entries[0]?.id ?? zeros32;
  await take(ada, siblings.slice(0, 11));
  const reply = [{ payload: card(bob, 'reply'), ms: ms + 5000, deps: [cited] }];
  await take(ada, [await forgeData(bob, main, { entries: reply })]);
  // While it is being settled what comes is not settled one by one.
  const [once] = await act(ada, async (step) => {
    const all = [];
    for (const unit of siblings.slice(11)) all.push(await ingestUnit(ada, step, { unit, bytes: 500 }));
    return all;
  });
  expect(once?.mustReload).toBe(true);
  await loadRoom(ada);
  const rows = await ada.ports.store.list('state', [ada.room, 'fork']);
  expect(rows.map(({ key }) => key[4]).sort((a, b) => Number(a) - Number(b))).toEqual([1, 29]);
  expect(textsOf(ada, 'cards')).toEqual(['e0', 'reply']);
  expect(ada.state.forks.get(`${main}/${eve.device}`)?.end).toBe(1);
}, 60_000);

test('[F6] reading the room anew takes at most half of the time, however often others give cause for it', async () => {
  const ada = await foundCore();
  const { time, store } = ada.ports;
  const seen = { reads: 0, waits: [] as number[] };
  const ports: RoomCore['ports'] = {
    ...ada.ports,
    time: {
      now: () => time.now() + 1000 * seen.reads,
      after: (ms, run) => {
        seen.waits.push(ms);
        return time.after(ms > 900 ? 60_000 : ms, run);
      },
    },
    store: {
      ...store,
      list: (table, prefix) => {
        if (table === 'packs' && prefix.length === 1) seen.reads++;
        return store.list(table, prefix);
      },
    },
  };
  const core: RoomCore = { ...ada, ports };
  const nothing = (): void => undefined;
  const engine = createRoomEngine(
    core,
    { storeFailed: nothing, committed: nothing, summarize: nothing, codes: () => new Map() },
    { start: 'new', isCold: false },
  );
  await engine.whenSigning();
  const domainHex = domainNamed(core, 'main');
  const drafts = [{ hlc: core.lastHlc, payload: payloadOf(insertOf(core, 'none', {})) }];
  seen.waits = [];
  for (let n = 0; n < 5; n++) {
    await engine.act((step) => keepDrafts(core, step, { domain: domainHex, drafts }));
    await core.loop.idle();
  }
  expect([draftCount(core), seen.reads]).toEqual([0, 1]);
  expect(seen.waits.filter((ms) => ms > 900)).toHaveLength(1);
  await engine.stop();
}, 60_000);
