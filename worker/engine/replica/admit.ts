import {
  equalBytes,
  fail,
  faultOutcomes,
  idHex,
  isZero,
  toHex,
  type Bytes,
  type Fault,
  type Result,
} from '../../../src/core/base/index.js';
import { evaluateAccess, type ControlRecord } from '../../../src/core/access/index.js';
import {
  admitData,
  judgeCandidate,
  judgeEffect,
  prepareControl,
  type ControlContext,
  type DataContext,
} from '../../../src/core/admission/index.js';
import type { Hlc } from '../../../src/core/clock/index.js';
import type { Entry } from '../../../src/core/entry/index.js';
import { decodePayload, type Payload } from '../../../src/core/op/index.js';
import type { ChangedRecords } from '../../../src/core/record/index.js';
import type { PackPlace } from './branches.js';
import { endOf, fall, forkOf, noteBranchPack, placeOf } from './fork.js';
import { learnFromMeta } from './meta.js';
import type { UnitOutcome } from './outcome.js';
import {
  appendEntry,
  chainKey,
  controlKey,
  domainName,
  domainOf,
  headOf,
  hlcOf,
  noteSigned,
  noteStored,
  type DomainReplica,
  type ReplicaState,
} from './state.js';
import type { Unit } from './unit.js';

export interface AdmitOptions {
  readonly roomNowMs: number;
  /** Entries before this place were admitted in an earlier start: their time was judged then. */
  readonly knownTo?: number;
  /** What the entries do is in the records already: they are this device's own. */
  readonly isApplied?: boolean;
  /** The unit lies on the disk, and its chain knows: part of it was admitted before. */
  readonly isStored?: boolean;
  /** Its pack lies among the branches, under this entry (hex): at start only. */
  readonly branch?: string | null;
}

/**
 * Admits what can be of a unit whose copy has proved itself (commitments, end id, signature; bindings for control).
 * Entries join one by one, because two authors' packs may depend on each other crosswise; the pack is stored whole with
 * its first admitted entry, as its signature stands at its end.
 */
export function admitUnit(state: ReplicaState, unit: Unit, o: AdmitOptions): UnitOutcome {
  const domainHex = toHex(unit.domainId);
  const domain = domainOf(state, domainHex);
  if (domain === null) return held(fail('entry/missing-dep').fault);
  if (isBesideGenesis(state, unit)) return held(fail('entry/wrong-room').fault);
  const place = placeOf(state, domain, unit);
  switch (place.is) {
    case 'known':
      return { outcome: 'known' };
    case 'gap':
      return held(fail('entry/missing-prev').fault);
    case 'branch': {
      const { fault } = fail(domainHex === controlKey ? 'control/fork' : 'entry/fork');
      return { outcome: 'branch', unit: place.unit, changes: place.changes, fault };
    }
    case 'next':
      return domainHex === controlKey
        ? admitControlUnit(state, place.unit, o)
        : admitDataUnit(state, { unit: place.unit, domainHex, domain }, o);
  }
}

/**
 * A genesis is signed for no room: that of another must not pass for a second first entry here. Nor may anything else of
 * its author: of two for the founder's first place the room would begin with the lower (AUTH-1).
 */
function isBesideGenesis(state: ReplicaState, unit: Unit): boolean {
  const [first] = unit.entries;
  if (first === undefined || equalBytes(first.id, state.roomId)) return false;
  const isFirst = first.seq === 0 && toHex(unit.domainId) === controlKey;
  return isZero(first.roomId) || (isFirst && toHex(unit.author) === state.log[0]?.author);
}

function held(fault: Fault): UnitOutcome {
  return { outcome: faultOutcomes[fault.code] === 'reject' ? 'rejected' : 'held', fault };
}

/** Control entries are units of one: each keeps its own signature (F8). */
function admitControlUnit(state: ReplicaState, unit: Unit, o: AdmitOptions): UnitOutcome {
  const record = judgeControlUnit(state, unit, { head: headOf(state.control, toHex(unit.author)), ...o });
  if (!record.ok) return held(record.fault);
  const { entry } = record.value;
  joinLog(state, record.value);
  appendEntry(state.control, entry);
  noteStored(state.control, unit, o.branch ?? null);
  noteSigned(state.control, unit);
  return {
    outcome: 'admitted',
    entries: [entry],
    store: unit,
    rest: null,
    changed: new Map(),
    voided: [],
    isControl: true,
  };
}

