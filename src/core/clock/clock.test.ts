import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Hlc, Stamp } from './index.js';
import {
  clampToFuture,
  compareClocks,
  compareHlc,
  compareStamps,
  coversClock,
  isFuture,
  maxFutureMs,
  maxHlc,
  maxHlcCtr,
  mergeClocks,
  nextHlc,
  noSeq,
  roomNow,
  seqOf,
  zeroHlc,
} from './index.js';

const maxMs = 2 ** 48 - 1;
const now = 1_800_000_000_000;
const nearby = fc.integer({ min: now - 3 * maxFutureMs, max: now + 3 * maxFutureMs });
const hlc: fc.Arbitrary<Hlc> = fc.record({
  ms: nearby,
  ctr: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom(maxHlcCtr - 1, maxHlcCtr)),
});

describe('hybrid logical clock', () => {
  test('[F17] rises strictly whatever the device believes, and follows its clock when that is ahead', () => {
    fc.assert(
      fc.property(hlc, fc.array(nearby, { maxLength: 20 }), (start, clock) => {
        let prev = start;
        for (const ms of clock) {
          const next = nextHlc(prev, ms);
          expect(compareHlc(next, prev)).toBeGreaterThan(0);
          expect(next.ms).toBeGreaterThanOrEqual(ms);
          expect(next.ms).toBeLessThanOrEqual(Math.max(ms, prev.ms + 1));
          prev = next;
        }
      }),
    );
  });

  test('the counter overflows into the next millisecond, and time ends at 48 bits', () => {
    expect(nextHlc({ ms: 5, ctr: 1 }, 5)).toEqual({ ms: 5, ctr: 2 });
    expect(nextHlc({ ms: 5, ctr: 1 }, 6)).toEqual({ ms: 6, ctr: 0 });
    expect(nextHlc({ ms: 5, ctr: maxHlcCtr }, 1)).toEqual({ ms: 6, ctr: 0 });
    expect(() => nextHlc({ ms: maxMs, ctr: maxHlcCtr }, 0)).toThrow('no time is left');
    for (const ms of [-1, 0.5, maxMs + 1, NaN]) expect(() => nextHlc(zeroHlc, ms)).toThrow(RangeError);
  });

  test('order is total, and the later of two is one of them', () => {
    fc.assert(
      fc.property(hlc, hlc, (a, b) => {
        expect(Math.sign(compareHlc(a, b)) + Math.sign(compareHlc(b, a))).toBe(0);
        expect(compareHlc(maxHlc(a, b), a)).toBeGreaterThanOrEqual(0);
        expect([a, b]).toContain(maxHlc(a, b));
      }),
    );
  });
});

describe('room time', () => {
  test('[F17] the median offset moves the local clock; of two middle ones the smaller correction', () => {
    expect(roomNow(1000, [])).toBe(1000);
    expect(roomNow(1000, [60_000])).toBe(61_000);
    expect(roomNow(1000, [-300, 60_000])).toBe(700);
    expect(roomNow(1000, [5, 7, 1e12])).toBe(1007);
    expect(roomNow(1000, [-1e15, -1e15, -1e15])).toBe(0);
    expect(roomNow(1000, [1e15, 1e15, 1e15])).toBe(2 ** 48 - 1);
  });

  test('[F17] a minority of liars cannot move the room outside of what the honest say', () => {
    const honest = fc.array(fc.integer({ min: -5000, max: 5000 }), { minLength: 3, maxLength: 9 });
    const lies = fc.array(fc.integer({ min: -maxMs, max: maxMs }), { maxLength: 9 });
    fc.assert(
      fc.property(honest, lies, (offsets, all) => {
        const moved = roomNow(now, [...offsets, ...all.slice(0, offsets.length - 1)]) - now;
        expect(moved).toBeGreaterThanOrEqual(Math.min(...offsets));
        expect(moved).toBeLessThanOrEqual(Math.max(...offsets));
      }),
    );
  });

  test('[F17] future begins five minutes above the room, exclusive', () => {
    expect(isFuture({ ms: now + maxFutureMs, ctr: 9 }, now)).toBe(false);
    expect(isFuture({ ms: now + maxFutureMs + 1, ctr: 0 }, now)).toBe(true);
  });

  test('[F17] a run of drafts signed late: only the future is clamped, order is kept, none ends in the future', () => {
    fc.assert(
      fc.property(fc.uniqueArray(nearby, { maxLength: 12 }), fc.option(hlc), (times, chainHead) => {
        const drafts = times.sort((a, b) => a - b).map((ms) => ({ ms, ctr: 0 }));
        let prev = chainHead === null || isFuture(chainHead, now) ? null : chainHead;
        for (const draft of drafts) {
          const signed = clampToFuture(draft, now, prev);
          if (prev !== null) expect(compareHlc(signed, prev)).toBeGreaterThan(0);
          if (!isFuture(draft, now) && (prev === null || compareHlc(draft, prev) > 0)) expect(signed).toEqual(draft);
          expect(signed.ms).toBeLessThanOrEqual(now + maxFutureMs + 1);
          prev = signed;
        }
      }),
    );
    expect(clampToFuture({ ms: now + maxFutureMs + 1, ctr: 4 }, now, null)).toEqual({ ms: now, ctr: 0 });
  });
});

