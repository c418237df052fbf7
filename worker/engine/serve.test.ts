import { expect, test } from 'vitest';
import { compareBytes, toHex, type Bytes } from '../../src/core/base/index.js';
import { commitKey, commitment, entryId, type Entry } from '../../src/core/entry/index.js';
import { createReassembly, createSendWindow } from '../../src/core/flow/index.js';
import { encodePayload } from '../../src/core/op/index.js';
import { encodeDeclaration, schemaPrefix } from '../../src/core/schema/index.js';
import { createRecordId } from '../../src/core/identity/index.js';
import { decodeFragment, frameTypes, type SyncReq } from '../../src/core/wire/index.js';
import type { Time } from '../../src/ports/index.js';
import { unitFrom, type Unit } from './replica/index.js';
import { sendEpoch, unitKeys, type RoomCore } from './room/core.js';
import { createClaims } from './room/net/claims.js';
import { serve } from './room/net/source.js';
import { openUnit, sealUnit } from './room/units.js';
import { foundCore, give, linkTo, memberCore, peerOf, signedUnit, strangerCore } from './core.kit.js';
import { testDeclaration } from './rig.kit.js';

const base = 0x7_0000;
const everything: SyncReq = {
  reqId: new Uint8Array(16),
  attempt: 0,
  want: 1,
  prefer: null,
  exclude: [],
  controlOnly: false,
  transfer: base,
  domains: [
    {
      domainId: new Uint8Array(32),
      root: new Uint8Array(32),
      count: 0,
      entries: [],
      window: { after: null, upTo: null },
    },
  ],
  held: [],
};

/** Units of one author in `main`, of entries that name as many earlier ones as an entry may. */
async function heavyUnits(core: RoomCore, o: { readonly units: number; readonly entries: number }): Promise<Unit[]> {
  const domainHex = [...core.state.domainNames].find(([, name]) => name === 'main')?.[0] ?? '';
  const domain = core.state.access.domains.get(domainHex);
  const epoch = sendEpoch(core);
  const prk = epoch && core.state.prks.get(toHex(epoch.kid));
  if (domain === undefined || !epoch || !prk) throw new TypeError('heavyUnits: not ready');
  const schema = schemaPrefix(encodeDeclaration(testDeclaration));
  const [author, key] = [core.keys.deviceId, commitKey(prk, domain.id, core.keys.deviceId)];
  const units: Unit[] = [];
  const ids: Bytes[] = [];
  for (let u = 0; u < o.units; u++) {
    const entries: Entry[] = [];
    for (let i = 0; i < o.entries; i++) {
      const id = createRecordId(core.ports.random.bytes(12), author);
      const payload = encodePayload({
        schema,
        ops: [{ kind: 'insert', collection: 'cards', id, fields: { text: 'x' } }],
      });
      const seq = ids.length;
      const place = { roomId: core.roomId, domainId: domain.id, author, seq, prev: ids.at(-1) ?? new Uint8Array(32) };
      const body = {
        kind: 0,
        boot: core.boot,
        cap: core.state.access.devices.get(core.device)?.record.entry.id ?? new Uint8Array(32),
        kid: epoch.kid,
        hlcMs: core.lastHlc.ms + 1 + seq,
        hlcCtr: 0,
        deps: ids.slice(-32).sort(compareBytes),
        payload,
        commit: commitment(key, seq, payload),
      };
      entries.push({ ...place, ...body, id: entryId(place, body) });
      ids.push(entries.at(-1)?.id ?? new Uint8Array(32));
    }
    units.push(await signedUnit(core, entries));
  }
  return units;
}

/** A room whose history does not fit one window. */
async function heavyRoom(): Promise<{ readonly ada: RoomCore; readonly bob: RoomCore; readonly units: Unit[] }> {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  const units = await heavyUnits(bob, { units: 6, entries: 90 });
  for (const { outcome } of await give(ada, units)) expect(outcome).toBe('admitted');
  return { ada, bob, units };
}

