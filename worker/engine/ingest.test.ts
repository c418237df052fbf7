import { expect, test } from 'vitest';
import { toHex, type Bytes } from '../../src/core/base/index.js';
import type { ControlPayload } from '../../src/core/access/index.js';
import { entryKinds, maxDataDeps, maxDeps } from '../../src/core/entry/index.js';
import { bindMessage } from '../../src/core/identity/index.js';
import { encodePayload } from '../../src/core/op/index.js';
import { metaPrefix } from '../../src/core/schema/index.js';
import { domainOf, type Unit } from './replica/index.js';
import { signData, tick, writeControl } from './room/author.js';
import type { RoomCore } from './room/core.js';
import { takeAck } from './room/net/acks.js';
import {
  act,
  copyAll,
  foundCore,
  forgeControl,
  give,
  grantFor,
  memberCore,
  strangerCore,
  unitsOf,
} from './core.kit.js';

const zeros32 = new Uint8Array(32);

async function codeOf(core: RoomCore, unit: Unit): Promise<string | undefined> {
  return (await give(core, [unit]))[0]?.fault?.code;
}

test('[F11] a grant without its subject’s own signature over its key never comes in, whoever signed the entry', async () => {
  const ada = await foundCore();
  const [bob, eve] = [await memberCore(ada), await strangerCore(ada)];
  const good = await grantFor(ada, eve, { rank: 30, perms: 1 });
  const low = zeros32;
  const { keys, ports, roomId } = eve;
  const bindOf = (context: Bytes, x25519: Bytes): Promise<Bytes> =>
    ports.vault.sign(keys, bindMessage(context, x25519));
  const bad: [string, Partial<typeof good>][] = [
    ['control/bad-bind', { bind: new Uint8Array(64) }],
    ['control/bad-bind', { x25519: bob.keys.x25519 }],
    ['control/bad-bind', { subject: bob.keys.deviceId }],
    ['control/bad-bind', { bind: await bindOf(zeros32, good.x25519) }],
    ['control/bad-bind', { bind: await ada.ports.vault.sign(ada.keys, bindMessage(roomId, good.x25519)) }],
    ['control/bad-key', { x25519: low, bind: await bindOf(roomId, low) }],
  ];
  for (const [code, change] of bad) {
    const unit = await forgeControl(ada, { ...good, ...change });
    expect(await codeOf(bob, unit)).toBe(code);
    expect(bob.state.access.devices.has(eve.device)).toBe(false);
  }
  expect(await codeOf(bob, await forgeControl(ada, good))).toBeUndefined();
  expect(bob.state.access.devices.has(eve.device)).toBe(true);
}, 60_000);

test('[F11] nobody comes in by an invite whose revocation the granter had seen, on the way through the engine too', async () => {
  const ada = await foundCore();
  const [bob, eve] = [await memberCore(ada, { rank: 10, perms: 127 }), await strangerCore(ada)];
  const invite: ControlPayload = {
    kind: 'invite',
    invitePub: ada.keys.deviceId,
    rank: 30,
    perms: 1,
    scope: zeros32,
    write: null,
    maxUses: 2,
    expiryMs: Date.now() + 60_000,
    approval: false,
    anyAdmitter: true,
    admitters: [],
  };
  const made = await act(ada, (step) => writeControl(ada, step, invite));
  await copyAll(ada, bob);
  const target = made.entries[0]?.id ?? zeros32;
  const via = { invite: target, use: 0, requestId: new Uint8Array(16) };
  const grant = { ...(await grantFor(bob, eve, { rank: 30, perms: 1 })), via };
  await act(ada, (step) => writeControl(ada, step, { kind: 'revoke', targetKind: 3, target, cascade: false }));
  const revoke = (await unitsOf(ada)).find(({ entries }) => entries[0]?.kind === entryKinds.revoke);
  const unseen = await forgeControl(bob, grant);
  await copyAll(ada, bob);
  const seen = await forgeControl(bob, grant);
  expect(revoke).toBeDefined();
  expect(await codeOf(ada, seen)).toBe('control/bad-invite');
  expect(await codeOf(ada, unseen)).toBeUndefined();
  expect(ada.state.access.devices.has(eve.device)).toBe(false);
  expect([...ada.state.access.voids.values()]).toEqual(['control/invite-revoked']);
}, 60_000);

