/** Cores of rooms on memory disks, without engines, pages or networks: what parts of an engine are tested with. */
import { compareBytes, concatBytes, toHex, type Bytes } from '../../src/core/base/index.js';
import { controlKind, encodeControl, type ControlPayload } from '../../src/core/access/index.js';
import { nextHlc } from '../../src/core/clock/index.js';
import { epochPrk, kidOf } from '../../src/core/crypto/index.js';
import { commitKey, commitment, entryId, headMessage, type Entry } from '../../src/core/entry/index.js';
import { sealKey } from '../../src/core/epoch/index.js';
import { bindMessage } from '../../src/core/identity/index.js';
import { encodeDeclaration } from '../../src/core/schema/index.js';
import type { Peer } from '../../src/core/session/index.js';
import { storedBytes } from '../../src/ports/index.js';
import { createGenesis, foundRoom } from './create.js';
import type { EnginePorts } from './ports.js';
import { controlKey, domainsInOrder, headOf, type Unit } from './replica/index.js';
import { writeControl } from './room/author.js';
import { createRoomCore, learnKey, sendEpoch, unitKeys, type RoomCore } from './room/core.js';
import { keysToGive } from './room/epochs.js';
import { ingestUnit, type Ingested } from './room/ingest.js';
import { loadRoom } from './room/load.js';
import { createNetLink, type NetLink } from './room/net/link.js';
import { createStepLoop, type Step } from './room/step.js';
import { openUnit } from './room/units.js';
import { startDevice, testDeclaration } from './rig.kit.js';

const zeros32 = new Uint8Array(32);

type DeviceOptions = Parameters<typeof startDevice>[0];

/** A core of a room for a fresh device, by default on a disk of its own. */
async function newCore(
  roomOf: (core: Omit<Parameters<typeof createRoomCore>[0], 'roomId'>) => Promise<Bytes>,
  o?: DeviceOptions,
): Promise<RoomCore> {
  const { ports } = await startDevice(o);
  const [keys, boot] = [await ports.vault.createDeviceKeys(), ports.random.bytes(8)];
  const row = {
    key: null,
    request: '',
    handle: keys.handle,
    boots: [toHex(boot)],
    title: '',
    undelivered: 0,
    bytes: 0,
  };
  const base = { ports, keys, boot, row, loop: loopOver(ports) };
  return createRoomCore({ ...base, roomId: await roomOf(base) });
}

function loopOver({ store }: Pick<EnginePorts, 'store'>): RoomCore['loop'] {
  return createStepLoop({
    store,
    report: (error) => {
      throw error;
    },
    committed: () => undefined,
    failed: () => Promise.resolve(),
  });
}

/** The same device in another start: what lies on the disk of these ports. */
export async function reopen(core: RoomCore, ports: EnginePorts): Promise<RoomCore> {
  const { roomId, keys, row } = core;
  const again = createRoomCore({ ports, roomId, keys, boot: ports.random.bytes(8), row, loop: loopOver(ports) });
  await loadRoom(again);
  return again;
}

/** Runs a job in the room's turn; resolves with its result once that is stored. */
export function act<T>(core: RoomCore, run: (step: Step) => Promise<T> | T): Promise<T> {
  return new Promise((resolve, reject) => {
    core.loop.enqueue(async (step) => {
      step.failures.push(reject);
      const value = await run(step);
      step.effects.push(() => {
        resolve(value);
      });
    });
  });
}

/** The founder of a new room. */
export async function foundCore(o?: DeviceOptions): Promise<RoomCore> {
  let genesis: Unit | null = null;
  const core = await newCore(async ({ ports, keys, boot }) => {
    genesis = await createGenesis(ports, keys, boot);
    return genesis.entries[0]?.id ?? zeros32;
  }, o);
  const declaration = { bytes: encodeDeclaration(testDeclaration), value: testDeclaration };
  const content = { title: 'Plans', declaration, profile: { name: 'Ada', color: null } };
  await act(core, async (step) => {
    if (genesis !== null) await foundRoom(core, step, { genesis, content });
  });
  return core;
}

