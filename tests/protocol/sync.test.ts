import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/core/base/index.js';
import { toHex } from '../../src/core/base/index.js';
import {
  claimDelay,
  createClaimBook,
  initialRequester,
  isSuppressed,
  rankIn,
  requestStep,
  type Requester,
  type RequestEvent,
  type RequestAction,
} from '../../src/core/election/index.js';
import {
  boundClock,
  coverageOf,
  missingRanges,
  toClockEntries,
  wholeClock,
  type ClockEntry,
  type DomainClock,
} from '../../src/core/reconcile/index.js';
import { chance } from './story.kit.js';

const device = (name: string): Bytes => chance(`sync ${name}`);
const [a, b, c] = [device('a'), device('b'), device('c')].sort((x, y) => (toHex(x) < toHex(y) ? -1 : 1)) as [
  Bytes,
  Bytes,
  Bytes,
];
const idOf = (author: Bytes, seq: number, branch = ''): Bytes => chance(`${toHex(author)} ${String(seq)} ${branch}`);
const clockOf = (counts: readonly (readonly [Bytes, number])[]): DomainClock =>
  new Map(counts.map(([author, count]) => [toHex(author), { count, head: idOf(author, count - 1) }]));
const whole = (clock: DomainClock): { entries: ClockEntry[]; window: typeof wholeClock } => ({
  entries: toClockEntries(clock),
  window: wholeClock,
});
const authorOf = (hex: string): Bytes => [a, b, c].find((one) => toHex(one) === hex) ?? a;
const idAt = (author: string, seq: number): Bytes => idOf(authorOf(author), seq);

describe('[SYN-2] the clock is the set', () => {
  const mine = clockOf([
    [a, 10],
    [b, 5],
    [c, 1],
  ]);

  test('[SYN-2] what a requester lacks is everything above its count, chain by chain', () => {
    const { ranges, forks, lacking } = missingRanges(
      mine,
      whole(
        clockOf([
          [a, 4],
          [b, 7],
        ]),
      ),
      { idAt },
    );
    expect(ranges).toEqual([
      { author: a, from: 4, to: 10 },
      { author: c, from: 0, to: 1 },
    ]);
    expect(forks).toEqual([]);
    expect(lacking).toEqual([{ author: b.slice(0, 16), atLeast: 2 }]);
    expect(missingRanges(mine, whole(mine), { idAt })).toEqual({ ranges: [], forks: [], lacking: [] });
  });

  test('[SYN-2] another head at a place that is held is a fork, and that chain is offered whole', () => {
    const theirs = whole(new Map([[toHex(a), { count: 4, head: idOf(a, 3, 'another branch') }]]));
    const { ranges, forks } = missingRanges(clockOf([[a, 10]]), theirs, { idAt });
    expect(ranges).toEqual([]);
    expect(forks).toMatchObject([{ author: a, seq: 3, from: 0, to: 10 }]);
  });

  test('[SYN-2] what it holds back is not sent again', () => {
    const heldTo = new Map([[toHex(a), 7]]);
    expect(missingRanges(clockOf([[a, 10]]), whole(clockOf([[a, 4]])), { idAt, heldTo }).ranges).toEqual([
      { author: a, from: 8, to: 10 },
    ]);
  });
});

test('[SYN-3] windows of a clock that is too large reach every author once, and say nothing of the others', () => {
  const authors = Array.from({ length: 23 }, (_, i) => device(`author ${String(i)}`));
  const mine = clockOf(authors.map((author) => [author, 2]));
  const entries = toClockEntries(clockOf(authors.map((author) => [author, 1])));
  const offered: string[] = [];
  let after: Bytes | null = null;
  for (let round = 0; round < 20; round++) {
    const cut = boundClock(entries, 5, after);
    expect(cut.entries.length).toBeLessThanOrEqual(5);
    for (const { author, from, to } of missingRanges(mine, cut, { idAt: () => null }).ranges)
      offered.push(`${toHex(author)} ${String(from)}-${String(to)}`);
    after = cut.window.upTo;
    if (after === null) break;
  }
  expect(offered.sort()).toEqual(authors.map((author) => `${toHex(author)} 1-2`).sort());
});