test('[F24] made-up authors crowd out nobody: what waits has bounds by author, and for all strangers together', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  const future = (unit: Unit, by: number): Unit => ({
    ...unit,
    fromSeq: unit.fromSeq + 5 + by,
    entries: unit.entries.map((entry) => ({ ...entry, seq: entry.seq + 5 + by, id: idOf(by) })),
  });
  const idOf = (n: number): Bytes =>
    Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? n >> 8 : i === 1 ? n & 255 : 7));
  const mine = await forgeControl(bob, { kind: 'fold' });
  await give(ada, [future(mine, 0)]);
  const made = await forgeControl(await strangerCore(ada), { kind: 'fold' });
  for (let n = 1; n <= 400; n++) {
    const author = idOf(1000 + n);
    const unit = future(made, n);
    const news = await give(ada, [{ ...unit, author, entries: unit.entries.map((entry) => ({ ...entry, author })) }]);
    expect(news[0]?.isNews).toBe(n <= 256);
  }
  expect(ada.held.filter(({ unit }) => toHex(unit.author) === bob.device)).toHaveLength(1);
  expect(ada.held).toHaveLength(257);
  expect(ada.heldLost).toBe(0);
  for (let n = 1; n <= 1100; n++) await give(ada, [future(mine, 2000 + n)]);
  expect(ada.held.filter(({ unit }) => toHex(unit.author) === bob.device)).toHaveLength(1024);
  expect(ada.held).toHaveLength(1024 + 256);
  expect(ada.heldLost).toBe(77);
}, 120_000);

test('[F13] a data entry names the newest heads of others, four at most; control names all, by folds where they do not fit', async () => {
  const ada = await foundCore();
  const metaHex = [...ada.state.access.domains].find(([, { isMeta }]) => isMeta)?.[0] ?? '';
  const meta = domainOf(ada.state, metaHex);
  const others: { readonly core: RoomCore; readonly cap: Bytes }[] = [];
  for (let n = 0; n < 36; n++) {
    const core = await strangerCore(ada);
    const grant = await grantFor(ada, core);
    const unit = await act(ada, (step) => writeControl(ada, step, grant));
    others.push({ core, cap: unit.entries[0]?.id ?? zeros32 });
    const authorId = core.keys.deviceId;
    const loaded = { from: 0, ids: [authorId], ms: [1000 + n], ctr: [0] };
    const chain = { authorId, loaded, packs: [], signed: null };
    meta?.chainsByAuthor.set(core.device, chain);
  }
  for (const { core, cap } of others) await give(ada, [await forgeControl(core, { kind: 'fold' }, { deps: [], cap })]);
  const newest = [...(meta?.chainsByAuthor.values() ?? [])]
    .slice(-maxDataDeps)
    .map(({ loaded }) => toHex(loaded.ids[0] ?? zeros32));
  const payload = encodePayload({
    schema: metaPrefix(),
    ops: [{ kind: 'delete', collection: '$profiles', id: new Uint8Array(28) }],
  });
  const [unit] = await act(ada, () => signData(ada, { domainHex: metaHex, items: [{ hlc: tick(ada), payload }] }));
  expect(unit?.entries[0]?.deps.map(toHex)).toEqual(newest.sort());
  expect(unit?.entries[0]?.cap).toEqual(ada.roomId);
  const before = ada.state.control.chainsByAuthor.get(ada.device)?.loaded.ids.length ?? 0;
  const written = await act(ada, (step) => writeControl(ada, step, { kind: 'fold' }));
  const [last] = written.entries;
  expect(last?.seq).toBe(before + 1);
  const [fold] = ada.state.log.filter(({ entry }) => entry.seq === before && toHex(entry.author) === ada.device);
  expect([fold?.payload.kind, fold?.entry.deps.length]).toEqual(['fold', maxDeps]);
  expect(last?.deps.length).toBeLessThanOrEqual(maxDeps);
  const past = ada.state.recordsById.get(toHex(last?.id ?? zeros32))?.past;
  for (const [author, { loaded }] of ada.state.control.chainsByAuthor)
    expect(past?.get(author) ?? 0).toBe(author === ada.device ? before + 1 : loaded.ids.length);
}, 120_000);

test('[X8] an ACK that names several places of one chain counts for the furthest', async () => {
  const ada = await foundCore();
  const { control } = ada.state;
  const ids = control.chainsByAuthor.get(ada.device)?.loaded.ids ?? [];
  const head = (seq: number): { domainId: Bytes; author: Bytes; seq: number; headId: Bytes } => ({
    domainId: control.id,
    author: ada.keys.deviceId,
    seq,
    headId: ids[seq] ?? zeros32,
  });
  expect(ids.length).toBeGreaterThan(3);
  const made = { ...head(ids.length - 1), headId: zeros32 };
  await act(ada, (step) => takeAck(ada, step, { heads: [head(2), head(0), made], transfers: [] }));
  expect(ada.delivered.get(toHex(control.id))).toBe(3);
}, 60_000);
