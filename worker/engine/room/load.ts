import { faultOutcomes, toHex, type Bytes, type Fault, type FaultCode } from '../../../src/core/base/index.js';
import type { Entry } from '../../../src/core/entry/index.js';
import { maxHlc } from '../../../src/core/clock/index.js';
import { storedBytes, type StoreRow } from '../../../src/ports/index.js';
import {
  admitUnit,
  awaitedBy,
  chainKey,
  controlKey,
  createReplicaState,
  createWaits,
  domainOf,
  freedBy,
  keepBranch,
  learnMetaSchema,
  planForks,
  schemaCount,
  type PackPlace,
  type Unit,
} from '../replica/index.js';
import { givenUp } from '../call-error.js';
import { bump, countFault, createTurns, now, setKey, unitKeys, type RoomCore } from './core.js';
import { loadDrafts } from './drafts/load.js';
import { readSnapshot } from './snapshot/read.js';
import { restoreRoom, type TailUnit } from './snapshot/restore.js';
import { readRoom, type StoredRoom } from './stored.js';
import { noteUndelivered } from './undelivered.js';
import { openUnit } from './units.js';

/** How a room is read. */
export interface LoadOptions {
  readonly isReplay?: boolean;
  /** Asked again and again: ends with 'aborted' when nobody waits for the room any more. */
  readonly isOver?: () => boolean;
  /** What was asked for already. */
  readonly stored?: Promise<StoredRoom>;
}

/**
 * Rebuilds the room's state from the disk: keys, then packs (control first, then meta, then data), then drafts. Of what a
 * snapshot covers, control alone is read; where it does not fit, and with `isReplay`, everything is.
 * A row that does not open or fit is counted as 'store/corrupt' and left out: its chain ends there, and what lies behind
 * waits until peers send it again. Author signatures were checked before the packs were stored, and the seal covers the
 * bytes since.
 */
export async function loadRoom(core: RoomCore, o: LoadOptions = {}): Promise<void> {
  const isReplay = o.isReplay === true || core.snapshot?.isBad === true;
  const turn = createTurn(core, o.isOver);
  const stored = o.stored ?? readRoom(core.ports.store, core.room);
  const fresh =
    (isReplay ? null : await opened(core, stored, turn)) ?? (await replayed(freshCore(core, turn), await stored));
  fresh.state.isStale = false; // everything was judged with all of meta read before it
  const { state, held, drafts, undelivered, lastHlc, blocked, snapshot: used } = fresh;
  Object.assign(core, { state, held, drafts, undelivered, lastHlc, blocked, snapshot: used });
  refill(core.epochKeys, fresh.epochKeys);
  refill(core.marks, fresh.marks);
  refill(core.delivered, fresh.delivered);
  refill(core.fallenOwn, fresh.fallenOwn);
  refill(core.parts, fresh.parts);
  for (const [code, n] of fresh.faults) core.faults.set(code, (core.faults.get(code) ?? 0) + n);
}

/** The longest that reading a room keeps its engine from hearing that nobody waits for it any more. */
const maxTurnMs = 50;

/** Lets others have their turn, now and then; ends what nobody waits for. */
function createTurn(core: RoomCore, isOver: LoadOptions['isOver']): RoomCore['turn'] {
  if (isOver === undefined) return undefined;
  const othersDue = createTurns(core, maxTurnMs);
  return async () => {
    await othersDue();
    if (isOver()) throw givenUp();
  };
}

/** Aside, and then all at once: what reads the state meanwhile must not see a part of it. */
function freshCore(core: RoomCore, turn: RoomCore['turn']): RoomCore {
  core.counters.set('bytesStored', 0);
  return {
    ...core,
    turn,
    state: createReplicaState(core.roomId, core.ports.weaknesses),
    epochKeys: joiningKeys(core),
    marks: new Map(),
    delivered: new Map(),
    undelivered: new Map(),
    fallenOwn: new Map(),
    parts: new Map(),
    faults: new Map(),
    // What waits came from peers that will not send it again unasked.
    held: core.held.filter((item) => item.stored === null && item.isRead !== true),
  };
}

