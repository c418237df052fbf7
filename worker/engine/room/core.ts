import { equalBytes, fromHex, toHex, type Bytes, type FaultCode } from '../../../src/core/base/index.js';
import { chooseSendEpoch } from '../../../src/core/epoch/index.js';
import { epochPrk } from '../../../src/core/crypto/index.js';
import type { EpochState, Grant } from '../../../src/core/access/index.js';
import { roomNow, zeroHlc, type Hlc } from '../../../src/core/clock/index.js';
import type { DeviceKeys } from '../../../src/ports/index.js';
import type { EnginePorts } from '../ports.js';
import {
  controlKey,
  countOf,
  createReplicaState,
  learnMetaSchema,
  type PackPlace,
  type ReplicaState,
  type Unit,
} from '../replica/index.js';
import type { Draft, RoomRow } from './rows.js';
import type { Step, StepLoop } from './step.js';
import type { UnitKeys } from './units.js';

/** A unit that waits for something (HOLD), with its packed size for the bound. */
export interface HeldUnit {
  readonly unit: Unit;
  readonly code: FaultCode;
  /** What it waits for, as keys of awaitedBy. */
  readonly awaits: readonly string[];
  readonly bytes: number;
  /** Where its pack lies on the disk already: part of it is admitted, or it proves a fork. Null: nowhere. */
  readonly stored: PackPlace | null;
  /** It was read from the disk, though nothing of it is admitted: it is read there again. */
  readonly isRead?: boolean;
}

/** Where a page's write is on its way: still a draft, or an entry. */
export type WriteRef = { readonly draft: number } | { readonly domain: string; readonly seq: number };

/** Everything the parts of a room's engine share. Changed only inside the room's step loop. */
export interface RoomCore {
  readonly ports: EnginePorts;
  readonly roomId: Bytes;
  /** Room id in hex. */
  readonly room: string;
  readonly keys: DeviceKeys;
  /** Device id in hex. */
  readonly device: string;
  readonly boot: Bytes;
  state: ReplicaState;
  row: RoomRow;
  /** Raw epoch keys by kid (hex). */
  readonly epochKeys: Map<string, Bytes>;
  /** Kids a join answer named, until control does. */
  joinKids: readonly Bytes[];
  /** Who let this device in, as long as control does not say anything of anybody. */
  admitter: Bytes | null;
  drafts: Draft[];
  nextDraft: number;
  /** Tab → highest write counter that is durable (X11). */
  readonly marks: Map<string, number>;
  /** Entries of this device that another device has acknowledged, as a count, by domain (X8). */
  readonly delivered: Map<string, number>;
  /** Units that wait, oldest first. */
  held: HeldUnit[];
  /** How often something that waited was dropped: what had been fetched whole may be missing again. */
  heldLost: number;
  /** Chains of which a stored pack holds more than is admitted: how many entries are, by chainKey. */
  readonly parts: Map<string, number>;
  /** The latest time seen in an admitted entry or given to a draft. */
  lastHlc: Hlc;
  /** Peers' clock offsets, in ms (F17). */
  offsetsMs: readonly number[];
  /** Entries that drafts of this start have become, by draft number. */
  readonly signedDrafts: Map<number, { readonly domain: string; readonly seq: number }>;
  /** Where each record's newest own change is, while it is not delivered. */
  readonly undelivered: Map<string, WriteRef>;
  /** Why this device never signs again in this room (F6, F10): 'device/cloned', 'device/forked', or null. */
  blocked: string | null;
  /** Own entries without effect because of an own fork, by id (hex), with their payloads: shown to their author once. */
  readonly fallenOwn: Map<string, Bytes>;
  /** What lies on the disk as a snapshot: of how many changes and in how many blocks; bad: of no use, to be replaced. */
  snapshot: { readonly changes: number; readonly blocks: number; isBad: boolean } | null;
  readonly faults: Map<string, number>;
  readonly counters: Map<string, number>;
  loop: StepLoop;
}

