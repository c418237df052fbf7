/**
 * The rows of the suite: what is done, by whom, what is read off it, and what keeproom has promised. `of` takes a
 * measure from a sample's metrics; goals compare keeproom's median with a peer's, or with a bare number (`peer: null`).
 */
import { median, quantile } from './lib/stats.mjs';
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

/** @param {(full: number, least?: number) => number} n sizes: a number of the issue, as this run scales it */
export function createRows(n) {
  return [catchUp(n), coldOpen(n), edits(n), queries(n)];
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
      opened('with many records', n(20_000), { keys: n(20_000) }),
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
