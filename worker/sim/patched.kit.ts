/** A member's own client, taken apart: a real engine with real keys whose owner composes, tampers with and drops what they like. */
import { copyBytes, toHex, type Bytes } from '../../src/core/base/index.js';
import { controlKind, encodeControl, type ControlPayload } from '../../src/core/access/index.js';
import {
  commitKey,
  commitment,
  entryId,
  entryKinds,
  headMessage,
  type Entry,
  type EntryBody,
} from '../../src/core/entry/index.js';
import { decodeFragment, encodeFragment, encodeLive, frameType, frameTypes } from '../../src/core/wire/index.js';
import type { Peer } from '../../src/core/session/index.js';
import type { Link, LinkEvents } from '../../src/ports/index.js';
import type { EnginePorts } from '../engine/index.js';
import { createRooms } from '../engine/rooms.js';
import type { RoomEngine } from '../engine/room/room.js';
import { tick } from '../engine/room/author.js';
import { ingestUnit } from '../engine/room/ingest.js';
import { sendEpoch, unitKeys } from '../engine/room/core.js';
import { sealUnit, signSeal, unitColumns } from '../engine/room/units.js';
import { controlId, controlKey, domainOf, headOf, type Unit } from '../engine/replica/index.js';
import type { PersonWorld } from './person.kit.js';

const zeros32 = new Uint8Array(32);

/** What a patched client does to a frame on its way out: the frames that really leave. */
export type Tamper = (frame: Bytes, to: readonly string[] | 'all') => readonly Bytes[] | Promise<readonly Bytes[]>;

export interface Patched {
  readonly engine: RoomEngine;
  /** Frames that came, newest last, to be sent again. */
  readonly heard: readonly Bytes[];
  tamper: Tamper;
  readonly peers: () => readonly Peer[];
  /** One frame of any type to one peer or all, sealed and signed as its type demands. */
  readonly say: (type: number, body: Bytes, to: Peer | 'all') => void;
  /** Raw bytes to addresses. */
  readonly sayRaw: (bytes: Bytes, to: readonly string[] | 'all') => void;
  /** Entries of this member's own chain, at its head or anywhere, with whatever its body shall say. */
  readonly forge: (o: Forgery) => Promise<Unit>;
  /** A LIVE frame of a unit. */
  readonly live: (unit: Unit, to: Peer | 'all') => void;
  /** Takes a unit into the own replica and disk, as if it were honest. False when even the own engine will not. */
  readonly keep: (unit: Unit) => Promise<boolean>;
  /** From now on this unit, right or wrong, goes along with whatever is served. */
  readonly slip: (unit: Unit) => Promise<void>;
  readonly stop: () => void;
}

export interface Forgery {
  readonly domainHex: string;
  /** Entries in a row; each overrides what an honest one would say. */
  readonly entries: readonly (Partial<EntryBody> & { readonly control?: ControlPayload })[];
  /** Where the run begins; default: after the author's head. */
  readonly from?: { readonly seq: number; readonly prev: Bytes };
  /** In somebody else's name: then the signature is worth nothing. */
  readonly author?: Bytes;
}

