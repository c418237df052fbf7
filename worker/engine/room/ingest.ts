import { fail, faultOutcomes, toHex, type Bytes, type Fault } from '../../../src/core/base/index.js';
import { decodeControl } from '../../../src/core/access/index.js';
import { bindOf } from '../../../src/core/admission/index.js';
import { maxHlc } from '../../../src/core/clock/index.js';
import { isLowOrderX25519 } from '../../../src/core/crypto/index.js';
import { bindMessage } from '../../../src/core/identity/index.js';
import type { Entry } from '../../../src/core/entry/index.js';
import { addChanged } from '../../../src/core/record/index.js';
import {
  admitUnit,
  awaitedBy,
  chainKey,
  controlKey,
  countOf,
  createWaits,
  domainOf,
  freedBy,
  keepBranch,
  schemaCount,
  type PackPlace,
  type Unit,
  type UnitOutcome,
} from '../replica/index.js';
import { storeBranch, storeUnit } from './author.js';
import { bump, countFault, now, type HeldUnit, type RoomCore } from './core.js';
import { hold } from './hold.js';
import { loadAwaited, loadBefore } from './hydrate.js';
import { learnKeysOf } from './learn-keys.js';
import { noteUndelivered } from './undelivered.js';
import { branchKey } from './rows.js';
import type { Step } from './step.js';

/** What a verified unit led to, itself and whatever it released. */
export interface Ingested {
  readonly outcome: UnitOutcome['outcome'];
  readonly fault: Fault | null;
  /** Everything newly admitted, in order. */
  readonly admitted: readonly Entry[];
  /** Own entries that turned out to have no effect. */
  readonly ownVoided: readonly { readonly entry: Entry; readonly fault: Fault }[];
  readonly controlChanged: boolean;
  /** Effects given before no longer hold: the state must be rebuilt from the disk after this step. */
  readonly mustReload: boolean;
  /** Another copy of this device has signed something else for a place of its own chain (F6). */
  readonly ownFork: boolean;
  /** Something that was not here is now, or waits. */
  readonly isNews: boolean;
}

/** Packs of branches that are kept of one chain for the asking; more only when something that waits needs them. */
const maxFreeBranchPacks = 8;
interface Progress {
  readonly admitted: Entry[];
  readonly ownVoided: { entry: Entry; fault: Fault }[];
  controlChanged: boolean;
  mustReload: boolean;
  ownFork: boolean;
  /** Something became known on which others may wait, whether or not it stands; */
  hasFreed: boolean;
  /** as keys of freedBy, where something waits. */
  readonly freed: string[];
}

function noProgress(): Progress {
  return {
    admitted: [],
    ownVoided: [],
    controlChanged: false,
    mustReload: false,
    ownFork: false,
    hasFreed: false,
    freed: [],
  };
}

/**
 * Takes a unit whose author signature is checked into the room: admission, the commit's rows, held units that it
 * releases, keys that it brings. `bytes` is what it weighs while it waits, `pack` the pack in which it came.
 */
export async function ingestUnit(
  core: RoomCore,
  step: Step,
  o: { readonly unit: Unit; readonly bytes: number; readonly pack?: Bytes },
): Promise<Ingested> {
  const progress = noProgress();
  const bindFault = await checkBind(core, o.unit);
  if (bindFault !== null) {
    countFault(core, bindFault.code);
    return { ...progress, outcome: 'rejected', fault: bindFault, isNews: false };
  }
  const voidsBefore = voidedGrants(core);
  const outcome = await tryUnit(core, step, { unit: o.unit, stored: null, pack: o.pack ?? null }, progress);
  const fault = 'fault' in outcome ? outcome.fault : outcome.outcome === 'admitted' ? outcome.rest : null;
  if (fault !== null) countFault(core, fault.code);
  const waits = fault !== null && faultOutcomes[fault.code] === 'hold';
  const isKept =
    waits && hold(core, { ...waitingUnit(core, o.unit, fault), bytes: o.bytes, stored: storedPlace(outcome) });
  const isNews = isKept || progress.hasFreed || progress.mustReload;
  await releaseHeld(core, step, progress);
  noteStale(core, progress, voidsBefore);
  return { ...progress, outcome: outcome.outcome, fault, isNews };
}

