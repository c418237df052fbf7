import type { Bytes } from '../base/index.js';
import { compareBytes } from '../base/index.js';
import type { ClockEntry, ClockHead, DomainClock, WindowedClock } from './clock.js';
import { authorBytes, headPrefixBytes, isInWindow, prefixKey } from './clock.js';

/** Entries `from` to `to - 1` of one chain. */
export interface ChainRange {
  readonly author: Bytes;
  readonly from: number;
  /** The first that is not meant. */
  readonly to: number;
}

/** The peer's head is not the entry I hold at that place: one of us has another branch (F6). */
export interface ChainFork extends ChainRange {
  /** Where the ids differ; the branching is here or earlier. */
  readonly seq: number;
  /** First 8 bytes of what the peer holds there. */
  readonly theirHead: Bytes;
}

/** What stands between two sets, as one side sees it. */
export interface Missing {
  /** What I can add to the peer, ascending by author; never the authors under `forks`. */
  readonly ranges: readonly ChainRange[];
  /** Reported apart, from 0 to all I hold: the engine decides what of it to serve. */
  readonly forks: readonly ChainFork[];
  /** What the peer has and I have not: the author's prefix and at least how many entries. */
  readonly lacking: readonly { readonly author: Bytes; readonly atLeast: number }[];
}

/** What {@link missingRanges} has to look up. */
export interface MissingLookups {
  /** Id of the entry at a place I hold; null when that cannot be told at once, and the peer's count is believed. */
  readonly idAt: (author: string, seq: number) => Bytes | null;
  /** Newest seq the peer holds back and need not get again (F17), by author in hex. */
  readonly heldTo?: ReadonlyMap<string, number>;
}

/**
 * The exact difference of two sets, from their clocks alone: chains without holes make the clock the set.
 * `theirs` is shortened; where a prefix is ambiguous on either side the chain is offered from 0.
 */
export function missingRanges(mine: DomainClock, theirs: WindowedClock, lookups: MissingLookups): Missing {
  const theirHeads = byPrefix(theirs.entries, (entry) => entry.author);
  const myAuthors = byPrefix([...mine.keys()].sort(), authorBytes);
  const found: { ranges: ChainRange[]; forks: ChainFork[] } = { ranges: [], forks: [] };
  for (const [prefix, authors] of myAuthors) {
    const heads = theirHeads.get(prefix) ?? [];
    for (const author of authors) {
      if (!isInWindow(authorBytes(author), theirs.window)) continue;
      const head = authors.length === 1 && heads.length === 1 ? heads[0] : undefined;
      compareChain(found, { author, mine: mine.get(author), theirs: head ?? null }, lookups);
    }
  }
  return { ...found, lacking: lackingOf(mine, theirHeads, myAuthors) };
}

interface ChainPair {
  readonly author: string;
  readonly mine: ClockHead | undefined;
  /** Null when the peer has nothing of it, or nothing that can be told apart. */
  readonly theirs: ClockEntry | null;
}

function compareChain(
  found: { ranges: ChainRange[]; forks: ChainFork[] },
  chain: ChainPair,
  lookups: MissingLookups,
): void {
  const to = chain.mine?.count ?? 0;
  const author = authorBytes(chain.author);
  const seq = (chain.theirs?.count ?? 0) - 1;
  if (chain.theirs !== null && seq < to) {
    const id = seq === to - 1 ? (chain.mine?.head ?? null) : lookups.idAt(chain.author, seq);
    if (id !== null && compareBytes(id.subarray(0, headPrefixBytes), chain.theirs.head) !== 0) {
      found.forks.push({ author, from: 0, to, seq, theirHead: chain.theirs.head });
      return;
    }
  }
  const from = Math.max(seq, lookups.heldTo?.get(chain.author) ?? -1) + 1;
  if (from < to) found.ranges.push({ author, from, to });
}

function lackingOf(
  mine: DomainClock,
  theirHeads: ReadonlyMap<string, readonly ClockEntry[]>,
  myAuthors: ReadonlyMap<string, readonly string[]>,
): Missing['lacking'] {
  const lacking: { author: Bytes; atLeast: number }[] = [];
  for (const [prefix, heads] of theirHeads) {
    const authors = myAuthors.get(prefix) ?? [];
    const held = authors.length === 1 ? (mine.get(authors[0] ?? '')?.count ?? 0) : 0;
    for (const head of heads) if (head.count > held) lacking.push({ author: head.author, atLeast: head.count - held });
  }
  return lacking;
}

/** Grouped by the first 16 bytes, in the order of the input. */
function byPrefix<T>(items: readonly T[], authorOf: (item: T) => Bytes): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = prefixKey(authorOf(item));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Entries in the ranges. */
export function entriesIn(ranges: readonly ChainRange[]): number {
  let total = 0;
  for (const { from, to } of ranges) total += to - from;
  return total;
}

/** Full coverage, as {@link coverageOf} states it. */
export const fullCoverage = 255;

/**
 * Coverage of a claim (sync.md §6.2): what I can add, against the most anybody could by the beacons I heard (null: not
 * known). 0 only when I can add nothing, {@link fullCoverage} when nobody could add more.
 */
export function coverageOf(canAdd: number, bestKnown: number | null): number {
  if (canAdd <= 0) return 0;
  if (bestKnown === null || bestKnown <= canAdd) return fullCoverage;
  return Math.max(1, Math.floor((fullCoverage * canAdd) / bestKnown));
}