function judgeControlUnit(
  state: ReplicaState,
  unit: Unit,
  o: { readonly head: ControlContext['head']; readonly roomNowMs: number },
): Result<ControlRecord> {
  const [entry, second] = unit.entries;
  if (entry === undefined || second !== undefined) return fail('control/malformed');
  const context: ControlContext = {
    roomId: state.roomId,
    log: state.log,
    byId: state.recordsById,
    access: state.access,
    head: o.head,
    roomNowMs: o.roomNowMs,
  };
  const prepared = prepareControl(entry, context);
  return prepared.ok ? judgeCandidate(prepared.value, context) : prepared;
}

function joinLog(state: ReplicaState, record: ControlRecord): void {
  state.log.push(record);
  state.recordsById.set(record.id, record);
  state.access = evaluateAccess(state.log);
}

/**
 * Keeps a branch that does not stand (F6): its entries become known, so that those of others which name them can be
 * admitted. In control they are judged like any entry, as of their own past. The fault of one that cannot be: it waits,
 * or is never in the set; as proof of the fork its pack is kept all the same.
 */
export function keepBranch(
  state: ReplicaState,
  unit: Unit,
  o: { readonly place: PackPlace; readonly roomNowMs: number },
): Fault | null {
  const domain = domainOf(state, toHex(unit.domainId));
  const [first] = unit.entries;
  if (domain === null || first === undefined) return fail('entry/missing-dep').fault;
  noteBranchPack(forkOf(state, domain, unit), o.place);
  if (domain === state.control) {
    const head = unit.fromSeq === 0 ? null : { seq: unit.fromSeq - 1, id: unit.prevId };
    const record = judgeControlUnit(state, unit, { head, roomNowMs: o.roomNowMs });
    if (!record.ok) return record.fault;
    joinLog(state, { ...record.value, isBranch: true });
  }
  for (const entry of unit.entries) fall(state, domain, entry);
  noteSigned(domain, unit);
  return null;
}

interface DataUnit {
  readonly unit: Unit;
  readonly domainHex: string;
  readonly domain: DomainReplica;
}

function admitDataUnit(state: ReplicaState, d: DataUnit, o: AdmitOptions): UnitOutcome {
  const entries: Entry[] = [];
  const changed: ChangedRecords = new Map();
  const voided: { entry: Entry; fault: Fault }[] = [];
  const end = endOf(state, d.domainHex, toHex(d.unit.author)) ?? Infinity;
  let rest: Fault | null = null;
  const unitContext = dataContext(state, d.domainHex, { head: null, roomNowMs: o.roomNowMs });
  for (const entry of d.unit.entries) {
    if (entry.seq >= end) {
      fall(state, d.domain, entry);
      continue;
    }
    const head = headBefore(state, d.domain, entry);
    const roomNowMs = entry.seq < (o.knownTo ?? 0) ? Number.MAX_SAFE_INTEGER : o.roomNowMs;
    const context: DataContext = { ...unitContext, head, roomNowMs };
    const admitted = admitData(entry, context);
    const judged = admitted.ok ? effectOf(state, entry, context) : admitted;
    const effect = waitOfVoid(judged, entry, context) ?? judged;
    if (!effect.ok && faultOutcomes[effect.fault.code] !== 'void') {
      rest = effect.fault;
      break;
    }
    appendEntry(d.domain, entry);
    noteCited(state, d.domain, entry);
    entries.push(entry);
    if (!effect.ok) {
      state.voids.set(toHex(entry.id), effect.fault.code);
      voided.push({ entry, fault: effect.fault });
      learnOfVoid(state, entry, context);
    } else if (o.isApplied !== true) {
      const hlc = { ms: entry.hlcMs, ctr: entry.hlcCtr };
      applyPayload(state, { author: entry.author, hlc, payload: effect.value, domainHex: d.domainHex }, changed);
    }
  }
  if (rest !== null && entries.length === 0) return held(rest);
  if (o.isStored !== true) noteStored(d.domain, d.unit, o.branch ?? null);
  if (rest === null) noteSigned(d.domain, d.unit);
  if ((d.unit.entries.at(-1)?.seq ?? 0) >= end) notePastEnd(state, d, o.branch ?? null);
  return {
    outcome: 'admitted',
    entries,
    store: o.isStored === true ? null : d.unit,
    rest,
    changed,
    voided,
    isControl: false,
  };
}

