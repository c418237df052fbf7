import { expect, test } from 'vitest';
import { compareBytes, toHex, type Bytes } from '../../src/core/base/index.js';
import type { ControlPayload } from '../../src/core/access/index.js';
import { kidOf } from '../../src/core/crypto/index.js';
import { writeControl } from './room/author.js';
import { learnKey, sendEpoch, type RoomCore } from './room/core.js';
import { keysToGive, mendEpochs, mintDelay, mintEpoch } from './room/epochs.js';
import { act, copyAll, foundCore, forgeControl, give, grantFor, memberCore, strangerCore } from './core.kit.js';

const zeros32 = new Uint8Array(32);
const kidOfSend = (core: RoomCore): string | null => {
  const epoch = sendEpoch(core);
  return epoch && toHex(epoch.kid);
};

/** An epoch of `core`, and wraps of it that open for nobody but itself. */
async function mintJunk(core: RoomCore, victims: readonly RoomCore[]): Promise<Bytes> {
  const key = core.ports.random.bytes(32);
  const kid = kidOf(core.roomId, zeros32, key);
  const gen = 1 + Math.max(...[...core.state.access.epochs.values()].map((epoch) => epoch.gen));
  const recipients = [core, ...victims]
    .map(({ keys }) => ({ device: keys.deviceId, sealed: core.ports.random.bytes(48) }))
    .sort((a, b) => compareBytes(a.device, b.device));
  const epk = (await core.ports.vault.createDeviceKeys()).x25519;
  const newest = [...core.state.access.epochs.values()].sort((a, b) => b.gen - a.gen).slice(0, 1);
  await act(core, async (step) => {
    learnKey(core, step, { kid, key });
    const parents = newest.map((epoch) => epoch.kid);
    const links = parents.map(() => core.ports.random.bytes(48));
    await writeControl(core, step, { kind: 'epoch', scope: zeros32, kid, gen, parents, links });
    await writeControl(core, step, { kind: 'wrap', kid, epk, recipients });
  });
  return kid;
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
  for (let i = 0; i < 70; i++) {
    const key = ada.ports.random.bytes(32);
    const kid = kidOf(ada.roomId, zeros32, key);
    await act(ada, async (step) => {
      learnKey(ada, step, { kid, key });
      await writeControl(ada, step, { kind: 'epoch', scope: zeros32, kid, gen: 1, parents: [], links: [] });
    });
  }
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
  const kid = await mintJunk(mallory, [ada, bob]);
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

test('[F5] no minting war: each further epoch of mine in an hour waits twice as long, up to a quarter of an hour', async () => {
  const ada = await foundCore();
  const mallory = await memberCore(ada);
  const waits: (number | null)[] = [];
  for (let i = 0; i < 7; i++) {
    await mintJunk(mallory, [ada]);
    await copyAll(mallory, ada);
    waits.push(mintDelay(ada, [ada.keys.deviceId]));
    await act(ada, (step) => mendEpochs(ada, step));
    await copyAll(ada, mallory);
  }
  expect(waits).toEqual([0, 0, 0, 1000, 2000, 4000, 8000]);
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
