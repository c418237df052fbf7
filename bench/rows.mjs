/**
 * The rows of the suite: what is done, by whom, what is read off it, and what keeproom has promised. `of` takes a
 * measure from a sample's metrics; goals compare keeproom's median with a peer's, or with a bare number (`peer: null`).
 */
import { watchMemory } from './lib/memory.mjs';
import { median, quantile } from './lib/stats.mjs';
import { tracePage } from './lib/trace.mjs';
import { checksumOf, checksumOfRows, finalValues, topRows } from './pages/work.mjs';

const provided = {
  pages: ['provider', 'main'],
  phases: [
    ['provider', 'prepare'],
    ['main', 'prepare'],
  ],
};

const usPerOp = (goals) => ({ name: 'time', unit: 'µs/op', of: (m, { ops }) => (m.ms * 1000) / ops, goals });

const wire = { name: 'received', unit: 'B/op', of: (m, { ops }) => m.wireBytes / ops, goals: [] };

function sets(name, ops, { keys = 1_000, perTransaction = 100, ...rest } = {}) {
  const work = { ops, keys: Math.min(keys, ops), perTransaction };
  return { name, work, checksum: checksumOf(finalValues(work)), ...rest };
}

function opened(name, ops, shape) {
  const { work, ...rest } = sets(name, ops, shape);
  return { ...rest, work, checksum: checksumOfRows(topRows(finalValues(work))) };
}

const openGoals = [
  { peer: 'loro', atMost: 1.2 },
  { peer: 'yjs', atMost: 0.1 },
  { peer: 'automerge', atMost: 0.02 },
  { peer: 'jazz', atMost: 0.003 },
  { peer: 'limit', atMost: 1.5 },
];

/**
 * @param {(full: number, least?: number) => number} n sizes: a number of the issue, as this run scales it
 * @param {{ isQuick?: boolean }} [options] a quick run leaves out what only repeats another's pages with more ops
 */
export function createRows(n, { isQuick = false } = {}) {
  return [
    catchUp(n),
    behind(n),
    bytesPerOp(n),
    coldOpen(n),
    edits(n),
    live(n),
    burst(n),
    reconnect(n),
    pageTasks(n),
    disk(n),
    singleOps(n),
    writtenAlone(n),
    queries(n),
    memory(n),
    ...large(n),
    ...growth(n),
  ]
    .filter((row) => !(isQuick && row.fullOnly))
    .map((row) => ({ ...row, cases: row.cases.filter((one) => !(isQuick && one.fullOnly)) }));
}

function catchUp(n) {
  return {
    id: 'P1',
    title: 'catch-up from nothing, durable and readable on the page',
    module: 'catch-up',
    contestants: ['limit', 'keeproom', 'loro', 'yjs', 'automerge', 'jazz'],
    plans: { keeproom: provided },
    cases: [sets('map sets, 100 per transaction', n(100_000))],
    measures: [
      usPerOp([
        { peer: 'loro', atMost: 1 },
        { peer: 'yjs', atMost: 0.75 },
        { peer: 'automerge', atMost: 0.5 },
        { peer: 'jazz', atMost: 0.08 },
        { peer: 'limit', atMost: 2 },
      ]),
      wire,
    ],
  };
}

function coldOpen(n) {
  return {
    id: 'P4',
    title: 'cold open, until 100 sorted rows are read on a page just loaded',
    module: 'cold-open',
    freshPage: true,
    contestants: ['limit', 'keeproom', 'loro', 'yjs', 'automerge', 'jazz'],
    cases: [
      opened('after edits to 1,000 keys', n(100_000)),
      opened('with many records', n(20_000), { keys: n(20_000), fullOnly: true }),
    ],
    measures: [
      { name: 'open', unit: 'ms', of: (m) => m.ms, goals: openGoals },
      { name: 'start of worker and database', unit: 'ms', of: (m) => m.startMs ?? Number.NaN },
    ],
  };
}

/** Enough to see a median. */
const ALONE_EDITS = 60;

