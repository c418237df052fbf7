import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Chain, PackPlace } from '../replica/index.js';
import { nextCut, planMerge } from './compact-plan.js';

const cut = 1024;
/** Entries of one commit: mostly one, now and then many. */
const sizes = fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 700 })), {
  minLength: 1,
  maxLength: 150,
});

/** A chain that grows by units, none of which crosses a common cut point. */
function grow(chain: Chain, size: number): void {
  for (let left = size; left > 0;) {
    const fromSeq = chain.ids.length;
    const count = Math.min(left, nextCut(fromSeq) - fromSeq);
    chain.packs.push({ fromSeq, count, branch: null });
    for (let i = 0; i < count; i++) chain.ids.push(new Uint8Array(32));
    left -= count;
  }
}

function emptyChain(): Chain {
  return { authorId: new Uint8Array(32), ids: [], ms: [], ctr: [], packs: [], signed: null };
}

/** Does what is planned; how often each entry was rewritten is counted. */
function mergeAll(chain: Chain, o: { readonly fanIn: number; readonly rewrites: number[] }): void {
  for (;;) {
    const run = planMerge(chain, { fanIn: o.fanIn, from: 0, endsRun: () => false });
    if (run === null) return;
    const [first, at] = [run[0] as PackPlace, chain.packs.indexOf(run[0] as PackPlace)];
    expect(run.length).toBeGreaterThan(1);
    expect(run).toEqual(chain.packs.slice(at, at + run.length));
    const count = run.reduce((sum, place) => sum + place.count, 0);
    expect(first.fromSeq + count).toBeLessThanOrEqual(nextCut(first.fromSeq));
    chain.packs.splice(at, run.length, { ...first, count });
    for (let seq = first.fromSeq; seq < first.fromSeq + count; seq++) o.rewrites[seq] = (o.rewrites[seq] ?? 0) + 1;
  }
}

test('[PACK-7] no entry is rewritten more often than there are powers of the fan-in below 1,024, and once; what is left is few packs', () => {
  fc.assert(
    fc.property(sizes, fc.constantFrom(2, 3, 8), fc.integer({ min: 1, max: 9 }), (grown, fanIn, every) => {
      const chain = emptyChain();
      const rewrites: number[] = [];
      for (const [i, size] of grown.entries()) {
        grow(chain, size);
        if (i % every === 0) mergeAll(chain, { fanIn, rewrites });
      }
      mergeAll(chain, { fanIn, rewrites });
      const powers = Math.ceil(Math.log(cut) / Math.log(fanIn)) - 1;
      expect(rewrites.reduce((most, count) => Math.max(most, count), 0)).toBeLessThanOrEqual(powers + 1);
      let next = 0;
      for (const { fromSeq, count } of chain.packs) {
        expect(fromSeq).toBe(next);
        next += count;
      }
      expect(next).toBe(chain.ids.length);
      const full = chain.packs.filter(({ fromSeq }) => nextCut(fromSeq) <= chain.ids.length);
      expect(full.length).toBeLessThanOrEqual((2 * chain.ids.length) / cut);
    }),
    { numRuns: 300 },
  );
});

test('[PACK-7] single edits of a chain that goes on end in a pack for each power, few of each', () => {
  const chain = emptyChain();
  const rewrites: number[] = [];
  let most = 0;
  for (let i = 0; i < 3 * cut; i++) {
    grow(chain, 1);
    mergeAll(chain, { fanIn: 8, rewrites });
    most = Math.max(most, chain.packs.filter(({ fromSeq }) => nextCut(fromSeq) > chain.ids.length).length);
  }
  const mean = rewrites.reduce((sum, count) => sum + count, 0) / rewrites.length;
  console.log(
    `[PACK-7] single edits: each rewritten ${mean.toFixed(2)} times, ${String(rewrites.reduce((a, b) => Math.max(a, b), 0))} at most; at most ${String(most)} packs in the last 1,024`,
  );
  expect(chain.packs).toHaveLength(3);
  expect(most).toBeLessThanOrEqual(1 + 7 * 3 + 7);
});

test('[PACK-7] what is not admitted whole, lies elsewhere or does not touch its neighbour is left where it is', () => {
  const chain = emptyChain();
  for (let i = 0; i < 40; i++) grow(chain, 1);
  const o = { fanIn: 8, from: 0, endsRun: () => false };
  const without = (packs: PackPlace[]): Chain => ({ ...chain, packs });
  expect(planMerge(chain, o)).toEqual(chain.packs);
  expect(planMerge(chain, { ...o, from: cut })).toBeNull();
  expect(planMerge({ ...chain, ids: chain.ids.slice(0, 7) }, o)).toBeNull();
  expect(planMerge({ ...chain, ids: chain.ids.slice(0, 8) }, o)).toEqual(chain.packs.slice(0, 8));
  expect(planMerge(without(chain.packs.filter((_, i) => i % 7 !== 6)), o)).toBeNull();
  expect(planMerge(without(chain.packs.map((place) => ({ ...place, branch: 'ab' }))), o)).toBeNull();
  const ends = new Set(chain.packs.filter((_, i) => i % 7 === 0));
  expect(planMerge(chain, { ...o, endsRun: (place) => ends.has(place) })).toBeNull();
});
