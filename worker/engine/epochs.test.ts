import { expect, test } from 'vitest';
import { compareBytes, toHex, type Bytes } from '../../src/core/base/index.js';
import type { ControlPayload } from '../../src/core/access/index.js';
import { kidOf } from '../../src/core/crypto/index.js';
import { sealKey } from '../../src/core/epoch/index.js';
import { profileOp, writeMeta } from './create.js';
import { writeControl } from './room/author.js';
import { learnKey, sendEpoch, setKey, type RoomCore } from './room/core.js';
import { keysToGive, mendEpochs, mintDelay, mintEpoch } from './room/epochs.js';
import { kidFor } from './room/net/link.js';
import { createRoomEngine } from './room/room.js';
import {
  act,
  addLooseEpochs,
  copyAll,
  foundCore,
  forgeControl,
  give,
  grantFor,
  memberCore,
  peerOf,
  strangerCore,
} from './core.kit.js';

const zeros32 = new Uint8Array(32);
const kidOfSend = (core: RoomCore): string | null => {
  const epoch = sendEpoch(core);
  return epoch && toHex(epoch.kid);
};

/** Who can open what a hostile member makes, and who is named and cannot. */
interface Hostile {
  readonly good?: readonly RoomCore[];
  readonly junk?: readonly RoomCore[];
}

/** An epoch of `core` that is the next of the newest, opens for itself and the `good`, and leaves out who is not named. */
async function mintHostile(core: RoomCore, { good = [], junk = [] }: Hostile): Promise<Bytes> {
  const { roomId, ports } = core;
  const key = ports.random.bytes(32);
  const kid = kidOf(roomId, zeros32, key);
  const [newest] = [...core.state.access.epochs.values()].sort((a, b) => b.gen - a.gen);
  const once = await ports.vault.createDeviceKeys();
  const epk = once.x25519;
  const recipients = [core, ...junk].map(({ keys }) => ({ device: keys.deviceId, sealed: ports.random.bytes(48) }));
  for (const { keys } of good) {
    const { deviceId: device, x25519 } = keys;
    const shared = (await ports.vault.agree(once, x25519)) ?? zeros32;
    recipients.push({ device, sealed: sealKey(key, shared, { roomId, scope: zeros32, kid, epk, device, x25519 }) });
  }
  recipients.sort((a, b) => compareBytes(a.device, b.device));
  await act(core, async (step) => {
    learnKey(core, step, { kid, key });
    const parents = newest === undefined ? [] : [newest.kid];
    const links = parents.map(() => ports.random.bytes(48));
    const gen = 1 + (newest?.gen ?? 0);
    await writeControl(core, step, { kind: 'epoch', scope: zeros32, kid, gen, parents, links });
    await writeControl(core, step, { kind: 'wrap', kid, epk, recipients });
  });
  return kid;
}

/** Everybody tells everybody and does what is due, until nothing is; gives how many epochs were minted for it. */
async function mendAll(cores: readonly RoomCore[]): Promise<number> {
  const count = (): number => cores[0]?.state.access.epochs.size ?? 0;
  const before = count();
  for (let round = 0; round < 6; round++)
    for (const core of cores) {
      const written = await act(core, (step) => mendEpochs(core, step));
      if (written.length > 0) for (const other of cores) if (other !== core) await copyAll(core, other);
    }
  for (const core of cores) expect(mintDelay(core, [core.keys.deviceId])).toBeNull();
  return count() - before;
}

test('[EPO-2] one key opens everything before it, in whatever order the links have to be followed', async () => {
  const ada = await foundCore();
  for (let i = 0; i < 110; i++) await act(ada, (step) => mintEpoch(ada, step));
  expect(keysToGive(ada)).toHaveLength(1);
  const bob = await memberCore(ada);
  expect(bob.epochKeys.size).toBe(111);
  expect(new Set(bob.epochKeys.keys())).toEqual(new Set(ada.epochKeys.keys()));
}, 120_000);

test('[X9] a grant with more epochs than fit it gives the newest 64 that no link opens, the one in use first', async () => {
  const ada = await foundCore();
  await addLooseEpochs(ada, 70);
  const given = keysToGive(ada);
  expect(given).toHaveLength(64);
  expect(toHex(given[0]?.kid ?? zeros32)).toBe(kidOfSend(ada));
  const bob = await memberCore(ada);
  expect(kidOfSend(bob)).toBe(kidOfSend(ada));
  await act(ada, (step) => mintEpoch(ada, step));
  expect(kidOfSend(ada)).not.toBeNull();
}, 120_000);