function edits(n) {
  const many = sets('sequential edits, until all are durable', n(10_000), { perTransaction: 1 });
  const alone = sets('one edit alone, until it is durable', ALONE_EDITS, { perTransaction: 1 });
  return {
    id: 'P5',
    title: 'local edits',
    module: 'edits',
    contestants: ['limit', 'keeproom', 'yjs', 'jazz'],
    cases: [
      {
        ...many,
        without: ['limit'],
        measures: [
          usPerOp([
            { peer: 'yjs', atMost: 0.05 },
            { peer: 'jazz', atMost: 0.1 },
          ]),
        ],
      },
      {
        ...alone,
        work: { ...alone.work, alone: true, checksum: alone.checksum },
        measures: [
          { name: 'p50', unit: 'ms', of: (m) => median(m.each), goals: [{ peer: 'limit', atMost: 1.3 }] },
          { name: 'p95', unit: 'ms', of: (m) => quantile(m.each, 0.95) },
        ],
      },
    ],
  };
}

function queries(n) {
  const work = { records: n(10_000, 200), queries: 20, updates: 100 };
  return {
    id: 'P13',
    title: 'one update to its subscribers, 20 live sorted and filtered queries',
    module: 'queries',
    contestants: ['keeproom', 'tinybase'],
    notMeasured: { limit: 'no goal names one' },
    cases: [{ name: '10,000 records', work }],
    measures: [
      {
        name: 'update',
        unit: 'µs',
        of: (m, { updates }) => (m.ms * 1000) / updates,
        goals: [{ peer: 'tinybase', atMost: 1 }],
      },
    ],
  };
}

function behindCase(ops) {
  const work = {
    ops,
    behind: ops / 10,
    keys: Math.min(1_000, ops / 4),
    perTransaction: ops < 10_000 ? 10 : 100,
    authors: 5,
  };
  return { name: 'map sets', work, checksum: checksumOf(finalValues(work)) };
}

function behind(n) {
  return {
    id: 'P2',
    title: 'catch-up of a peer that is a tenth behind, five authors mixed',
    module: 'behind',
    contestants: ['keeproom', 'yjs', 'automerge'],
    notMeasured: { limit: 'no goal names one' },
    plans: { keeproom: { ...provided, phases: [...provided.phases, ['provider', 'extend']] } },
    cases: [behindCase(n(100_000, 400))],
    measures: [
      {
        name: 'time',
        unit: 'ms',
        of: (m) => m.ms,
        goals: [
          { peer: 'yjs', atMost: 1 },
          { peer: 'automerge', atMost: 0.1 },
        ],
      },
      { name: 'shown', unit: 'ms', of: (m) => m.shownMs ?? Number.NaN },
      {
        name: 'received against the packs that lacked',
        unit: 'x',
        of: (m) => m.overPacks ?? Number.NaN,
        goals: [{ peer: null, atMost: 1.1 }],
      },
      { name: 'received', unit: 'B', of: (m) => m.wireBytes },
    ],
  };
}

function bytesPerOp(n) {
  const history = { name: 'history', unit: 'B/op', of: (m, { ops }) => (m.historyBytes ?? m.wireBytes) / ops };
  const goals = [
    { peer: 'automerge', atMost: 0.9 },
    { peer: 'loro', atMost: 0.65 },
  ];
  const single = [{ peer: null, atMost: 6.5 }];
  return {
    id: 'P3',
    title: 'bytes per op; only keeproom and the limit are sealed and signed',
    module: 'catch-up',
    contestants: ['limit', 'keeproom', 'loro', 'yjs', 'automerge'],
    maxRuns: 1,
    maxSamples: 1,
    plans: { keeproom: provided },
    cases: [
      {
        ...withHistory(sets('100 per transaction', n(100_000))),
        measures: [
          { ...wire, goals },
          { ...history, goals },
        ],
      },
      {
        ...withHistory(sets('single-op transactions', n(100_000), { perTransaction: 1 })),
        fullOnly: true,
        // A change of Automerge's takes a millisecond; no goal here needs it.
        without: ['automerge'],
        measures: [
          { ...wire, goals: single },
          { ...history, goals: single },
        ],
      },
    ],
  };
}

function withHistory(one) {
  return { ...one, work: { ...one.work, countsHistory: true } };
}

