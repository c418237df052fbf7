import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Bytes } from '../base/index.js';
import { concatBytes, equalBytes, fromHex, toHex } from '../base/index.js';
import { sha256 } from '../crypto/index.js';
import type { ClockEntry, ClockHead, DomainClock } from './index.js';
import {
  boundClock,
  clockCount,
  coverageOf,
  entriesIn,
  fullCoverage,
  isInWindow,
  missingRanges,
  setRoot,
  toClockEntries,
  wholeClock,
} from './index.js';

const domainId = Uint8Array.from({ length: 32 }, (_, i) => 0x20 + i);

/** Id of the entry at a place of an author's chain; another branch from `forkAt` on. */
function idOf(author: string, seq: number, branch = 0): Bytes {
  return sha256(concatBytes(bytesOf(author), Uint8Array.of(branch, seq >> 8, seq & 255)));
}

function bytesOf(hexText: string): Bytes {
  const bytes = fromHex(hexText);
  if (bytes === null) throw new TypeError(hexText);
  return bytes;
}

function authorOf(n: number): string {
  return toHex(sha256(Uint8Array.of(n >> 8, n & 255)));
}

/** A replica as a plain set of entries per author, with its clock. */
function clockOf(counts: ReadonlyMap<string, number>): DomainClock {
  return new Map(
    [...counts]
      .filter(([, count]) => count > 0)
      .map(([author, count]) => [author, { count, head: idOf(author, count - 1) }]),
  );
}

const counts = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 300 })), { maxLength: 40 })
  .map((pairs) => new Map(pairs.map(([n, count]) => [authorOf(n), count])));

function setOf(clock: DomainClock): Set<string> {
  const out = new Set<string>();
  for (const [author, { count }] of clock) for (let seq = 0; seq < count; seq++) out.add(`${author}:${String(seq)}`);
  return out;
}

function rangesToSet(ranges: readonly { author: Bytes; from: number; to: number }[]): string[] {
  return ranges.flatMap(({ author, from, to }) =>
    Array.from({ length: to - from }, (_, i) => `${toHex(author)}:${String(from + i)}`),
  );
}

const idAt = (author: string, seq: number): Bytes => idOf(author, seq);

test('[F8] ranges are exactly the set difference, for random sets', () => {
  fc.assert(
    fc.property(counts, counts, (a, b) => {
      const [mine, theirs] = [clockOf(a), clockOf(b)];
      const missing = missingRanges(mine, { entries: toClockEntries(theirs), window: wholeClock }, { idAt });
      const [own, held] = [setOf(mine), setOf(theirs)];
      const expected = [...own].filter((entry) => !held.has(entry)).sort();
      expect(rangesToSet(missing.ranges).sort()).toEqual(expected);
      expect(entriesIn(missing.ranges)).toBe(expected.length);
      expect(missing.forks).toEqual([]);
      const back = [...held].filter((entry) => !own.has(entry)).length;
      expect(missing.lacking.reduce((sum, { atLeast }) => sum + atLeast, 0)).toBe(back);
    }),
    { numRuns: 150 },
  );
}, 30_000);

test('[F8] exchanging what is missing makes sets, and so roots, equal; roots differ before', () => {
  fc.assert(
    fc.property(counts, counts, (a, b) => {
      const [mine, theirs] = [clockOf(a), clockOf(b)];
      const merged = new Map<string, number>();
      for (const [author, { count }] of [...mine, ...theirs])
        merged.set(author, Math.max(count, merged.get(author) ?? 0));
      const isEqual = equalBytes(setRoot(domainId, mine), setRoot(domainId, theirs));
      const missing = missingRanges(mine, { entries: toClockEntries(theirs), window: wholeClock }, { idAt });
      expect(isEqual).toBe(missing.ranges.length === 0 && missing.lacking.length === 0);
      const after = new Map([...theirs].map(([author, { count }]) => [author, count]));
      for (const { author, from, to } of missing.ranges) {
        expect(after.get(toHex(author)) ?? 0).toBe(from);
        after.set(toHex(author), to);
      }
      expect(setRoot(domainId, clockOf(after))).toEqual(setRoot(domainId, clockOf(merged)));
      expect(clockCount(clockOf(merged))).toBe([...merged.values()].reduce((sum, count) => sum + count, 0));
    }),
    { numRuns: 100 },
  );
}, 30_000);

test('[F8] windows of a cut clock together give the whole difference, and nothing twice', () => {
  fc.assert(
    fc.property(counts, counts, fc.integer({ min: 1, max: 7 }), (a, b, max) => {
      const [mine, theirs] = [clockOf(a), clockOf(b)];
      const entries = toClockEntries(theirs);
      const whole = missingRanges(mine, { entries, window: wholeClock }, { idAt });
      const parts: string[] = [];
      let after: Bytes | null = null;
      do {
        const cut = boundClock(entries, max, after);
        expect(cut.entries.length).toBeLessThanOrEqual(max);
        parts.push(...rangesToSet(missingRanges(mine, cut, { idAt }).ranges));
        after = cut.window.upTo;
      } while (after !== null);
      expect(parts.sort()).toEqual(rangesToSet(whole.ranges).sort());
    }),
    { numRuns: 100 },
  );
}, 30_000);