/** A device that was given the room's present key, as by a join answer, and holds nothing yet. */
export async function strangerCore(room: RoomCore): Promise<RoomCore> {
  const core = await newCore(() => Promise.resolve(room.roomId));
  const epoch = sendEpoch(room);
  const key = epoch && room.epochKeys.get(toHex(epoch.kid));
  if (!epoch || !key) throw new TypeError('strangerCore: the room has no epoch');
  core.joinKids = [epoch.kid];
  core.epochKeys.set(toHex(epoch.kid), key);
  core.state.prks.set(toHex(epoch.kid), epochPrk(core.roomId, epoch.kid, key));
  return core;
}

/** A grant of `host` for a device, with the keys that it is to have. */
export async function grantFor(
  host: RoomCore,
  to: RoomCore,
  power: { readonly rank: number; readonly perms: number } = { rank: 20, perms: 7 },
): Promise<Extract<ControlPayload, { kind: 'grant' }>> {
  const { keys, roomId, ports } = to;
  const { deviceId: device, x25519 } = keys;
  const wraps = [];
  for (const { kid, key } of keysToGive(host)) {
    const once = await ports.vault.createDeviceKeys();
    const shared = await ports.vault.agree(once, x25519);
    const context = { roomId, scope: zeros32, kid, epk: once.x25519, device, x25519 };
    if (shared !== null) wraps.push({ kid, epk: once.x25519, sealed: sealKey(key, shared, context) });
  }
  const bind = await ports.vault.sign(keys, bindMessage(roomId, x25519));
  const rest = { member: new Uint8Array(0), scope: zeros32, depth: 0, write: null, via: null };
  return { kind: 'grant', subject: device, x25519, bind, ...power, ...rest, wraps };
}

/** A member that `host` has let in, with everything that `host` holds. */
export async function memberCore(host: RoomCore, power?: { rank: number; perms: number }): Promise<RoomCore> {
  const core = await strangerCore(host);
  const grant = await grantFor(host, core, power);
  await act(host, (step) => writeControl(host, step, grant));
  await copyAll(host, core);
  return core;
}

/** Everything on a core's disk, as it would be served. */
export async function unitsOf(core: RoomCore): Promise<Unit[]> {
  const units: Unit[] = [];
  for (const { value } of await core.ports.store.list('packs', [core.room])) {
    const bytes = storedBytes(value);
    const unit = bytes && (await openUnit(bytes, { ports: core.ports, keys: unitKeys(core) }));
    if (unit?.ok === true) units.push(unit.value);
  }
  const order = new Map(core.state.log.map((record, i) => [record.id, i]));
  const domains = domainsInOrder(core.state);
  const rank = (unit: Unit): number =>
    toHex(unit.domainId) === controlKey
      ? (order.get(toHex(unit.entries[0]?.id ?? zeros32)) ?? 0)
      : order.size + domains.indexOf(toHex(unit.domainId));
  return units.sort((a, b) => rank(a) - rank(b) || a.fromSeq - b.fromSeq);
}

/** What a core makes of units, in order. */
export async function give(core: RoomCore, units: readonly Unit[]): Promise<Ingested[]> {
  const out: Ingested[] = [];
  for (const unit of units) out.push(await act(core, (step) => ingestUnit(core, step, { unit, bytes: 500 })));
  return out;
}

/** All that `from` holds goes to `to`. */
export async function copyAll(from: RoomCore, to: RoomCore): Promise<void> {
  await give(to, await unitsOf(from));
}

