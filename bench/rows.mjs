/**
 * The rows of the suite: what is done, by whom, what is read off it, and what keeproom has promised. `of` takes a
 * measure from a sample's metrics; goals compare keeproom's median with a peer's, or with a bare number (`peer: null`).
 */
import { checksumOf, finalValues } from './pages/work.mjs';

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

/** @param {(full: number, least?: number) => number} n sizes: a number of the issue, as this run scales it */
export function createRows(n) {
  return [
    {
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
    },
  ];
}