test('[F5] junk wraps in a newer epoch cut nobody off: the victim mints one that continues it, and is given the key', async () => {
  const ada = await foundCore();
  const [bob, mallory] = [await memberCore(ada), await memberCore(ada)];
  await copyAll(ada, bob);
  const kid = await mintHostile(mallory, { junk: [ada, bob] });
  const honest = [ada, bob];
  for (const core of honest) await copyAll(mallory, core);
  expect(kidOfSend(mallory)).toBe(toHex(kid));
  for (const core of honest) expect(core.epochKeys.has(toHex(kid))).toBe(false);
  expect(mintDelay(bob, [bob.keys.deviceId])).toBe(0);
  await act(bob, (step) => mendEpochs(bob, step));
  expect(mintDelay(bob, [bob.keys.deviceId])).toBeNull();
  for (const core of [ada, mallory]) await copyAll(bob, core);
  expect([ada, bob, mallory].map(kidOfSend)).toEqual(Array(3).fill(kidOfSend(bob)));
  expect(kidOfSend(bob)).not.toBe(toHex(kid));
  // Whoever has the key gives it: what was written under it meanwhile is not lost.
  expect(mintDelay(ada, [ada.keys.deviceId])).toBeNull();
  await act(mallory, (step) => mendEpochs(mallory, step));
  await copyAll(mallory, bob);
  expect(bob.epochKeys.has(toHex(kid))).toBe(true);
  expect(await act(mallory, (step) => mendEpochs(mallory, step))).toEqual([]);
}, 60_000);

test('[F5] who is left out of an epoch is given its key by whoever holds it, whatever was made after it', async () => {
  const ada = await foundCore();
  const [bob, mallory] = [await memberCore(ada), await memberCore(ada)];
  const viewer = await memberCore(ada, { rank: 30, perms: 1 });
  const all = [ada, bob, mallory, viewer];
  for (const core of all) await copyAll(ada, core);
  const kid = await mintHostile(mallory, { good: [ada] });
  for (const core of all) await copyAll(mallory, core);
  expect(all.map((core) => core.epochKeys.has(toHex(kid)))).toEqual([true, false, true, false]);
  expect(mintDelay(ada, [ada.keys.deviceId])).toBe(0);
  expect(mintDelay(bob, [bob.keys.deviceId])).toBeNull();
  expect(await mendAll([ada, bob, viewer]), 'no epoch is made for it').toBe(0);
  for (const core of [bob, viewer]) expect(core.epochKeys.has(toHex(kid))).toBe(true);
  // A newer one for everybody hides that it is not a head any more.
  const second = await mintHostile(mallory, { good: [ada] });
  await mintHostile(mallory, { good: [ada, bob, viewer] });
  for (const core of all) await copyAll(mallory, core);
  expect(await mendAll([ada, bob, viewer])).toBe(0);
  for (const core of [bob, viewer]) expect(core.epochKeys.has(toHex(second))).toBe(true);
  expect(new Set(all.slice(0, 2).map(kidOfSend)).size).toBe(1);
}, 60_000);

test('[F5] whose wrap is junk asks for the key, also when a newer epoch is good; one answer opens it for all', async () => {
  const ada = await foundCore();
  const [bob, cay, mallory] = [await memberCore(ada), await memberCore(ada), await memberCore(ada)];
  const viewer = await memberCore(ada, { rank: 30, perms: 1 });
  const honest = [ada, bob, cay, viewer];
  for (const core of [...honest, mallory]) await copyAll(ada, core);
  const kid = await mintHostile(mallory, { good: [ada], junk: [bob, cay, viewer] });
  await mintHostile(mallory, { good: honest });
  for (const core of honest) await copyAll(mallory, core);
  expect(honest.map((core) => core.epochKeys.has(toHex(kid)))).toEqual([true, false, false, false]);
  expect(await mendAll(honest), 'one asks, one answers').toBe(2);
  expect(honest.map((core) => core.epochKeys.has(toHex(kid)))).toEqual([true, true, true, true]);
}, 60_000);

test('[F5] no minting war: each further epoch of mine in an hour waits twice as long, up to a quarter of an hour', async () => {
  const ada = await foundCore();
  const mallory = await memberCore(ada);
  const waits: (number | null)[] = [];
  for (let i = 0; i < 7; i++) {
    await mintHostile(mallory, { junk: [ada] });
    await copyAll(mallory, ada);
    waits.push(mintDelay(ada, [ada.keys.deviceId]));
    await act(ada, (step) => mendEpochs(ada, step));
    await copyAll(ada, mallory);
  }
  expect(waits).toEqual([0, 0, 0, 1000, 2000, 4000, 8000]);
}, 60_000);