function reconnect(n) {
  return {
    id: 'P9',
    title: 'reconnect with nothing new',
    module: 'reconnect',
    contestants: ['keeproom'],
    notMeasured: { 'history reads': 'the public API does not show them' },
    plans: { keeproom: provided },
    cases: [sets('both ways, greetings included', n(100_000))],
    measures: [
      { name: 'bytes', unit: 'B', of: (m) => m.bytes, goals: [{ peer: null, atMost: 600 }] },
      { name: 'frames', unit: 'frames', of: (m) => m.framesIn + m.framesOut },
      { name: 'until up to date', unit: 'ms', of: (m) => m.ms },
    ],
  };
}

function pageTasks(n) {
  const one = sets('with a live sorted query shown', n(100_000));
  return {
    id: 'P10',
    title: 'the page during P1 (Chromium only)',
    module: 'catch-up',
    browsers: ['chromium'],
    around: tracePage,
    contestants: ['limit', 'keeproom', 'yjs'],
    plans: { keeproom: provided },
    cases: [{ ...one, work: { ...one.work, live: true } }],
    measures: [
      { name: 'longest task', unit: 'ms', of: (m) => m.longestTaskMs, goals: [{ peer: null, atMost: 8 }] },
      {
        name: 'page time',
        unit: 'µs/op',
        of: (m, { ops }) => (m.pageMs * 1000) / ops,
        goals: [{ peer: null, atMost: 0.5 }],
      },
    ],
  };
}

function disk(n) {
  const one = sets('after single edits, full history', n(100_000), { perTransaction: 1 });
  return {
    id: 'P11',
    title: 'disk, settled',
    module: 'disk',
    freshPage: true,
    contestants: ['limit', 'keeproom', 'yjs', 'automerge', 'jazz'],
    maxRuns: 1,
    maxSamples: 1,
    cases: [{ ...one, work: { ...one.work, checksum: one.checksum } }],
    measures: [
      {
        name: 'bytes',
        unit: 'B/op',
        of: (m, { ops }) => m.bytes / ops,
        goals: [
          { peer: 'automerge', atMost: 2 },
          { peer: 'jazz', atMost: 0.1 },
          { peer: 'yjs', atMost: 0.15 },
        ],
      },
    ],
  };
}

function singleOps(n) {
  return {
    id: 'P12',
    title: 'catch-up from nothing, single-op transactions',
    module: 'catch-up',
    contestants: ['limit', 'keeproom', 'jazz'],
    plans: { keeproom: provided },
    cases: [sets('map sets, 1 per transaction', n(100_000), { perTransaction: 1 })],
    measures: [
      usPerOp([
        { peer: 'jazz', atMost: 0.35 },
        { peer: 'limit', atMost: 3 },
      ]),
      wire,
    ],
  };
}

function memory(n) {
  return {
    id: 'P14',
    title: 'memory of all processes, over an empty page (Linux only)',
    module: 'cold-open',
    freshPage: true,
    around: watchMemory,
    contestants: ['keeproom', 'yjs'],
    notMeasured: { limit: 'no goal names one' },
    cases: [opened('records open', n(20_000), { keys: n(20_000) })],
    measures: [{ name: 'growth', unit: 'MB', of: (m) => m.grownBytes / 1e6, goals: [{ peer: 'yjs', atMost: 1 }] }],
  };
}

/** [B06]: all processes together, over what there was before: an empty page, or the provider's with the room open. */
function large(n) {
  const ops = n(1_000_000, 200);
  const most = { goals: [{ peer: null, atMost: 700 }] };
  const common = {
    id: 'B06',
    fullOnly: true,
    around: watchMemory,
    contestants: ['keeproom'],
    maxRuns: 1,
    maxSamples: 1,
    measures: [
      { name: 'growth', unit: 'MB', of: (m) => m.grownBytes / 1e6, ...most },
      { name: 'growth at its highest', unit: 'MB', of: (m) => m.peakBytes / 1e6, ...most },
      { name: 'time', unit: 'ms', of: (m) => m.ms },
    ],
  };
  const joined = sets('catch-up from a provider', ops);
  return [
    {
      ...common,
      title: 'memory of a large room, opened (Linux only)',
      module: 'cold-open',
      freshPage: true,
      cases: [opened('cold open', ops)],
    },
    {
      ...common,
      title: 'memory of a large room, served and caught up with (Linux only)',
      module: 'catch-up',
      plans: { keeproom: provided },
      cases: [{ ...joined, work: { ...joined.work, keepsOpen: true } }],
    },
  ];
}