export function createRoomCore(o: {
  ports: EnginePorts;
  roomId: Bytes;
  keys: DeviceKeys;
  boot: Bytes;
  row: RoomRow;
  loop: StepLoop;
}): RoomCore {
  const core: RoomCore = {
    ...o,
    room: toHex(o.roomId),
    device: toHex(o.keys.deviceId),
    state: createReplicaState(o.roomId, o.ports.weaknesses),
    epochKeys: new Map(),
    joinKids: [],
    admitter: null,
    drafts: [],
    nextDraft: 0,
    marks: new Map(),
    delivered: new Map(),
    held: [],
    heldLost: 0,
    parts: new Map(),
    lastHlc: zeroHlc,
    offsetsMs: [],
    signedDrafts: new Map(),
    undelivered: new Map(),
    blocked: null,
    fallenOwn: new Map(),
    snapshot: null,
    faults: new Map(),
    counters: new Map(),
  };
  learnMetaSchema(core.state);
  return core;
}

/** Counts a typed outcome; every hostile input ends here exactly once. */
export function countFault(core: RoomCore, code: string): void {
  core.faults.set(code, (core.faults.get(code) ?? 0) + 1);
}

export function bump(core: RoomCore, name: string, by = 1): void {
  core.counters.set(name, (core.counters.get(name) ?? 0) + by);
}

/** The grant this device acts under, or null while it has none with effect. */
export function myGrant(core: RoomCore): Grant | null {
  return core.state.access.devices.get(core.device) ?? null;
}

/**
 * Whether something of this device's own chain is here and not admitted: its end is not where it seems, and who signs
 * now signs twice (F6, F10).
 */
export function ownWaits(core: RoomCore, domainHex: string): boolean {
  return core.held.some(
    ({ unit }) => equalBytes(unit.author, core.keys.deviceId) && toHex(unit.domainId) === domainHex,
  );
}

/** The epoch that may be written under now (send rule), or null. */
export function sendEpoch(core: RoomCore): EpochState | null {
  return chooseSendEpoch(core.state.access, (kid) => isNamedByTag(core, kid));
}

/** Whether a key is held whose tag no other held key has: nothing is sent under one that a reader could take for another (X5). */
export function isNamedByTag(core: RoomCore, kid: string): boolean {
  const tag = kid.slice(0, 16);
  return core.epochKeys.has(kid) && ![...core.epochKeys.keys()].some((one) => one !== kid && one.startsWith(tag));
}

export function now(core: RoomCore): number {
  return roomNow(core.ports.time.now(), core.offsetsMs);
}

/** Keeps an epoch key: in memory, and sealed on the disk with this step (strictly: a key must not be lost). */
export function learnKey(core: RoomCore, step: Step, k: { readonly kid: Bytes; readonly key: Bytes }): void {
  const kidHex = toHex(k.kid);
  if (core.epochKeys.has(kidHex)) return;
  setKey(core, kidHex, k.key);
  const sealed = core.ports.vault.sealAtRest('epoch-key', k.key);
  step.ops.push({ do: 'put', table: 'keys', key: [core.room, kidHex], value: sealed });
  step.strict = true;
}

/** Puts a key that is on the disk already into use. */
export function setKey(core: RoomCore, kidHex: string, key: Bytes): void {
  const kid = fromHex(kidHex);
  if (kid === null) return;
  core.epochKeys.set(kidHex, key);
  core.state.prks.set(kidHex, epochPrk(core.roomId, kid, key));
}

export function unitKeys(core: RoomCore): UnitKeys {
  return { roomId: core.roomId, prkOf: (kid) => core.state.prks.get(kid) ?? null };
}

/** Whether a domain carries what people wrote: everything but control. */
export function isContent(domainHex: string): boolean {
  return domainHex !== controlKey;
}

/** Own writes that no other device has acknowledged: drafts, and entries past the delivered count. */
export function undeliveredCount(core: RoomCore): number {
  let count = core.drafts.length;
  for (const [domainHex, domain] of core.state.domains) {
    const mine = countOf(domain.chainsByAuthor.get(core.device));
    count += Math.max(0, mine - (core.delivered.get(domainHex) ?? 0));
  }
  return count;
}