describe('[ELE-1] who claims when', () => {
  const reqId = chance('request', 16);
  const roster = Array.from({ length: 6 }, (_, i) => device(`server ${String(i)}`));
  const byRank = [...roster].sort((x, y) => rankIn({ reqId, me: x, roster }) - rankIn({ reqId, me: y, roster }));
  const claim = { reqId, roster, coverage: 255, penaltyMs: 0, prefer: null, random: 0 };

  test('[ELE-1] a slot of 120 ms per rank, up to 600 ms for what it lacks, and penalties', () => {
    expect(byRank.map((me) => claimDelay({ ...claim, me }))).toEqual([0, 120, 240, 360, 480, 600]);
    const [first = a] = byRank;
    expect(claimDelay({ ...claim, me: first, coverage: 51 })).toBe(480);
    expect(claimDelay({ ...claim, me: first, penaltyMs: 450 })).toBe(450);
    expect(claimDelay({ ...claim, me: first, coverage: 0 })).toBeNull();
    expect(claimDelay({ ...claim, me: first, prefer: 'other' })).toBe(400);
    expect(claimDelay({ ...claim, me: first, prefer: 'me', penaltyMs: 1000 })).toBe(0);
  });

  test('[ELE-1] from rank 8 on a draw within a second behind the slots', () => {
    const many = Array.from({ length: 30 }, (_, i) => device(`server ${String(i)}`));
    const late = many.filter((me) => rankIn({ reqId, me, roster: many }) >= 8);
    expect(late).toHaveLength(22);
    for (const random of [0, 0.5, 0.999]) {
      const delay = claimDelay({ ...claim, roster: many, me: late[0] ?? a, random }) ?? -1;
      expect(delay).toBeGreaterThanOrEqual(960);
      expect(delay).toBeLessThanOrEqual(1960);
    }
  });

  test('[ELE-1] coverage is what I can add of the most that anybody could', () => {
    expect([
      coverageOf(0, 10),
      coverageOf(1, 1000),
      coverageOf(5, 10),
      coverageOf(10, 10),
      coverageOf(3, null),
    ]).toEqual([0, 1, 127, 255, 255]);
  });
});

describe('[ELE-2] who stays silent', () => {
  const others = [device('x'), device('y')] as const;
  const case_ = { exclude: [], want: 1, me: a, coverage: 255 };

  test('[ELE-2] when as many distinct others as are wanted have claimed, not excluded and not worse by more than 26', () => {
    const claims = [{ claimer: others[0], coverage: 229 }];
    expect(isSuppressed({ ...case_, claims })).toBe(true);
    expect(isSuppressed({ ...case_, claims: [{ claimer: others[0], coverage: 228 }] })).toBe(false);
    expect(isSuppressed({ ...case_, claims, want: 2 })).toBe(false);
    expect(isSuppressed({ ...case_, claims: [...claims, ...claims], want: 2 })).toBe(false);
    expect(isSuppressed({ ...case_, claims: others.map((claimer) => ({ claimer, coverage: 255 })), want: 2 })).toBe(
      true,
    );
    expect(isSuppressed({ ...case_, claims, exclude: [others[0]] })).toBe(false);
    expect(isSuppressed({ ...case_, claims: [{ claimer: a, coverage: 255 }] })).toBe(false);
  });

  test('[ELE-2] a copy of an attempt draws nothing; a further attempt forgets the claims before it', () => {
    const book = createClaimBook();
    const reqId = chance('request', 16);
    expect(book.open(reqId, 0, 0)).toBe(true);
    book.hear(reqId, { claimer: a, coverage: 255 }, 1);
    expect(book.open(reqId, 0, 2)).toBe(false);
    expect(book.claims(reqId)).toHaveLength(1);
    expect(book.open(reqId, 1, 3)).toBe(true);
    expect(book.claims(reqId)).toHaveLength(0);
  });
});