test('[F6] another branch is a fork, at the peer’s head and at any place below mine', () => {
  const author = authorOf(1);
  const mine = clockOf(new Map([[author, 10]]));
  for (const count of [1, 5, 10]) {
    const head = idOf(author, count - 1, 1).slice(0, 8);
    const theirs = [{ author: bytesOf(author).slice(0, 16), count, head }];
    const missing = missingRanges(mine, { entries: theirs, window: wholeClock }, { idAt });
    expect(missing.ranges).toEqual([]);
    expect(missing.forks).toEqual([{ author: bytesOf(author), from: 0, to: 10, seq: count - 1, theirHead: head }]);
  }
});

test('[F6] a branch longer than mine cannot be told yet: it is lacking, and nothing is offered', () => {
  const author = authorOf(1);
  const theirs = [{ author: bytesOf(author).slice(0, 16), count: 12, head: idOf(author, 11, 1).slice(0, 8) }];
  const mine = clockOf(new Map([[author, 10]]));
  const missing = missingRanges(mine, { entries: theirs, window: wholeClock }, { idAt });
  expect(missing).toEqual({ ranges: [], forks: [], lacking: [{ author: theirs[0]?.author, atLeast: 2 }] });
});

test('[F8] an id that cannot be looked up is believed, except at my own head', () => {
  const author = authorOf(1);
  const mine = clockOf(new Map([[author, 10]]));
  const at = (count: number): ClockEntry[] => [
    { author: bytesOf(author).slice(0, 16), count, head: idOf(author, count - 1, 1).slice(0, 8) },
  ];
  const lookups = { idAt: () => null };
  const below = missingRanges(mine, { entries: at(4), window: wholeClock }, lookups);
  expect(below.ranges).toEqual([{ author: bytesOf(author), from: 4, to: 10 }]);
  expect(missingRanges(mine, { entries: at(10), window: wholeClock }, lookups).forks).toHaveLength(1);
});

test('[F8] an ambiguous prefix is offered from 0, whichever side has it', () => {
  const twin = (last: string): string => 'ab'.repeat(31) + last;
  const mine = clockOf(
    new Map([
      [twin('01'), 3],
      [twin('02'), 4],
    ]),
  );
  const prefix = bytesOf(twin('01')).slice(0, 16);
  const one = [{ author: prefix, count: 2, head: idOf(twin('01'), 1).slice(0, 8) }];
  const missing = missingRanges(mine, { entries: one, window: wholeClock }, { idAt });
  expect(missing.ranges.map(({ from, to }) => [from, to])).toEqual([
    [0, 3],
    [0, 4],
  ]);
  const single = clockOf(new Map([[twin('01'), 3]]));
  const both = [...one, { author: prefix, count: 3, head: idOf(twin('02'), 2).slice(0, 8) }];
  const other = missingRanges(single, { entries: both, window: wholeClock }, { idAt });
  expect(other.ranges.map(({ from, to }) => [from, to])).toEqual([[0, 3]]);
});

test('[F17] what a peer holds back is not sent again', () => {
  const author = authorOf(1);
  const mine = clockOf(new Map([[author, 10]]));
  const theirs = toClockEntries(clockOf(new Map([[author, 4]])));
  const withHeld = (seq: number): unknown =>
    missingRanges(mine, { entries: theirs, window: wholeClock }, { idAt, heldTo: new Map([[author, seq]]) }).ranges;
  expect(withHeld(6)).toEqual([{ author: bytesOf(author), from: 7, to: 10 }]);
  expect(withHeld(9)).toEqual([]);
  expect(withHeld(2 ** 48)).toEqual([]);
  expect(withHeld(1)).toEqual([{ author: bytesOf(author), from: 4, to: 10 }]);
});

test('[F8] root: vector of an independent implementation; order of the map and empty clocks', () => {
  const step = (first: number): Bytes => Uint8Array.from({ length: 32 }, (_, i) => first + i);
  const one: readonly [string, ClockHead] = [toHex(step(0x11)), { count: 5, head: step(1) }];
  const two: readonly [string, ClockHead] = [toHex(step(0x91)), { count: 70_000, head: step(2) }];
  const root = '3d7c2af53317a3603051565b370121319c24db2b004484730d6a3da06d4042f0';
  expect(toHex(setRoot(domainId, new Map([one, two])))).toBe(root);
  expect(toHex(setRoot(domainId, new Map([two, one])))).toBe(root);
  expect(setRoot(domainId, new Map())).not.toEqual(setRoot(step(0), new Map()));
  expect(() => setRoot(domainId, new Map([[one[0], { count: 0, head: step(1) }]]))).toThrow(/count of at least 1/);
  expect(() => setRoot(domainId, new Map([['xy', one[1]]]))).toThrow(/author/);
});

test('[F8] windows: bounds', () => {
  const at = (n: number): Bytes => new Uint8Array(16).fill(n);
  expect(isInWindow(at(5), { after: at(5), upTo: null })).toBe(false);
  expect(isInWindow(at(6), { after: at(5), upTo: at(6) })).toBe(true);
  expect(isInWindow(at(7), { after: at(5), upTo: at(6) })).toBe(false);
  expect(isInWindow(concatBytes(at(6), at(255)), { after: null, upTo: at(6) })).toBe(true);
  expect(() => boundClock([], 0)).toThrow(/maxEntries/);
});

test('[X6] coverage: 0 only for nothing, full only when nobody could add more', () => {
  expect(coverageOf(0, null)).toBe(0);
  expect(coverageOf(0, 100)).toBe(0);
  expect(coverageOf(1, null)).toBe(fullCoverage);
  expect(coverageOf(50, 40)).toBe(fullCoverage);
  expect(coverageOf(1, 1_000_000)).toBe(1);
  expect(coverageOf(50, 100)).toBe(127);
  expect(coverageOf(999, 1000)).toBe(254);
});