test('[F8] units are joined only as far as every receiver takes them, whatever their entries name', async () => {
  const { ada, bob, units } = await heavyRoom();
  const { netLink, clear, sent } = linkTo(ada, [peerOf(bob)]);
  const windowMoved = (): Promise<boolean> => {
    netLink.windowOf('a').reset();
    return Promise.resolve(true);
  };
  await serve(ada, { req: everything, peer: peerOf(bob), netLink, transfer: base, floors: [], windowMoved }).done;
  const reassembly = createReassembly();
  reassembly.grant(base);
  let entries = 0;
  let packs = 0;
  for (const frame of clear) {
    const fragment = decodeFragment(frame);
    const added = fragment.ok ? reassembly.add(fragment.value) : fragment;
    if (!added.ok || added.value.pack === null) continue;
    const unit = await openUnit(added.value.pack, { ports: bob.ports, keys: unitKeys(bob) });
    if (!unit.ok) throw new TypeError(unit.fault.code);
    if (toHex(unit.value.domainId) !== toHex(units[0]?.domainId ?? new Uint8Array(0))) continue;
    entries += unit.value.entries.length;
    packs++;
  }
  expect(entries).toBe(540);
  expect(packs).toBeLessThanOrEqual(6);
  expect(sent.map(({ type }) => type)).toEqual([frameTypes.syncDone]);
}, 60_000);

test('[PACK-6] of a stored pack the end can be opened alone, behind an entry that is known', async () => {
  const { ada, units } = await heavyRoom();
  const [kid, c] = [sendEpoch(ada)?.kid ?? new Uint8Array(32), { ports: ada.ports, keys: unitKeys(ada) }];
  const [unit] = units;
  if (unit === undefined) throw new TypeError('no unit');
  const bytes = await sealUnit(unit, { kid, device: ada.keys.deviceId }, c);
  for (const { seq, id } of unit.entries.slice(0, -1))
    expect(await openUnit(bytes, c, { seq, id })).toEqual({ ok: true, value: unitFrom(unit, seq + 1) });
  const other = unit.entries.at(-1)?.id ?? kid;
  expect(await openUnit(bytes, c, { seq: unit.fromSeq, id: other })).toMatchObject({ fault: { code: 'pack/bad-end' } });
});

test('[ELE-6] who acknowledges nothing that is under way, or goes on for long, keeps no place; strangers leave one for members', async () => {
  const { ada, bob } = await heavyRoom();
  const [dan, eve, fay, gus] = [
    await memberCore(ada),
    await strangerCore(ada),
    await strangerCore(ada),
    await strangerCore(ada),
  ];
  const timers: (() => void)[] = [];
  let now = Date.now();
  const time: Time = {
    now: () => now,
    after: (_ms, run) => {
      timers.push(run);
      return () => void timers.splice(timers.indexOf(run), 1);
    },
  };
  const core = { ...ada, ports: { ...ada.ports, time } };
  const cores = [bob, dan, eve, fay, gus];
  const windows = cores.map(() => createSendWindow(1000));
  const peers = cores.map((other, i) => peerOf(other, String(i)));
  const netLink = {
    ...linkTo(core, peers).netLink,
    windowOf: (address: string) => windows[Number(address)] ?? createSendWindow(),
  };
  const claims = createClaims(core, {
    isEffective: (device) => core.state.access.devices.has(toHex(device)),
    roster: () => [],
    bestCount: () => null,
  });
  const ask = async (n: number): Promise<boolean> => {
    const peer = netLink.sessions.peerAt(String(n));
    if (peer === null) throw new TypeError('nobody there');
    const reqId = core.ports.random.bytes(16);
    claims.onRequest(netLink, peer, { ...everything, reqId, prefer: core.keys.deviceId });
    const waiting = timers.length;
    // Until it waits for the first acknowledgement; what is not served does nothing.
    for (let i = 0; i < 400 && timers.length === waiting; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    return timers.length > waiting;
  };
  expect([await ask(2), await ask(3)]).toEqual([true, true]);
  expect(await ask(4)).toBe(false);
  expect(await ask(0)).toBe(true);
  expect(await ask(1)).toBe(false);
  for (const run of timers.splice(0)) run();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(core.counters.get('servesStalled')).toBe(3);
  expect([await ask(1), await ask(2), await ask(3)]).toEqual([true, true, true]);
  expect([await ask(0), await ask(4)]).toEqual([false, false]);
  const stalls = [...timers];
  for (const n of [1, 2, 3]) claims.onAck(netLink, peerOf(cores[n] ?? ada, String(n)), [base + 999]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(timers).toEqual(stalls);
  // Who acknowledges a little at a time has had its turn when somebody else waits.
  now += 60_000;
  expect([await ask(4), await ask(0)]).toEqual([true, true]);
  claims.stop();
}, 60_000);
