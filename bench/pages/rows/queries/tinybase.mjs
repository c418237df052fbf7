/** TinyBase in memory: nothing of it is stored, signed or encrypted. */
import { createQueries, createStore } from 'tinybase';
import { checksumOfQueries, createWork, LIMIT } from './work.mjs';

let store = null;
let queries = null;
let work = null;
let count = 0;
let heard = () => undefined;

export const main = {
  prepare: async (input) => {
    work = createWork(input);
    count = input.queries;
    store = createStore();
    store.transaction(() => work.records.forEach((one, i) => store.setRow('records', String(i), one)));
    queries = createQueries(store);
    for (let group = 0; group < count; group++) {
      queries.setQueryDefinition(String(group), 'records', ({ select, where }) => {
        select('label');
        select('score');
        where('group', group);
      });
      queries.addResultSortedRowIdsListener(String(group), 'score', true, 0, LIMIT, () => heard(group));
    }
    return {};
  },
  sample: async () => {
    const startMs = performance.now();
    for (const { record, score } of work.updates) {
      const { group } = work.records[record];
      const told = new Promise((resolve) => {
        heard = (which) => which === group && resolve();
      });
      store.setCell('records', String(record), 'score', score);
      await told;
    }
    const ms = performance.now() - startMs;
    heard = () => undefined;
    const lists = Array.from({ length: count }, (_, group) =>
      queries
        .getResultSortedRowIds(String(group), 'score', true, 0, LIMIT)
        .map((id) => queries.getResultRow(String(group), id)),
    );
    const checksum = checksumOfQueries(lists);
    store.transaction(() => {
      for (const { record } of work.updates) {
        store.setCell('records', String(record), 'score', work.records[record].score);
      }
    });
    return { checksum, metrics: { ms } };
  },
};