/** Null when there is no snapshot, or none of this history. */
async function opened(core: RoomCore, reading: Promise<StoredRoom>, turn: RoomCore['turn']): Promise<RoomCore | null> {
  const fresh = freshCore(core, turn);
  const stored = await reading;
  loadRows(fresh, stored);
  core.snapshot = null;
  if (stored.state('snapshot').length === 0) return null;
  // What control says is opened while the snapshot is.
  const [snapshot, control] = await Promise.all([readSnapshot(core, stored), openRows(fresh, stored.control)]);
  if (snapshot === null) return null;
  const isRestored = await restoreRoom(fresh, snapshot, { stored, control, openRows, admitAll });
  noteBlock(fresh);
  if (!isRestored || !(await loadDrafts(fresh, snapshot.head.drafts))) {
    bump(fresh, 'snapshotsStale');
    return null;
  }
  bump(fresh, 'snapshotsUsed');
  fresh.snapshot = { changes: snapshot.head.changes, blocks: snapshot.blocks.length, isBad: false };
  return fresh;
}

async function replayed(fresh: RoomCore, stored: StoredRoom): Promise<RoomCore> {
  loadRows(fresh, stored);
  await replay(fresh, stored);
  noteBlock(fresh);
  await loadDrafts(fresh);
  return fresh;
}

function refill<K, V>(map: Map<K, V>, from: ReadonlyMap<K, V>): void {
  map.clear();
  for (const [key, value] of from) map.set(key, value);
}

function loadRows(core: RoomCore, stored: StoredRoom): void {
  learnMetaSchema(core.state);
  loadKeys(core, stored);
  loadMarks(core, stored);
  for (const { value } of stored.state('blocked')) if (typeof value === 'string') core.blocked = value;
}

async function replay(core: RoomCore, { state }: StoredRoom): Promise<void> {
  const packs = await core.ports.store.list('packs', [core.room]);
  const stored = [...(await openRows(core, packs)), ...(await openRows(core, state('fork')))];
  planForks(core.state, stored);
  const isControl = ({ unit }: StoredUnit): boolean => toHex(unit.domainId) === controlKey;
  const isMeta = ({ unit }: StoredUnit): boolean =>
    core.state.access.domains.get(toHex(unit.domainId))?.isMeta === true;
  await admitAll(core, stored.filter(isControl));
  const content = stored.filter((item) => !isControl(item));
  await admitAll(core, content.filter(isMeta));
  await admitAll(
    core,
    content.filter((item) => !isMeta(item)),
  );
}

/** A device that was cloned, or whose own chain has a fork, never signs again in this room (F6, F10). */
function noteBlock(core: RoomCore): void {
  if ([...core.state.forks.keys()].some((key) => key.endsWith(`/${core.device}`))) core.blocked ??= 'device/forked';
}

/** A joiner's first key is not on the disk yet. */
function joiningKeys(core: RoomCore): Map<string, Bytes> {
  const keys = new Map<string, Bytes>();
  for (const kid of core.joinKids.map(toHex)) {
    const key = core.epochKeys.get(kid);
    if (key !== undefined) keys.set(kid, key);
  }
  return keys;
}

/** Keys on the disk; a key of a step that failed comes again with its control entry. */
function loadKeys(core: RoomCore, stored: StoredRoom): void {
  for (const [kid, key] of core.epochKeys) setKey(core, kid, key);
  for (const row of stored.keys) {
    const [kid, sealed] = [row.key[1], storedBytes(row.value)];
    const key = sealed && core.ports.vault.openAtRest('epoch-key', sealed);
    if (typeof kid === 'string' && key) setKey(core, kid, key);
    else countFault(core, 'store/corrupt');
  }
}

function loadMarks(core: RoomCore, stored: StoredRoom): void {
  for (const row of stored.marks) {
    const [tab, n] = [row.key[1], row.value];
    if (typeof tab === 'string' && typeof n === 'number') core.marks.set(tab, n);
  }
  for (const row of stored.state('delivered')) {
    const [domain, count] = [row.key[2], row.value];
    if (typeof domain === 'string' && typeof count === 'number') core.delivered.set(domain, count);
  }
  for (const row of stored.state('part')) {
    const [domain, author, count] = [row.key[2], row.key[3], row.value];
    if (typeof domain === 'string' && typeof author === 'string' && typeof count === 'number')
      core.parts.set(chainKey(domain, author), count);
  }
}

/** A stored pack, opened. */
type StoredUnit = TailUnit;

interface WaitingUnit extends StoredUnit {
  /** Whether some of it is admitted. */
  isPart: boolean;
  /** What it waits for, and the keys of that. */
  code: FaultCode;
  awaits: readonly string[];
}

