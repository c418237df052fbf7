import { equalBytes, fromHex, toHex, type Bytes, type FaultCode } from '../../../src/core/base/index.js';
import { chooseSendEpoch } from '../../../src/core/epoch/index.js';
import { epochPrk } from '../../../src/core/crypto/index.js';
import type { EpochState, Grant } from '../../../src/core/access/index.js';
import { roomNow, zeroHlc, type Hlc } from '../../../src/core/clock/index.js';
import type { DeviceKeys, StoreOp } from '../../../src/ports/index.js';
import type { EnginePorts } from '../ports.js';
import {
  controlKey,
  createReplicaState,
  learnMetaSchema,
  type PackPlace,
  type ReplicaState,
  type Unit,
} from '../replica/index.js';
import type { DraftQueue } from './drafts/types.js';
import type { RoomRow } from './rows.js';
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

/** Where a page's write is on its way, in its domain (hex): its number among the drafts, or among the own entries. */
export interface WriteRef {
  readonly domain: string;
  readonly isDraft: boolean;
  readonly n: number;
}

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
  /** Kids that join answers named, the newest first, until control names one. */
  joinKids: readonly Bytes[];
  /** Those of them (hex) whose keys are on the disk. */
  readonly keptKids: Set<string>;
  /** Who says to have let this device in, as long as control does not say anything of anybody. */
  admitters: readonly Bytes[];
  /** Local transactions that are not signed yet (F10), by domain (hex). */
  drafts: Map<string, DraftQueue>;
  /** Grows whenever drafts leave: a snapshot that had them is of no use any more. */
  draftsLeft: number;
  /** How many there were when the signing began that is under way; 0: none is. */
  draftsToSign: number;
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
  /** What drafts of this start have become, by domain (hex), in order: those before a number are in the entries up to `seq`. */
  readonly signedDrafts: Map<string, readonly { readonly before: number; readonly seq: number }[]>;
  /** Where each record's newest own change is, while it is not delivered. */
  undelivered: Map<string, WriteRef>;
  /** Why this device never signs again in this room (F6, F10): 'device/cloned', 'device/forked', or null. */
  blocked: string | null;
  /** Own entries without effect because of an own fork, by id (hex), with their payloads: shown to their author once. */
  readonly fallenOwn: Map<string, Bytes>;
  /** What lies on the disk as a snapshot: of how many changes and in how many blocks; bad: of no use, to be replaced. */
  snapshot: { readonly changes: number; readonly blocks: number; isBad: boolean } | null;
  readonly faults: Map<string, number>;
  readonly counters: Map<string, number>;
  /** Resolves when no stored pack is about to be replaced: who reads one waits for it first. */
  rewriting: Promise<void>;
  /** While the room is read: awaited between any two packs, so that others have their turn. */
  readonly turn?: (() => Promise<void>) | undefined;
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
    keptKids: new Set(),
    admitters: [],
    drafts: new Map(),
    draftsLeft: 0,
    draftsToSign: 0,
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
    rewriting: Promise.resolve(),
  };
  learnMetaSchema(core.state);
  return core;
}

/** What is small at rest becomes one of so many times its size. */
export function fanInOf({ ports }: Pick<RoomCore, 'ports'>): number {
  return ports.fanIn ?? 8;
}

/** Counts a typed outcome; every hostile input ends here exactly once. */
export function countFault(core: RoomCore, code: string): void {
  core.faults.set(code, (core.faults.get(code) ?? 0) + 1);
}

export function bump(core: RoomCore, name: string, by = 1): void {
  core.counters.set(name, (core.counters.get(name) ?? 0) + by);
}

/** One transaction of the room, counted: everything that it stores while it is open goes through here. */
export async function commitRows(core: RoomCore, ops: readonly StoreOp[], o?: { strict?: boolean }): Promise<void> {
  await core.ports.store.commit(ops, o);
  bump(core, 'commits');
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

/** Resolves after so long, when others have had their turn. */
export function pause({ ports }: Pick<RoomCore, 'ports'>, ms: number): Promise<void> {
  return new Promise((resolve) => ports.time.after(ms, resolve));
}

/** Work that goes on for so long gives timers, calls and frames their turn between two parts of it. */
const turnMs = 8;

/** To be called between two parts of long work: something to wait for when others are due, else undefined. */
export function createTurns({ ports }: Pick<RoomCore, 'ports'>, ms: number = turnMs): () => Promise<void> | undefined {
  const { time } = ports;
  const lastsMs = ports.turnMs ?? ms;
  let sinceMs = time.now();
  return () => {
    if (time.now() < sinceMs + lastsMs) return undefined;
    return pause({ ports }, 0).then(() => {
      sinceMs = time.now();
    });
  };
}

export function now(core: RoomCore): number {
  return roomNow(core.ports.time.now(), core.offsetsMs);
}

/** Keeps an epoch key: in memory, and sealed on the disk with this step (strictly: a key must not be lost). */
export function learnKey(core: RoomCore, step: Step, k: { readonly kid: Bytes; readonly key: Bytes }): void {
  const kidHex = toHex(k.kid);
  if (core.epochKeys.has(kidHex)) return;
  setKey(core, kidHex, k.key);
  storeKey(core, step, kidHex, k.key);
}

function storeKey(core: RoomCore, step: Step, kidHex: string, key: Bytes): void {
  const sealed = core.ports.vault.sealAtRest('epoch-key', key);
  step.ops.push({ do: 'put', table: 'keys', key: [core.room, kidHex], value: sealed });
  step.strict = true;
}

/** The key of a join answer goes to the disk, with the first that lies there under it: so that opens after a restart too. */
export function keepJoinKey(core: RoomCore, step: Step, kidHex: string): void {
  const [key, isOfAnswer] = [core.epochKeys.get(kidHex), core.joinKids.some((kid) => toHex(kid) === kidHex)];
  if (key === undefined || !isOfAnswer || core.keptKids.has(kidHex)) return;
  core.keptKids.add(kidHex);
  step.failures.push(() => core.keptKids.delete(kidHex));
  storeKey(core, step, kidHex, key);
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