/** A requester and what it has done, driven by events at times. */
function requester(): { at: (now: number, event: RequestEvent) => readonly RequestAction[]; state: () => Requester } {
  let state = initialRequester(0x1_0000);
  return {
    state: () => state,
    at: (now, event) => {
      const step = requestStep(state, event, { now, random: 0.5 });
      state = step.state;
      return step.actions;
    },
  };
}

const start: RequestEvent = { is: 'start', reqId: chance('request', 16), prefer: null, peers: 3, rttMs: null };
const granted = (actions: readonly RequestAction[]): string[] =>
  actions.flatMap((action) => (action.do === 'send-grant' ? [toHex(action.claimer)] : []));

describe('[ELE-3] the requester', () => {
  test('[ELE-3] grants full coverage at once, else the best by coverage and load after 60 ms', () => {
    const cold = requester();
    cold.at(0, start);
    expect(granted(cold.at(10, { is: 'claim', claimer: a, coverage: 255, load: 0 }))).toEqual([toHex(a)]);
    const warm = requester();
    warm.at(0, start);
    expect(granted(warm.at(10, { is: 'claim', claimer: a, coverage: 200, load: 1 }))).toEqual([]);
    expect(granted(warm.at(20, { is: 'claim', claimer: b, coverage: 150, load: 0 }))).toEqual([]);
    expect(granted(warm.at(69, { is: 'timer' }))).toEqual([]);
    expect(granted(warm.at(70, { is: 'timer' }))).toEqual([toHex(b)]);
  });

  test('[ELE-3] with prefer the request is the grant', () => {
    const one = requester();
    const [first] = one.at(0, { ...start, prefer: b });
    expect(first).toMatchObject({ do: 'send-req', prefer: b, transfer: 0x1_0000 });
    expect(one.state().phase).toMatchObject({ is: 'served', by: b, transfer: 0x1_0000 });
  });

  test('[ELE-3] first bytes within 400 ms, then every 2 s; nobody within 2.5 s is a pause of 0.5 s', () => {
    const one = requester();
    one.at(0, start);
    one.at(0, { is: 'claim', claimer: a, coverage: 255, load: 0 });
    expect(one.state().phase).toMatchObject({ is: 'served', untilMs: 400 });
    one.at(300, { is: 'progress', transfer: 0x1_0000 });
    expect(one.state().phase).toMatchObject({ is: 'served', untilMs: 2300 });
    const silent = requester();
    silent.at(0, start);
    expect(silent.state().phase).toMatchObject({ is: 'asking', untilMs: 2500 });
    silent.at(2500, { is: 'timer' });
    expect(silent.state().phase).toMatchObject({ is: 'pausing', untilMs: 3000 });
  });
});

describe('[ELE-4] a source that failed', () => {
  const served = (): ReturnType<typeof requester> => {
    const one = requester();
    one.at(0, start);
    one.at(0, { is: 'claim', claimer: a, coverage: 255, load: 0 });
    return one;
  };

  test('[ELE-4] that sent a bad copy is not granted for 30 s, that was slow only as the last', () => {
    const bad = served();
    bad.at(10, { is: 'bad', transfer: 0x1_0000 });
    expect(granted(bad.at(20, { is: 'claim', claimer: a, coverage: 255, load: 0 }))).toEqual([]);
    expect(bad.state().exclusions.get(toHex(a))).toMatchObject({ kind: 'bad', untilMs: 30_010, times: 1 });
    const slow = served();
    slow.at(400, { is: 'timer' });
    expect(slow.state().exclusions.get(toHex(a))).toMatchObject({ kind: 'slow', untilMs: 30_400 });
    expect(granted(slow.at(410, { is: 'claim', claimer: a, coverage: 255, load: 0 }))).toEqual([toHex(a)]);
  });

  test('[ELE-4] leaving is nobody’s fault', () => {
    const left = served();
    left.at(10, { is: 'peer-gone', device: a });
    expect(left.state().exclusions.size).toBe(0);
  });
});
