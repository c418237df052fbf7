import { expect, test } from 'vitest';
import { toHex, type Bytes } from '../../src/core/base/index.js';
import { kidOf } from '../../src/core/crypto/index.js';
import type { RequestEvent } from '../../src/core/election/index.js';
import { splitIntoFragments } from '../../src/core/flow/index.js';
import { encodeFragment, encodeSyncDone, type SyncDone } from '../../src/core/wire/index.js';
import type { Unit } from './replica/index.js';
import { unitKeys, type RoomCore } from './room/core.js';
import { createIntake, type IntakeHost } from './room/net/intake.js';
import { sealUnit, signSeal } from './room/units.js';
import { act, foundCore, forgeControl, linkTo, memberCore, peerOf, unitsOf } from './core.kit.js';

const base = 0x7_0000;

/** An intake that waits for one transfer of `source`, and what it tells. */
async function intakeOf(
  core: RoomCore,
  source: RoomCore,
): Promise<{
  readonly events: RequestEvent[];
  readonly told: Bytes[];
  readonly feed: (pack: Bytes, n: number, o?: { only?: readonly number[]; at?: number }) => Promise<void>;
  readonly done: (change: Partial<SyncDone>) => Promise<void>;
}> {
  const events: RequestEvent[] = [];
  const told: Bytes[] = [];
  const peer = peerOf(source);
  const { netLink } = linkTo(core, [peer]);
  let transfer = base;
  const pull: IntakeHost['pull'] = {
    start: () => false,
    handle: (event) => void events.push(event),
    isActive: () => true,
    isToStranger: () => false,
    source: () => ({ device: peer.device, transfer, isFirst: true }),
    reqId: () => new Uint8Array(16),
    drop: () => null,
    stop: () => undefined,
  };
  const nothing = (): undefined => undefined;
  const intake = createIntake(core, {
    acks: { stored: nothing, taken: nothing, stop: nothing },
    beacons: {
      hear: nothing,
      forget: nothing,
      bestSource: () => null,
      roundBegins: nothing,
      told: (_device, roots) => void told.push(...roots.map(({ root }) => root)),
      fetched: nothing,
      restMs: () => 0,
      roundEnds: nothing,
      send: nothing,
      news: nothing,
      doubt: nothing,
      isAgreed: () => false,
      countOf: () => null,
      bestCount: () => null,
    },
    clearance: {
      isCleared: () => true,
      blocked: () => null,
      answered: () => Promise.resolve('clear'),
      ownEntries: nothing,
      ownFork: nothing,
      peerHere: nothing,
      joined: nothing,
      stop: nothing,
    },
    pull,
    fetchBefore: nothing,
    askAgain: nothing,
    considerPull: nothing,
    controlChanged: nothing,
    rejectedOwn: nothing,
    reload: () => Promise.resolve(),
    took: nothing,
  });
  return {
    events,
    told,
    feed: async (pack, n, o = {}) => {
      transfer = o.at ?? base;
      netLink.reassemblyOf(peer.address).grant(transfer);
      for (const fragment of splitIntoFragments(pack, transfer + n)) {
        if (o.only?.includes(fragment.index) === false) continue;
        const bytes = encodeFragment(fragment);
        await act(core, (step) => intake.fragment(step, netLink, { bytes, from: peer.address }));
      }
    },
    done: async (change) => {
      const message = encodeSyncDone({
        reqId: new Uint8Array(16),
        transfer,
        packs: 0,
        entries: 0,
        complete: true,
        roots: [],
        ...change,
      });
      await act(core, (step) => {
        intake.done(step, { netLink, peer }, message);
        expect(events.filter(({ is }) => is === 'done')).toEqual([]);
      });
    },
  };
}

async function packOf(unit: Unit, sealer: RoomCore): Promise<Bytes> {
  const kid = [...sealer.state.access.epochs.values()][0]?.kid ?? new Uint8Array(32);
  const c = { ports: sealer.ports, keys: unitKeys(sealer) };
  const bytes = await sealUnit(unit, { kid, device: sealer.keys.deviceId }, c);
  return signSeal(bytes, sealer.keys, { ports: sealer.ports, roomId: sealer.roomId });
}

/** The last unit with a payload that its author did not sign. */
async function badUnit(core: RoomCore): Promise<Unit> {
  const unit = (await unitsOf(core)).at(-1);
  if (unit === undefined) throw new TypeError('no units');
  return { ...unit, endSig: new Uint8Array(64) };
}

