import { maxUnitEntries } from '../../../src/core/pack/index.js';
import { countOf, type Chain, type PackPlace } from '../replica/index.js';

/** What a plan needs to know beside the chain. */
export interface PlanOptions {
  /** So many times larger than any of them is what small packs become together. */
  readonly fanIn: number;
  /** Everything before this place (a multiple of 1,024) is as it should be. */
  readonly from: number;
  /** Whether the pack is known not to go together with the next. */
  readonly endsRun: (place: PackPlace) => boolean;
}

/** Two packs may stay as they are where nothing more will come: what they cost beside one is nothing. */
const minLastMerge = 3;

/**
 * Neighbouring packs of a chain that are worth being one, or null. A pack that is rewritten ends in one of a higher power
 * of `fanIn` (in entries), or with all of its 1,024: so no entry is rewritten more often than there are powers, and once.
 * What is not admitted whole, or lies elsewhere, is left alone.
 */
export function planMerge(chain: Chain, o: PlanOptions): readonly PackPlace[] | null {
  for (const group of groupsOf(chain, o)) {
    const isFull = countOf(chain) >= nextCut(group[0]?.fromSeq ?? 0);
    const run = isFull && group.length >= minLastMerge ? group : smallRun(group, o.fanIn);
    if (run !== null) return run;
  }
  return null;
}

/** The common cut point after an entry: no unit crosses it (F8). */
export function nextCut(seq: number): number {
  return seq - (seq % maxUnitEntries) + maxUnitEntries;
}

/** Packs that touch each other, between two cut points. */
function groupsOf(chain: Chain, o: PlanOptions): PackPlace[][] {
  const groups: PackPlace[][] = [];
  let end = -1;
  for (const place of chain.packs.slice(firstFrom(chain, o.from))) {
    const isWhole = place.branch === null && place.fromSeq + place.count <= countOf(chain);
    const isNext = place.fromSeq === end && place.fromSeq % maxUnitEntries !== 0;
    if (isWhole && isNext) groups.at(-1)?.push(place);
    else if (isWhole) groups.push([place]);
    end = isWhole && !o.endsRun(place) ? place.fromSeq + place.count : -1;
  }
  return groups;
}

/** Index of the first pack that does not begin before `seq`; most often near the end. */
function firstFrom(chain: Chain, seq: number): number {
  let at = chain.packs.length;
  while ((chain.packs[at - 1]?.fromSeq ?? -1) >= seq) at--;
  return at;
}

/** Packs, or rows of drafts, of fewer than some power of `fanIn` that have as many together; of the highest such power, which saves the others. */
export function smallRun<T extends { readonly count: number }>(
  group: readonly T[],
  fanIn: number,
): readonly T[] | null {
  const powers: number[] = [];
  for (let power = fanIn; power < maxUnitEntries; power *= fanIn) powers.unshift(power);
  for (const power of powers) {
    let [from, total] = [0, 0];
    for (let i = 0; i <= group.length; i++) {
      const count = group[i]?.count ?? maxUnitEntries;
      if (count < power) total += count;
      else if (total >= power) return group.slice(from, i);
      else [from, total] = [i + 1, 0];
    }
  }
  return null;
}
