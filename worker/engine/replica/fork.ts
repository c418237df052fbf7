import { equalBytes, isZero, toHex, type Bytes } from '../../../src/core/base/index.js';
import { standingPath, type TreeEntry } from '../../../src/core/access/index.js';
import type { Fork, PackPlace } from './branches.js';
import { chainKey, controlKey, idAt, type DomainReplica, type ReplicaState } from './state.js';
import { unitFrom, type Unit } from './unit.js';

/** Where a unit stands against what is held of its chain. */
export type UnitPlace =
  | { readonly is: 'known' }
  /** What of it comes after the head. */
  | { readonly is: 'next'; readonly unit: Unit }
  /** What of it lies on a branch. `changes`: what stands here is no longer the same. */
  | { readonly is: 'branch'; readonly unit: Unit; readonly changes: boolean }
  /** It continues something that is not here. */
  | { readonly is: 'gap' };

export function placeOf(state: ReplicaState, domain: DomainReplica, unit: Unit): UnitPlace {
  const author = toHex(unit.author);
  const chain = domain.chainsByAuthor.get(author);
  const fork = state.forks.get(chainKey(toHex(domain.id), author));
  const before = idAt(chain, unit.fromSeq - 1);
  const isAnyPrev = state.weaknesses?.has('prev') === true && before !== undefined;
  const isOnChain =
    isAnyPrev || (unit.fromSeq === 0 ? isZero(unit.prevId) : before !== undefined && equalBytes(before, unit.prevId));
  if (!isOnChain) {
    if (!domain.fallen.has(toHex(unit.prevId))) return { is: 'gap' };
    return areFallen(domain, unit) ? { is: 'known' } : { is: 'branch', unit, changes: false };
  }
  for (const entry of unit.entries) {
    const mine = idAt(chain, entry.seq);
    if (mine !== undefined && equalBytes(mine, entry.id)) continue;
    const rest = unitFrom(unit, entry.seq);
    const id = toHex(entry.id);
    if (mine === undefined && !isBarred(fork, entry.seq, id)) return { is: 'next', unit: rest };
    if (areFallen(domain, rest)) return { is: 'known' };
    const rival = fork?.winners.get(entry.seq) ?? (mine && toHex(mine));
    const changes = isFounderControl(state, toHex(domain.id), author)
      ? rival !== undefined && id < rival
      : fork === undefined || fork.end === null || entry.seq < fork.end;
    return { is: 'branch', unit: rest, changes };
  }
  return { is: 'known' };
}

function areFallen(domain: DomainReplica, unit: Unit): boolean {
  return unit.entries.every((entry) => domain.fallen.has(toHex(entry.id)));
}

function isBarred(fork: Fork | undefined, seq: number, id: string): boolean {
  if (fork === undefined) return false;
  if (fork.end !== null) return seq >= fork.end;
  const winner = fork.winners.get(seq);
  return winner !== undefined && winner !== id;
}

/** The founder's control alone goes on after a fork: nobody is senior to settle it otherwise. */
function isFounderControl(state: ReplicaState, domainHex: string, author: string): boolean {
  return domainHex === controlKey && (state.founder ?? state.log[0]?.author) === author;
}

/** Where the chain of a unit ends (F6), or null. */
export function endOf(state: ReplicaState, domainHex: string, author: string): number | null {
  return state.forks.get(chainKey(domainHex, author))?.end ?? null;
}

/**
 * Before anything stored is admitted: which chains have forks, and where. A branch may begin inside a pack of which only
 * the part before it was admitted.
 */
export function planForks(state: ReplicaState, stored: readonly { readonly unit: Unit }[]): void {
  const suspects = new Map<string, TreeEntry[]>();
  const ends = new Map<string, number>();
  for (const { unit } of [...stored].sort((a, b) => a.unit.fromSeq - b.unit.fromSeq)) {
    const key = chainKey(toHex(unit.domainId), toHex(unit.author));
    const end = ends.get(key) ?? 0;
    if (unit.fromSeq < end) suspects.set(key, []);
    ends.set(key, Math.max(end, unit.fromSeq + unit.entries.length));
  }
  if (suspects.size === 0) return;
  state.founder = founderOf(state, stored);
  for (const { unit } of stored) {
    const entries = suspects.get(chainKey(toHex(unit.domainId), toHex(unit.author)));
    for (const { id, seq, prev } of entries === undefined ? [] : unit.entries)
      entries?.push({ id: toHex(id), prev: seq === 0 ? '' : toHex(prev) });
  }
  for (const [key, entries] of suspects) {
    const isFounder = key === chainKey(controlKey, state.founder ?? '');
    const { forks } = standingPath(entries, isFounder);
    const [end] = forks.keys();
    if (end === undefined) continue;
    const winners = new Map([...forks].flatMap(([seq, id]) => (id === null ? [] : [[seq, id] as const])));
    state.forks.set(key, { end: isFounder ? null : end, winners, packs: [], citedTo: -1 });
  }
}

function founderOf(state: ReplicaState, stored: readonly { readonly unit: Unit }[]): string | null {
  for (const { unit } of stored) {
    const [first] = unit.entries;
    if (first !== undefined && equalBytes(first.id, state.roomId)) return toHex(unit.author);
  }
  return null;
}

/** The fork of a unit's chain; made where the founder's control has its first: only there it may change nothing of what stands. */
export function forkOf(state: ReplicaState, domain: DomainReplica, unit: Unit): Fork {
  const author = toHex(unit.author);
  const key = chainKey(toHex(domain.id), author);
  const known = state.forks.get(key);
  const end = isFounderControl(state, toHex(domain.id), author) ? null : unit.fromSeq;
  const fork: Fork = known ?? { end, winners: new Map(), packs: [], citedTo: -1 };
  if (known === undefined) state.forks.set(key, fork);
  const mine = fork.end === null ? idAt(domain.chainsByAuthor.get(author), unit.fromSeq) : undefined;
  if (mine !== undefined && !fork.winners.has(unit.fromSeq)) fork.winners.set(unit.fromSeq, toHex(mine));
  return fork;
}

/** Notes where a pack lies that has entries which do not stand; a longer copy of a branch takes the place of a shorter. */
export function noteBranchPack(fork: Fork, place: PackPlace): void {
  const same = fork.packs.findIndex((other) => other.fromSeq === place.fromSeq && other.branch === place.branch);
  if (same >= 0) fork.packs.splice(same, 1);
  fork.packs.push(place);
}

/** An entry that does not stand becomes known. */
export function fall(
  state: ReplicaState,
  domain: DomainReplica,
  entry: {
    readonly id: Bytes;
    readonly author: Bytes;
    readonly seq: number;
    readonly hlcMs: number;
    readonly hlcCtr: number;
  },
): void {
  const id = toHex(entry.id);
  const hlc = { ms: entry.hlcMs, ctr: entry.hlcCtr };
  const isCited = domain.fallen.get(id)?.isCited === true;
  domain.fallen.set(id, { author: toHex(entry.author), seq: entry.seq, hlc, isCited });
  state.voids.set(id, toHex(domain.id) === controlKey ? 'control/fork' : 'entry/fork');
}
