import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { standingPath, type TreeEntry } from './index.js';

/** A chain written as text: 'a b c' is three entries; branches are further texts that begin with a known entry. */
function tree(...lines: readonly string[]): TreeEntry[] {
  const entries = new Map<string, TreeEntry>();
  for (const line of lines) {
    const ids = line.split(' ');
    ids.forEach((id, i) => {
      if (!entries.has(id)) entries.set(id, { id, prev: ids[i - 1] ?? '' });
    });
  }
  return [...entries.values()];
}

const shown = (entries: readonly TreeEntry[], isFounder: boolean): { ids: string; forks: unknown } => {
  const { ids, forks } = standingPath(entries, isFounder);
  return { ids: [...ids].join(' '), forks: [...forks] };
};

describe('[F6] what stands of a chain with two entries for one place', () => {
  test('[F6] without a fork all of it', () => {
    expect(shown(tree('a b c'), false)).toEqual({ ids: 'a b c', forks: [] });
    expect(shown([], true)).toEqual({ ids: '', forks: [] });
  });

  test('[F6] up to the first fork and nothing beyond, on any branch', () => {
    expect(shown(tree('a b c d', 'b x y'), false)).toEqual({ ids: 'a b', forks: [[2, null]] });
    expect(shown(tree('a b c d', 'c y', 'b x'), false)).toEqual({ ids: 'a b', forks: [[2, null]] });
    expect(shown(tree('a b', 'x y'), false)).toEqual({ ids: '', forks: [[0, null]] });
  });

  test('[F6] of the founder the lower id at each place goes on', () => {
    expect(shown(tree('a b y z', 'b c d', 'c e'), true)).toEqual({
      ids: 'a b c d',
      forks: [
        [2, 'c'],
        [3, 'd'],
      ],
    });
  });

  test('[F6] the same in whatever order the entries come, and further branches never bring anything back', () => {
    const parents = fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(parents, fc.boolean(), fc.nat(), (links, isFounder, cut) => {
        const entries = links.map((link, i) => ({
          id: `e${String(i).padStart(2, '0')}`,
          prev: i === 0 ? '' : `e${String(link % i).padStart(2, '0')}`,
        }));
        const whole = standingPath(entries, isFounder);
        expect(standingPath([...entries].reverse(), isFounder)).toEqual(whole);
        if (isFounder) return;
        const part = standingPath(entries.slice(0, 1 + (cut % entries.length)), isFounder);
        for (const id of whole.ids)
          if (entries.slice(0, 1 + (cut % entries.length)).some((e) => e.id === id))
            expect(part.ids.has(id)).toBe(true);
      }),
    );
  });
});