const counter = (core: RoomCore, name: string): number => core.counters.get(name) ?? 0;

test('[F2] a bad copy is charged to the one that signed its seal, else to who brought it; never to its author', async () => {
  const ada = await foundCore();
  const [bob, cyd] = [await memberCore(ada), await memberCore(ada)];
  const byCyd = await packOf(await badUnit(ada), cyd);
  const { events, feed } = await intakeOf(ada, bob);
  await feed(byCyd, 0);
  expect(events.at(-1)).toEqual({ is: 'bad', transfer: base, sealer: cyd.keys.deviceId });
  expect([counter(ada, 'chargedSealer'), counter(ada, 'chargedDeliverer')]).toEqual([1, 0]);
  await feed(await packOf(await badUnit(ada), bob), 1);
  expect(events.at(-1)).toEqual({ is: 'bad', transfer: base });
  expect([counter(ada, 'chargedSealer'), counter(ada, 'chargedDeliverer')]).toEqual([2, 0]);
  // Anybody can put another's name on a seal that it did not sign.
  for (const at of [300, byCyd.length - 1]) {
    const changed = byCyd.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    await feed(changed, 2 + at);
    expect(events.at(-1)).toEqual({ is: 'bad', transfer: base });
  }
  expect([counter(ada, 'chargedSealer'), counter(ada, 'chargedDeliverer')]).toEqual([2, 2]);
  expect(Object.fromEntries(ada.faults)).toEqual({ 'pack/bad-signature': 3, 'pack/bad-seal': 1 });
  await feed(await packOf((await unitsOf(ada)).at(-1) ?? (await badUnit(ada)), bob), 9);
  expect(events.at(-1)?.is).toBe('progress');
}, 60_000);

test('[ELE-4] copies of what came are no progress, and bytes that lead to nothing only for so long', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  const large = ada.ports.random.bytes(20_000);
  const { events, feed } = await intakeOf(ada, bob);
  for (let i = 0; i < 5; i++) await feed(large, 1, { only: [0] });
  expect(events.map(({ is }) => is)).toEqual(['progress']);
  events.length = 0;
  const known = await packOf((await unitsOf(ada)).at(-1) ?? (await badUnit(ada)), bob);
  for (let n = 2; n < 200; n++) await feed(known, n);
  expect(events.length).toBeLessThan(64);
  events.length = 0;
  // What is new counts again.
  await feed(await packOf(await forgeControl(bob, { kind: 'fold' }), bob), 300);
  await feed(known, 301);
  expect(events.map(({ is }) => is)).toEqual(['progress', 'progress']);
}, 60_000);

test('[ELE-4] packs are counted by transfer: what one source brought is not held for another’s', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  const pack = await packOf((await unitsOf(ada)).at(-1) ?? (await badUnit(ada)), bob);
  const first = await intakeOf(ada, bob);
  await first.feed(pack, 0);
  await first.done({ packs: 1 });
  expect(first.events.at(-1)).toMatchObject({ is: 'done', transfer: base, useful: true });
  const other = 0x8_0000;
  const second = await intakeOf(ada, bob);
  await second.feed(pack, 0);
  await second.feed(pack, 0, { at: other, only: [] });
  await second.done({ packs: 1 });
  expect(second.events.at(-1)).toMatchObject({ is: 'done', transfer: other, useful: false });
}, 60_000);

test('[SYN-4] what came counts as fetched once it is stored: not after a commit that failed', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  const { events, told, done } = await intakeOf(ada, bob);
  const roots = [{ domainId: kidOf(ada.roomId, new Uint8Array(32), ada.roomId), root: ada.roomId }];
  await done({ roots });
  expect(told.map(toHex)).toEqual([ada.room]);
  expect(events.at(-1)).toMatchObject({ is: 'done', complete: true, useful: true });
  const failing = await intakeOf(ada, bob);
  ada.loop.enqueue((step) => {
    step.ops.push({ do: 'put', table: 'state', key: [], value: 1 });
  });
  await expect(failing.done({ roots })).rejects.toThrow();
  expect(failing.told).toEqual([]);
  expect(failing.events.at(-1)).toMatchObject({ is: 'done', complete: false });
}, 60_000);