test('[F21] stamps: time, counter, author, op index, in this order', () => {
  const base: Stamp = { hlcMs: 5, hlcCtr: 5, author: '55', opIndex: 5 };
  const rising: Stamp[] = [
    { hlcMs: 4, hlcCtr: 9, author: 'ff', opIndex: 9 },
    { ...base, hlcCtr: 4, author: 'ff', opIndex: 9 },
    { ...base, author: '0f', opIndex: 9 },
    { ...base, opIndex: 4 },
    base,
    { ...base, opIndex: 6 },
    { ...base, author: 'f0', opIndex: 0 },
    { ...base, hlcCtr: 6, author: '00', opIndex: 0 },
    { hlcMs: 6, hlcCtr: 0, author: '00', opIndex: 0 },
  ];
  for (const [i, a] of rising.entries()) {
    for (const [j, b] of rising.entries()) expect(Math.sign(compareStamps(a, b))).toBe(Math.sign(i - j));
  }
});

describe('vector clocks', () => {
  const clock = fc
    .array(fc.tuple(fc.constantFrom('aa', 'bb', 'cc'), fc.integer({ min: 0, max: 3 })), { maxLength: 3 })
    .map((pairs) => new Map(pairs));

  test('merge is the least clock that covers both', () => {
    fc.assert(
      fc.property(clock, clock, clock, (a, b, c) => {
        const merged = mergeClocks(a, b);
        expect(coversClock(merged, a) && coversClock(merged, b)).toBe(true);
        if (coversClock(c, a) && coversClock(c, b)) expect(coversClock(c, merged)).toBe(true);
        expect(compareClocks(mergeClocks(b, a), merged)).toBe('equal');
        expect(compareClocks(mergeClocks(mergeClocks(a, b), c), mergeClocks(a, mergeClocks(b, c)))).toBe('equal');
      }),
    );
  });

  test('order is that of the sets they name', () => {
    const namesOf = (c: ReadonlyMap<string, number>): Set<string> =>
      new Set([...c].flatMap(([device, seq]) => Array.from({ length: seq + 1 }, (_, i) => `${device}${String(i)}`)));
    fc.assert(
      fc.property(clock, clock, (a, b) => {
        const [x, y] = [namesOf(a), namesOf(b)];
        const isIn = [...x].every((name) => y.has(name));
        const contains = [...y].every((name) => x.has(name));
        const order = isIn ? (contains ? 'equal' : 'before') : contains ? 'after' : 'concurrent';
        expect(compareClocks(a, b)).toBe(order);
      }),
    );
  });

  test('a chain of which nothing is held is before its first entry', () => {
    expect(seqOf(new Map(), 'aa')).toBe(noSeq);
    expect(compareClocks(new Map(), new Map([['aa', 0]]))).toBe('before');
  });
});