/** Starts the patched client on the disk of a member whose ordinary engine has stopped. */
export async function startPatched(
  world: PersonWorld,
  o: { readonly name: string; readonly room: string; readonly ports: EnginePorts },
): Promise<Patched> {
  const rooms = await createRooms(o.ports, {
    desk: { take: ignore, tabGone: ignore, roomOpened: ignore, roomClosed: ignore },
    changed: ignore,
    committed: ignore,
    storeFailed: ignore,
  });
  const { engine } = await rooms.acquire(o.room, 'patched');
  const heard: Bytes[] = [];
  const core = engine.core;
  let events: LinkEvents | null = null;
  const open = world.network.transport(o.name).open({
    frame: (bytes, from) => {
      heard.push(copyBytes(bytes));
      if (heard.length > 400) heard.shift();
      events?.frame(copyBytes(bytes), from);
    },
    peer: (address, change) => events?.peer(address, change),
    state: (state) => {
      if (state === 'up') events = engine.net.attach('patched', link);
      else events?.down();
    },
  });
  const slips: Bytes[] = [];
  /** As further packs of the transfer that this frame belongs to. */
  const slipsWith = (frame: Bytes): Bytes[] => {
    const fragment = frameType(frame) === frameTypes.fragment ? decodeFragment(frame) : null;
    if (fragment?.ok !== true || fragment.value.index > 0) return [];
    const last = (fragment.value.transfer | 0xffff) >>> 0;
    return slips.map((bytes, i) => encodeFragment({ transfer: last - i, index: 0, total: 1, bytes }));
  };
  const send = async (frame: Bytes, to: readonly string[] | 'all'): Promise<void> => {
    for (const one of [...slipsWith(frame), ...(await patched.tamper(frame, to))])
      await open.send(one, to, { lossy: false }).catch(() => undefined);
  };
  const link: Link = {
    type: 'memory',
    get self() {
      return open.self;
    },
    maxFrameBytes: open.maxFrameBytes,
    send,
  };
  const patched: Patched = {
    engine,
    heard,
    tamper: (frame) => [frame],
    peers: () => engine.net.links().flatMap((netLink) => netLink.sessions.peers()),
    say: (type, body, to) => {
      for (const netLink of engine.net.links()) netLink.send({ type, body, to, lane: 'ctl' });
    },
    sayRaw: (bytes, to) => void open.send(bytes, to, { lossy: false }).catch(() => undefined),
    forge: (forgery) => forge(engine, forgery),
    live: (unit, to) => {
      const { domainId, fromSeq, endSig } = unit;
      const body = encodeLive({ domainId, fromSeq, count: unit.entries.length, endSig, body: unitColumns(unit) });
      patched.say(frameTypes.live, body, to);
    },
    keep: async (unit) => {
      const ingested = await engine.act((step) => ingestUnit(core, step, { unit, bytes: 0 }));
      return ingested.outcome === 'admitted';
    },
    slip: async (unit) => {
      const kid = sendEpoch(core)?.kid;
      if (kid === undefined) return;
      const seal = { kid, device: core.keys.deviceId };
      const bytes = await sealUnit(unit, seal, { ports: core.ports, keys: unitKeys(core) });
      slips.push(await signSeal(bytes, core.keys, { ports: core.ports, roomId: core.roomId }));
    },
    stop: () => {
      open.close();
      engine.net.stop();
    },
  };
  return patched;
}

function ignore(): void {
  // what a page would be told
}

async function forge(engine: RoomEngine, o: Forgery): Promise<Unit> {
  const { core } = engine;
  const isControl = o.domainHex === controlKey;
  const domain = domainOf(core.state, o.domainHex);
  if (domain === null) throw new TypeError('forge: expected a domain of the room');
  const author = o.author ?? core.keys.deviceId;
  const head = headOf(domain, toHex(author));
  const fromSeq = o.from?.seq ?? (head === null ? 0 : head.seq + 1);
  const prevId = o.from?.prev ?? head?.id ?? zeros32;
  const epoch = sendEpoch(core) ?? [...core.state.access.epochs.values()][0];
  const grant = core.state.access.devices.get(toHex(author));
  const entries: Entry[] = [];
  for (const { control, ...changes } of o.entries) {
    const seq = fromSeq + entries.length;
    const prev = entries.at(-1)?.id ?? prevId;
    const payload = control === undefined ? (changes.payload ?? new Uint8Array(0)) : encodeControl(control);
    const prk = isControl || epoch === undefined ? null : (core.state.prks.get(toHex(epoch.kid)) ?? null);
    const hlc = tick(core);
    const body: EntryBody = {
      kind: control === undefined ? entryKinds.data : controlKind(control),
      boot: core.boot,
      cap: grant?.record.entry.id ?? zeros32,
      kid: isControl ? zeros32 : (epoch?.kid ?? zeros32),
      hlcMs: hlc.ms,
      hlcCtr: hlc.ctr,
      deps: [],
      payload,
      commit: commitment(commitKey(prk, domain.id, author), seq, payload),
      ...changes,
      ...(control === undefined ? {} : { payload }),
    };
    const place = { roomId: core.roomId, domainId: domain.id, author, seq, prev };
    entries.push({ ...place, ...body, id: entryId(place, body) });
  }
  const last = entries.at(-1);
  if (last === undefined) throw new TypeError('forge: expected entries');
  const endSig = await core.ports.vault.sign(core.keys, headMessage(core.roomId, domain.id, last));
  return { domainId: domain.id, author, fromSeq, prevId, entries, endSig };
}

/** Control's domain as a key; for those who forge there. */
export const controlHex: string = toHex(controlId);

/** Bytes with one bit turned. */
export function flipBit(bytes: Bytes, at: number): Bytes {
  const out = copyBytes(bytes);
  const index = Math.floor(at / 8) % Math.max(1, out.length);
  out[index] = (out[index] ?? 0) ^ (1 << (at % 8));
  return out;
}