test('[F5] grants that bring no key silence nobody: whom they leave out is given the key, ever more slowly', async () => {
  const ada = await foundCore();
  const mallory = await memberCore(ada);
  const kid = kidOfSend(ada);
  const { publicKey: invitePub } = await ada.ports.vault.signerOfSeed(ada.ports.random.bytes(32));
  const rest = { rank: 30, perms: 1, scope: zeros32, write: null, approval: false, anyAdmitter: true, admitters: [] };
  const expiryMs = Date.now() + 600_000;
  const invite = { kind: 'invite', invitePub, maxUses: 1000, expiryMs, ...rest } as const;
  const made = await act(mallory, (step) => writeControl(mallory, step, invite));
  await give(ada, [made]);
  const waits: (number | null)[] = [];
  for (let use = 0; use < 7; use++) {
    const guest = await strangerCore(ada);
    guest.epochKeys.clear();
    guest.joinKids = [];
    const via = { invite: made.entries[0]?.id ?? zeros32, use, requestId: mallory.ports.random.bytes(16) };
    const grant = { ...(await grantFor(mallory, guest, { rank: 30, perms: 1 })), via, wraps: [] };
    const unit = await act(mallory, (step) => writeControl(mallory, step, grant));
    expect((await give(ada, [unit]))[0]?.outcome).toBe('admitted');
    expect(kidOfSend(ada)).toBe(kid);
    waits.push(mintDelay(ada, [ada.keys.deviceId]));
    await give(mallory, await act(ada, (step) => mendEpochs(ada, step)));
    expect(ada.state.access.recipients.get(kid ?? '')?.has(guest.device)).toBe(true);
    expect(mintDelay(ada, [ada.keys.deviceId])).toBeNull();
  }
  expect(waits).toEqual([0, 0, 0, 1000, 2000, 4000, 8000]);
}, 60_000);

test('[F5] where nothing may be sent no pause before a new epoch is longer than a few seconds', async () => {
  const ada = await foundCore();
  for (let i = 0; i < 12; i++) await act(ada, (step) => mintEpoch(ada, step));
  const { access } = ada.state;
  ada.state.access = { ...access, recipients: new Map([...access.recipients].map(([kid]) => [kid, new Set(['eve'])])) };
  expect(kidOfSend(ada)).toBeNull();
  expect(mintDelay(ada, [ada.keys.deviceId])).toBe(8_000);
}, 60_000);

test('[F12] wraps for a stranger are refused at every member, and everybody goes on writing', async () => {
  const ada = await foundCore();
  const [mallory, viewer] = [await memberCore(ada), await memberCore(ada, { rank: 30, perms: 1 })];
  const eve = await strangerCore(ada);
  const kid = sendEpoch(ada)?.kid ?? zeros32;
  const to = (device: Bytes): ControlPayload => ({
    kind: 'wrap',
    kid,
    epk: eve.keys.x25519,
    recipients: [{ device, sealed: new Uint8Array(48) }],
  });
  await copyAll(ada, mallory);
  const codes = async (from: RoomCore, payload: ControlPayload): Promise<unknown> =>
    (await give(ada, [await forgeControl(from, payload)]))[0]?.fault?.code;
  expect(await codes(mallory, to(eve.keys.deviceId))).toBe('control/bad-wrap');
  expect(await codes(viewer, to(ada.keys.deviceId))).toBe('control/forbidden');
  const wraps = [{ kid: eve.roomId, epk: eve.keys.x25519, sealed: new Uint8Array(48) }];
  expect(await codes(ada, { ...(await grantFor(ada, eve)), wraps })).toBe('control/bad-wrap');
  expect(kidOfSend(ada)).toBe(toHex(kid));
}, 60_000);

test('[X5] two held keys of one tag: nothing is sent under either, no HELLO names them, and a new epoch is due', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  const before = kidOfSend(ada) ?? '';
  setKey(ada, before.slice(0, 16) + 'ab'.repeat(24), ada.ports.random.bytes(32));
  expect(kidOfSend(ada)).toBeNull();
  expect(kidFor(ada, peerOf(bob))).toBeNull();
  expect(mintDelay(ada, [ada.keys.deviceId])).toBe(0);
  await act(ada, (step) => mendEpochs(ada, step));
  await copyAll(ada, bob);
  expect(kidOfSend(ada)).not.toBe(before);
  expect(kidOfSend(bob)).toBe(kidOfSend(ada));
}, 60_000);

test('[F5] an epoch that cannot be written as things are is not minted, and fails no step', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  await mintHostile(bob, { junk: [ada] });
  await copyAll(bob, ada);
  const { access } = ada.state;
  ada.state.access = { ...access, limits: { ...access.limits, maxControl: 100 } };
  expect(mintDelay(ada, [ada.keys.deviceId])).toBe(0);
  expect(await act(ada, (step) => mendEpochs(ada, step))).toEqual([]);
  ada.state.access = access;
  expect(await act(ada, (step) => mendEpochs(ada, step))).toHaveLength(2);
}, 60_000);

test('[F5] what is to be signed waits where the epoch was lost meanwhile that it was to be written under', async () => {
  const ada = await foundCore();
  const nothing = (): void => undefined;
  const host = {
    storeFailed: nothing,
    committed: nothing,
    summarize: nothing,
    codes: () => new Map<string, string>(),
  };
  const engine = createRoomEngine(ada, host, { start: 'new', isCold: false });
  const written = engine.actSigning((step) => writeMeta(ada, step, [profileOp(ada, { name: 'Ada', color: 'red' })]));
  const { access } = ada.state;
  ada.loop.enqueue(() => void (ada.state.access = { ...access, epochs: new Map() }));
  await ada.loop.idle();
  ada.loop.enqueue(() => void (ada.state.access = access));
  expect(await written).toHaveLength(1);
  await engine.stop();
});