/** What somebody writes alone is signed when the first peer comes. */
function writtenAlone(n) {
  const one = sets('written alone', n(100_000, 300), { perTransaction: 1 });
  const ms = (name, of, goals) => ({ name, unit: 'ms', of, ...(goals && { goals }) });
  return {
    id: 'F10',
    title: 'edits written with nobody there: opened, and signed when the first peer comes',
    module: 'alone',
    contestants: ['keeproom'],
    maxRuns: 1,
    maxSamples: 1,
    cases: [one],
    measures: [
      ms('open', (m) => m.openMs),
      ms('until all are signed', (m) => m.signedMs, [{ peer: null, atMost: 3_000 }]),
      ms('until all are delivered', (m) => m.deliveredMs),
      ms('longest call beside it', (m) => m.longestCallMs, [{ peer: null, atMost: 30 }]),
    ],
  };
}

const twoPages = {
  pages: ['other', 'main'],
  phases: [
    ['other', 'prepare'],
    ['main', 'prepare'],
  ],
};

function live(n) {
  return {
    id: 'P6',
    title: 'an edit on page A, visible on page B',
    module: 'live',
    needs: ['livekit', 'signaling'],
    contestants: ['limit', 'keeproom', 'ywebrtc'],
    plans: { limit: twoPages, keeproom: twoPages, ywebrtc: twoPages },
    cases: [
      {
        name: 'over livekit-server on loopback (y-webrtc: page to page)',
        work: { edits: n(100_000) < 1_000 ? 5 : 30 },
      },
    ],
    measures: [
      { name: 'p50', unit: 'ms', of: (m) => median(m.each), goals: [{ peer: 'limit', atMost: 3 }] },
      { name: 'p95', unit: 'ms', of: (m) => quantile(m.each, 0.95) },
      {
        name: 'p95 over p50',
        unit: 'x',
        of: (m) => quantile(m.each, 0.95) / median(m.each),
        goals: [{ peer: null, atMost: 3 }],
      },
    ],
  };
}

function burst(n) {
  const work = { edits: n(2_000, 100), keys: n(1_000, 100) };
  return {
    id: 'P7',
    title: 'burst of single edits, end to end',
    module: 'burst',
    needs: ['yWebsocket'],
    contestants: ['limit', 'keeproom', 'ywebsocket'],
    plans: { limit: twoPages, keeproom: twoPages, ywebsocket: twoPages },
    cases: [{ name: 'over a BroadcastChannel (y-websocket: its server on loopback)', work }],
    measures: [
      {
        name: 'rate',
        unit: 'edits/s',
        of: (m, { edits: count }) => (count * 1_000) / m.ms,
        goals: [
          { peer: 'limit', atLeast: 0.8 },
          { peer: 'ywebsocket', atLeast: 1 },
        ],
      },
    ],
  };
}

/** What the issue names, and all that the gate asks for; KEEPROOM_BENCH_OPS scales them as everything. */
const GROWTH_OPS = [10_000, 100_000, 1_000_000];

function growth(n) {
  const ms = { name: 'time', unit: 'ms', of: (m) => m.ms };
  const common = {
    id: 'P15',
    contestants: ['keeproom'],
    maxRuns: 1,
    maxSamples: 3,
    measures: [ms],
    doubling: { measure: 'time', atMost: 2.2 },
  };
  const sizes = GROWTH_OPS.map((ops) => n(ops, 200));
  return [
    {
      ...common,
      title: 'growth of P1',
      module: 'catch-up',
      plans: { keeproom: provided },
      cases: sizes.map((ops, i) => sets('catch-up', ops, { fullOnly: i > 0 })),
    },
    {
      ...common,
      ...pick(behind(n), 'module', 'plans'),
      title: 'growth of P2',
      fullOnly: true,
      cases: sizes.map(behindCase),
    },
    {
      ...common,
      title: 'growth of P4',
      fullOnly: true,
      module: 'cold-open',
      freshPage: true,
      cases: sizes.map((ops) => opened('cold open', ops)),
    },
  ];
}

function pick(from, ...names) {
  return Object.fromEntries(names.map((name) => [name, from[name]]));
}