function waitingUnit(core: RoomCore, unit: Unit, fault: Fault): Pick<HeldUnit, 'unit' | 'code' | 'awaits'> {
  return { unit, code: fault.code, awaits: awaitedBy(core.state, unit, fault) };
}

/** Where the pack of a unit lies of which a part is admitted. */
function storedPlace(outcome: UnitOutcome): PackPlace | null {
  if (outcome.outcome !== 'admitted' || outcome.store === null) return null;
  return { fromSeq: outcome.store.fromSeq, count: outcome.store.entries.length, branch: null };
}

/** What is in memory is not what reading the disk would give: until that is done, nothing is made of it that lasts. */
function noteStale(core: RoomCore, progress: Progress, voidsBefore: string): void {
  if (core.state.isStale || (progress.controlChanged && voidedGrants(core) !== voidsBefore)) progress.mustReload = true;
  if (progress.mustReload) core.state.isStale = true;
}

/** Which grants have no effect, as a text to compare. */
function voidedGrants(core: RoomCore): string {
  return [...core.state.access.voids.keys()].sort().join();
}

async function tryUnit(
  core: RoomCore,
  step: Step,
  item: { readonly unit: Unit; readonly stored: PackPlace | null; readonly pack?: Bytes | null },
  progress: Progress,
): Promise<UnitOutcome> {
  await loadBefore(core, item.unit);
  const schemas = schemaCount(core.state);
  const outcome = admitUnit(core.state, item.unit, { roomNowMs: now(core), isStored: item.stored !== null });
  if (outcome.outcome === 'branch') return takeBranch(core, step, { ...outcome, stored: item.stored }, progress);
  if (outcome.outcome !== 'admitted') return outcome;
  const isWhole = outcome.store === item.unit;
  if (outcome.store !== null) await storeUnit(core, step, outcome.store, isWhole ? item.pack : null);
  for (const entry of outcome.entries) core.lastHlc = maxHlc(core.lastHlc, { ms: entry.hlcMs, ctr: entry.hlcCtr });
  addChanged(step.changed, outcome.changed);
  progress.admitted.push(...outcome.entries);
  noteFreed(core, progress, item.unit, schemas);
  notePart(core, step, item.unit, outcome.rest !== null);
  for (const voided of outcome.voided) {
    countFault(core, voided.fault.code);
    if (toHex(voided.entry.author) === core.device) progress.ownVoided.push(voided);
  }
  if (toHex(item.unit.author) === core.device) noteUndelivered(core, outcome.entries); // a tail that was lost here
  bump(core, 'entriesAdmitted', outcome.entries.length);
  if (outcome.isControl) await takeControl(core, step, outcome.entries, progress);
  else if (core.state.access.domains.get(toHex(item.unit.domainId))?.isMeta === true) step.infoChanged = true;
  return outcome;
}

function noteFreed(core: RoomCore, progress: Progress, unit: Unit, schemas: number): void {
  progress.hasFreed = true;
  if (core.held.length > 0) progress.freed.push(...freedBy(core.state, unit, schemas));
}

/** How far a pack that is stored whole is admitted: a restart must not take the rest in without looking at its time. */
function notePart(core: RoomCore, step: Step, unit: Unit, isPart: boolean): void {
  const [domain, author] = [toHex(unit.domainId), toHex(unit.author)];
  const [chain, row] = [chainKey(domain, author), [core.room, 'part', domain, author]];
  const count = countOf(domainOf(core.state, domain)?.chainsByAuthor.get(author));
  if (isPart) {
    core.parts.set(chain, count);
    step.ops.push({ do: 'put', table: 'state', key: row, value: count });
  } else if (core.parts.delete(chain)) step.ops.push({ do: 'delete', table: 'state', key: row });
}