function headBefore(state: ReplicaState, domain: DomainReplica, entry: Entry): DataContext['head'] {
  const head = headOf(domain, idHex(entry.author));
  return head !== null && state.weaknesses?.has('prev') === true ? { ...head, id: entry.prev } : head;
}

const permissionCodes: ReadonlySet<string> = new Set([
  'entry/scope',
  'entry/owner',
  'entry/creator',
  'entry/forbidden',
]);

function effectOf(state: ReplicaState, entry: Entry, context: DataContext): Result<Payload> {
  const effect = judgeEffect(entry, context);
  const isLetPass =
    state.weaknesses?.has('permission') === true && !effect.ok && permissionCodes.has(effect.fault.code);
  return isLetPass && entry.payload !== null ? decodePayload(entry.payload) : effect;
}

/**
 * What others read their own entries by outlives its author's grant, as domains and epochs do (AUTH-7): of an entry of
 * meta that has no effect for that alone, the declarations and names still count.
 */
function learnOfVoid(state: ReplicaState, entry: Entry, context: DataContext): void {
  if (!context.domain.isMeta) return;
  const effect = judgeDespiteVoids(entry, context);
  if (effect.ok) learnFromMeta(state, effect.value.ops, toHex(context.domain.id));
}

/** So it waits like one that has effect, for a domain that it names, say: or nobody would come back to it. */
function waitOfVoid(judged: Result<unknown>, entry: Entry, context: DataContext): Result<never> | null {
  if (judged.ok || !context.domain.isMeta || faultOutcomes[judged.fault.code] !== 'void') return null;
  const effect = judgeDespiteVoids(entry, context);
  return !effect.ok && faultOutcomes[effect.fault.code] === 'hold' ? effect : null;
}

function judgeDespiteVoids(entry: Entry, context: DataContext): Result<Payload> {
  return judgeEffect(entry, { ...context, access: { ...context.access, voids: new Map() } });
}

/** The pack reaches beyond the end of a forked chain: it is one of the proofs. */
function notePastEnd(state: ReplicaState, d: DataUnit, branch: string | null): void {
  const fork = state.forks.get(chainKey(d.domainHex, toHex(d.unit.author)));
  if (fork !== undefined) noteBranchPack(fork, { fromSeq: d.unit.fromSeq, count: d.unit.entries.length, branch });
}

/** Others build on an entry that does not stand: it is served with them. */
function noteCited(state: ReplicaState, domain: DomainReplica, entry: Entry): void {
  if (domain.fallen.size === 0) return;
  for (const dep of entry.deps) {
    const place = domain.fallen.get(toHex(dep));
    const fork = place && state.forks.get(chainKey(toHex(domain.id), place.author));
    if (place) place.isCited = true;
    if (place && fork) fork.citedTo = Math.max(fork.citedTo, place.seq);
  }
}

/** Merges the ops of a payload that has effect (an admitted entry's, or a draft's), and learns schema and names from meta; adds what changed. */
export function applyPayload(
  state: ReplicaState,
  p: { author: Bytes; hlc: Hlc; payload: Payload; domainHex: string },
  changed: ChangedRecords,
): void {
  state.records.apply({ author: idHex(p.author), hlc: p.hlc, ops: p.payload.ops }, changed);
  if (state.access.domains.get(p.domainHex)?.isMeta === true) learnFromMeta(state, p.payload.ops, p.domainHex);
}

/** The context in which an entry of a domain is judged. */
export function dataContext(
  state: ReplicaState,
  domainHex: string,
  o: { head: DataContext['head']; roomNowMs: number },
): DataContext {
  const replica = domainOf(state, domainHex);
  const domain = state.access.domains.get(domainHex);
  if (replica === null || domain === undefined) throw new TypeError(`domain ${domainHex} is not named by control`);
  return {
    access: state.access,
    domain,
    domainName: domainName(state, domainHex),
    head: o.head,
    hlcOf: (idHex) => hlcOf(replica, idHex),
    declaration: (prefixHex) => state.declarations.get(prefixHex)?.declaration ?? null,
    roomNowMs: o.roomNowMs,
  };
}
