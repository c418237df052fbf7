import { toHex } from '../base/index.js';
import type { ControlRecord } from './state.js';

/**
 * What does not stand of a causally closed set of control entries because its author signed two for one place (F6): of
 * anybody everything from there on, on every branch; of the founder, whom nobody could replace, all but the branch that
 * at each such place has the lower id. A pure function of the set. Ids in hex.
 */
export function fallenIn(records: readonly ControlRecord[]): ReadonlySet<string> {
  const fallen = new Set<string>();
  const founder = records.find((record) => record.payload.kind === 'genesis')?.author;
  for (const [author, own] of byAuthor(records)) {
    const places = new Set(own.map((record) => record.entry.seq));
    if (places.size === own.length) continue;
    const standing = standingPath(
      own.map(({ id, entry }) => ({ id, prev: entry.seq === 0 ? '' : toHex(entry.prev) })),
      author === founder,
    );
    for (const { id } of own) if (!standing.ids.has(id)) fallen.add(id);
  }
  return fallen;
}

/** An entry as a place in a tree: ids in hex, the first has the empty `prev`. */
export interface TreeEntry {
  readonly id: string;
  readonly prev: string;
}

/** What stands of one chain that may have branches. */
export interface StandingPath {
  readonly ids: ReadonlySet<string>;
  /** Places (seq) with several entries on the path, and which of them goes on; null where the path ends. */
  readonly forks: ReadonlyMap<number, string | null>;
}

/** Follows a chain from its first entry. `isFounder`: the lower id goes on; else the path ends at the first fork. */
export function standingPath(entries: Iterable<TreeEntry>, isFounder: boolean): StandingPath {
  const next = new Map<string, Set<string>>();
  for (const { id, prev } of entries) {
    const known = next.get(prev);
    if (known === undefined) next.set(prev, new Set([id]));
    else known.add(id);
  }
  const ids = new Set<string>();
  const forks = new Map<number, string | null>();
  let at = '';
  for (let seq = 0; ; seq++) {
    const choices = [...(next.get(at) ?? [])].sort();
    const [first, second] = choices;
    if (first === undefined) break;
    if (second !== undefined) forks.set(seq, isFounder ? first : null);
    if (second !== undefined && !isFounder) break;
    ids.add(first);
    at = first;
  }
  return { ids, forks };
}

function byAuthor(records: readonly ControlRecord[]): Map<string, ControlRecord[]> {
  const groups = new Map<string, ControlRecord[]>();
  for (const record of records) {
    const group = groups.get(record.author);
    if (group === undefined) groups.set(record.author, [record]);
    else group.push(record);
  }
  return groups;
}