async function takeControl(core: RoomCore, step: Step, entries: readonly Entry[], progress: Progress): Promise<void> {
  progress.controlChanged = true;
  step.infoChanged = true;
  for (const entry of entries) await learnKeysOf(core, step, entry);
}

type Branch = Extract<UnitOutcome, { outcome: 'branch' }>;

/**
 * A second entry for one place (F6). When it changes what stands, its pack is stored as proof and the room is read anew
 * from the disk, where everything falls into its place; else it is kept only as far as somebody may need it.
 */
async function takeBranch(
  core: RoomCore,
  step: Step,
  branch: Branch & { readonly stored: PackPlace | null },
  progress: Progress,
): Promise<UnitOutcome> {
  const { unit, changes } = branch;
  if (toHex(unit.author) === core.device) progress.ownFork = true;
  const chain = chainKey(toHex(unit.domainId), toHex(unit.author));
  const due = core.state.dueForks.get(chain);
  const isWorth = changes
    ? due === undefined || unit.fromSeq < due.fromSeq || isAwaited(core, unit)
    : isWorthKeeping(core, unit);
  if (branch.stored === null && !isWorth) return branch;
  bump(core, 'branchesKept');
  if (changes) dropLaterProofs(core, step, unit);
  const place = branch.stored ?? (await storeBranch(core, step, unit));
  if (changes) {
    if (toHex(unit.domainId) !== controlKey) core.state.dueForks.set(chain, place);
    progress.mustReload = true;
    return branch;
  }
  const fault = keepBranch(core.state, unit, { place, roomNowMs: now(core) });
  if (fault !== null && faultOutcomes[fault.code] === 'hold')
    hold(core, { ...waitingUnit(core, unit, fault), bytes: 0, stored: place });
  if (fault !== null) return branch;
  noteFreed(core, progress, unit, schemaCount(core.state));
  if (toHex(unit.domainId) === controlKey) await takeControl(core, step, unit.entries, progress);
  return branch;
}

/** The earliest fork of a chain alone ends it: of what proved a later one in data only what somebody builds on is kept. */
function dropLaterProofs(core: RoomCore, step: Step, unit: Unit): void {
  const [domain, author] = [toHex(unit.domainId), toHex(unit.author)];
  const [replica, chain] = [domainOf(core.state, domain), chainKey(domain, author)];
  if (replica === null || replica === core.state.control) return;
  const awaited = awaitedIds(core);
  const needed = [...replica.fallen].filter(
    ([id, entry]) => entry.author === author && (entry.isCited || awaited.has(id)),
  );
  const due = core.state.dueForks.get(chain);
  const packs = core.state.forks.get(chain)?.packs ?? [];
  for (const place of [...packs, ...(due === undefined ? [] : [due])]) {
    const { fromSeq, count, branch } = place;
    const isNeeded = awaited.has(branch ?? '') || needed.some(([, { seq }]) => seq >= fromSeq && seq < fromSeq + count);
    if (branch === null || fromSeq <= unit.fromSeq || isNeeded) continue;
    if (packs.includes(place)) packs.splice(packs.indexOf(place), 1);
    step.ops.push({ do: 'delete', table: 'state', key: branchKey(core.room, { domain, author, fromSeq, branch }) });
  }
}

/** A few branches are kept of everybody's fork; beyond, what continues a kept one and what something here waits for. */
function isWorthKeeping(core: RoomCore, unit: Unit): boolean {
  const domain = domainOf(core.state, toHex(unit.domainId));
  const fork = core.state.forks.get(chainKey(toHex(unit.domainId), toHex(unit.author)));
  const [first] = unit.entries;
  if (domain === null || first === undefined || fork === undefined) return true;
  if (domain.fallen.has(toHex(unit.prevId)) || domain.fallen.has(toHex(first.id))) return true;
  return fork.packs.length < maxFreeBranchPacks || isAwaited(core, unit);
}