async function openRows(core: RoomCore, rows: readonly StoreRow[]): Promise<StoredUnit[]> {
  const units: StoredUnit[] = [];
  for (const row of rows) {
    await core.turn?.();
    const bytes = storedBytes(row.value);
    bump(core, 'bytesStored', bytes?.length ?? 0);
    const unit = bytes && (await openUnit(bytes, { ports: core.ports, keys: unitKeys(core) }));
    const place = unit?.ok === true ? placeOfRow(row, unit.value) : null;
    if (unit?.ok === true && place !== null) units.push({ unit: unit.value, place });
    else countFault(core, 'store/corrupt');
  }
  return units;
}

/** Null when the row is not where its pack belongs. */
function placeOfRow({ key }: StoreRow, unit: Unit): PackPlace | null {
  const isBranch = key[1] === 'fork';
  const first = toHex(unit.entries[0]?.id ?? unit.prevId);
  const [domain, author, fromSeq, branch] = key.slice(isBranch ? 2 : 1);
  const isHere = domain === toHex(unit.domainId) && author === toHex(unit.author) && fromSeq === unit.fromSeq;
  if (!isHere || (isBranch && branch !== first)) return null;
  return { fromSeq: unit.fromSeq, count: unit.entries.length, branch: isBranch ? first : null };
}

/** Admits units in causal order: each again when what it waits for has come. What waits for more is held, not lost. */
async function admitAll(core: RoomCore, units: readonly StoredUnit[]): Promise<void> {
  const queue = units.map((item): WaitingUnit => ({ isPart: false, ...item, code: 'entry/missing-dep', awaits: [] }));
  const waits = createWaits<WaitingUnit>();
  for (const item of queue) {
    await core.turn?.();
    const schemas = schemaCount(core.state);
    const { is, fault } = admitStored(core, item);
    if (is !== 'waits' && waits.left.size > 0) queue.push(...waits.free(freedBy(core.state, item.unit, schemas)));
    if (fault === null) continue;
    item.isPart ||= is === 'part';
    item.code = fault.code;
    item.awaits = awaitedBy(core.state, item.unit, fault);
    waits.add(item);
  }
  for (const { unit, place, isPart, code, awaits } of waits.left)
    core.held.push({
      unit,
      code,
      awaits,
      bytes: 0,
      stored: isPart || place.branch !== null ? place : null,
      isRead: true,
    });
}

function admitStored(
  core: RoomCore,
  { unit, place, isPart }: StoredUnit & { readonly isPart: boolean },
): { readonly is: 'done' | 'part' | 'waits'; readonly fault: Fault | null } {
  const knownTo = core.parts.get(chainKey(toHex(unit.domainId), toHex(unit.author))) ?? Infinity;
  const isControl = toHex(unit.domainId) === controlKey;
  const time = { roomNowMs: isControl ? Number.MAX_SAFE_INTEGER : now(core), knownTo };
  const outcome = admitUnit(core.state, unit, { ...time, isStored: isPart, branch: place.branch });
  switch (outcome.outcome) {
    case 'known':
      return { is: 'done', fault: null };
    case 'branch': {
      const fault = keepBranch(core.state, outcome.unit, { place, roomNowMs: Number.MAX_SAFE_INTEGER });
      if (toHex(unit.author) === core.device) noteFallenOwn(core, outcome.unit.entries);
      const waits = fault !== null && faultOutcomes[fault.code] === 'hold';
      return waits ? { is: 'waits', fault } : { is: 'done', fault: null };
    }
    case 'held':
      return { is: 'waits', fault: outcome.fault };
    case 'rejected':
      countFault(core, outcome.fault.code);
      return { is: 'done', fault: null };
    case 'admitted':
      break;
  }
  for (const entry of outcome.entries) core.lastHlc = maxHlc(core.lastHlc, { ms: entry.hlcMs, ctr: entry.hlcCtr });
  if (toHex(unit.author) === core.device) {
    noteUndelivered(core, outcome.entries);
    noteFallenOwn(core, unit.entries);
  }
  return { is: outcome.rest === null ? 'done' : 'part', fault: outcome.rest };
}

/** What an own fork has taken from its author: kept until it was shown. */
function noteFallenOwn(core: RoomCore, entries: readonly Entry[]): void {
  for (const { id, payload, domainId } of entries) {
    const isFallen = domainOf(core.state, toHex(domainId))?.fallen.has(toHex(id)) === true;
    if (isFallen && payload !== null && toHex(domainId) !== controlKey) core.fallenOwn.set(toHex(id), payload);
  }
}