/** Epochs that nothing links: each key has to be given for itself. */
export async function addLooseEpochs(core: RoomCore, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const key = core.ports.random.bytes(32);
    const kid = kidOf(core.roomId, zeros32, key);
    await act(core, async (step) => {
      learnKey(core, step, { kid, key });
      await writeControl(core, step, { kind: 'epoch', scope: zeros32, kid, gen: 1, parents: [], links: [] });
    });
  }
}

/** A control entry that this device signs whatever it knows better; it does not take it in itself. */
export async function forgeControl(
  core: RoomCore,
  payload: ControlPayload,
  o: { readonly deps?: readonly Bytes[]; readonly cap?: Bytes; readonly isFirst?: true } = {},
): Promise<Unit> {
  const last = o.isFirst === true ? null : headOf(core.state.control, core.device);
  const { deviceId: author } = core.keys;
  const [seq, prev] = last === null ? [0, zeros32] : [last.seq + 1, last.id];
  const place = { roomId: core.roomId, domainId: zeros32, author, seq, prev };
  const bytes = encodeControl(payload);
  core.lastHlc = nextHlc(core.lastHlc, core.ports.time.now());
  const heads = [...core.state.control.chainsByAuthor.values()].flatMap(({ authorId, loaded }) =>
    compareBytes(authorId, author) === 0 ? [] : loaded.ids.slice(-1),
  );
  const body = {
    kind: controlKind(payload),
    boot: core.boot,
    cap: o.cap ?? core.state.access.devices.get(core.device)?.record.entry.id ?? zeros32,
    kid: zeros32,
    hlcMs: core.lastHlc.ms,
    hlcCtr: core.lastHlc.ctr,
    deps: [...(o.deps ?? heads)].sort(compareBytes),
    payload: bytes,
    commit: commitment(commitKey(null, zeros32, author), seq, bytes),
  };
  return signedUnit(core, [{ ...place, ...body, id: entryId(place, body) }]);
}

/** A unit of these entries, signed by their author. */
export async function signedUnit(core: RoomCore, entries: readonly Entry[]): Promise<Unit> {
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) throw new TypeError('signedUnit: no entries');
  const endSig = await core.ports.vault.sign(core.keys, headMessage(core.roomId, first.domainId, last));
  return { domainId: first.domainId, author: first.author, fromSeq: first.seq, prevId: first.prev, entries, endSig };
}

/** Somebody who is here, as a session would say. */
export function peerOf(core: RoomCore, address = 'a'): Peer {
  const { boot } = core;
  const kidTags = [...core.epochKeys.keys()]
    .slice(0, 4)
    .map((kid) => Uint8Array.from(Buffer.from(kid.slice(0, 16), 'hex')));
  const session = concatBytes(core.boot, core.boot);
  return {
    address,
    device: core.keys.deviceId,
    session,
    boot,
    stream: boot,
    kidTags,
    caps: {},
    sum: null,
    hlcMs: 0,
    offsetMs: 0,
  };
}

/** A link of `core` on which just these peers are, and what was sent on it. */
export function linkTo(
  core: RoomCore,
  peers: readonly Peer[],
): { readonly netLink: NetLink; readonly sent: Parameters<NetLink['send']>[0][]; readonly clear: Bytes[] } {
  const sent: Parameters<NetLink['send']>[0][] = [];
  const clear: Bytes[] = [];
  const link = { type: 'memory', self: 'me', maxFrameBytes: 15_000, send: () => Promise.resolve() };
  const netLink = createNetLink(core, link, { down: () => undefined });
  const sessions = {
    ...netLink.sessions,
    peers: () => peers,
    peerAt: (address: string) => peers.find((peer) => peer.address === address) ?? null,
    peerOf: (device: Bytes) => peers.find((peer) => compareBytes(peer.device, device) === 0) ?? null,
  };
  const send: NetLink['send'] = (frame) => void sent.push(frame);
  const sendClear: NetLink['sendClear'] = (frame) => void clear.push(frame);
  return { netLink: { ...netLink, sessions, send, sendClear }, sent, clear };
}