/** What those that wait name: entries, and epochs. */
function awaitedIds(core: RoomCore): ReadonlySet<string> {
  const wanted = new Set<string>();
  for (const { unit: waiting } of core.held) {
    wanted.add(toHex(waiting.prevId));
    for (const { deps, cap, kid } of waiting.entries) for (const id of [...deps, cap, kid]) wanted.add(toHex(id));
  }
  return wanted;
}

/** Whether something that waits names an entry of the unit, or an epoch that it makes. */
function isAwaited(core: RoomCore, unit: Unit): boolean {
  const wanted = awaitedIds(core);
  return unit.entries.some(({ id, kind, payload }) => {
    const control = payload && decodeControl(kind, payload);
    const kid = control !== null && control !== 'unsupported' && control.kind === 'epoch' ? control.kid : id;
    return wanted.has(toHex(id)) || wanted.has(toHex(kid));
  });
}

/** Tries what waits for something that is there now, or all, and then what waits for that. */
async function releaseHeld(core: RoomCore, step: Step, progress: Progress, isAll = false): Promise<void> {
  if (core.held.length === 0 || (!isAll && progress.freed.length === 0)) return;
  const waits = createWaits<HeldUnit>();
  const queue = isAll ? [...core.held] : [];
  if (!isAll) core.held.forEach(waits.add);
  for (let i = 0; ; i++) {
    queue.push(...waits.free(progress.freed.splice(0)));
    const item = queue[i];
    if (item === undefined) return;
    const before = core.held.at(-1);
    const again = await tryAgain(core, step, item, progress);
    const newest = core.held.at(-1);
    if (newest !== undefined && newest !== before && newest !== again) waits.add(newest); // a branch that waits
    if (again !== null) waits.add(again);
  }
}

/** Tries one that waits; what it waits for then, or null when it is gone. */
async function tryAgain(core: RoomCore, step: Step, item: HeldUnit, progress: Progress): Promise<HeldUnit | null> {
  const outcome = await tryUnit(core, step, item, progress);
  const fault = outcome.outcome === 'admitted' ? outcome.rest : outcome.outcome === 'held' ? outcome.fault : null;
  if (outcome.outcome === 'rejected' || outcome.outcome === 'branch') countFault(core, outcome.fault.code);
  const stored = storedPlace(outcome) ?? item.stored;
  const again = fault && { ...item, ...waitingUnit(core, item.unit, fault), stored };
  const at = core.held.indexOf(item);
  if (at >= 0) core.held.splice(at, 1, ...(again === null ? [] : [again]));
  return again;
}

/** Tries everything that waits once more, for instance because time has passed. */
export async function retryHeld(core: RoomCore, step: Step): Promise<Ingested> {
  const progress = noProgress();
  const voidsBefore = voidedGrants(core);
  await releaseHeld(core, step, progress, true);
  noteStale(core, progress, voidsBefore);
  return { ...progress, outcome: 'known', fault: null, isNews: progress.admitted.length > 0 };
}

/** Tries what waits for an entry once more with all old ones at hand; null: there are no more. Call when nobody sends. */
export async function searchOlder(core: RoomCore, step: Step): Promise<Ingested | null> {
  return (await loadAwaited(core)) ? retryHeld(core, step) : null;
}

/** The signature over the X25519 key that genesis and grants carry (F11), and that this key can be used at all. */
async function checkBind(core: RoomCore, unit: Unit): Promise<Fault | null> {
  if (toHex(unit.domainId) !== controlKey) return null;
  for (const entry of unit.entries) {
    const payload = entry.payload && decodeControl(entry.kind, entry.payload);
    if (payload === null || payload === 'unsupported') continue;
    const bind = bindOf(payload, core.roomId, entry.author);
    if (bind === null) continue;
    const job = { publicKey: bind.device, message: bindMessage(bind.context, bind.x25519), signature: bind.bind };
    const [isGood] = await core.ports.vault.verify([job]);
    if (isGood !== true) return fail('control/bad-bind').fault;
    if (isLowOrderX25519(bind.x25519)) return fail('control/bad-key').fault;
  }
  return null;
}
