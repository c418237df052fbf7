/** Live queries of an open room: the clock runs from an update until the subscriber of its group was called. */
import { collection, createClient, defineSchema, s } from 'keeproom';
import { freshName } from '../../kit/idb.mjs';
import { checksumOfQueries, createWork, LIMIT } from './work.mjs';

const schema = defineSchema({
  app: 'bench-queries',
  data: {
    records: collection({
      label: s.string({ maxLength: 64 }),
      group: s.number({ integer: true }),
      score: s.number({ integer: true }),
    }),
  },
});

const PER_TRANSACTION = 500;

let room = null;
let work = null;
const ids = [];
let queries = [];
let heard = () => undefined;

export const main = {
  prepare: async (input) => {
    work = createWork(input);
    const client = createClient({ namespace: freshName('queries'), profile: { name: 'bench' } });
    room = await client.createRoom({ schema });
    const { records } = room.data;
    for (let from = 0; from < work.records.length; from += PER_TRANSACTION) {
      const write = room.transact(() => {
        for (const one of work.records.slice(from, from + PER_TRANSACTION)) ids.push(records.insert(one).id);
      });
      await write.saved();
    }
    queries = Array.from({ length: input.queries }, (_, group) =>
      records.where({ group }).orderBy('score', 'desc').limit(LIMIT),
    );
    queries.forEach((query, group) => query.subscribe(() => heard(group)));
    return {};
  },
  sample: async () => {
    const { records } = room.data;
    const startMs = performance.now();
    for (const { record, score } of work.updates) {
      const { group } = work.records[record];
      const told = new Promise((resolve) => {
        heard = (which) => which === group && resolve();
      });
      records.update(ids[record], { score });
      await told;
    }
    const ms = performance.now() - startMs;
    heard = () => undefined;
    const checksum = checksumOfQueries(queries.map((query) => query.value));
    // As it was, for the next sample.
    const back = room.transact(() => {
      for (const { record } of work.updates) records.update(ids[record], { score: work.records[record].score });
    });
    await back.saved();
    return { checksum, metrics: { ms } };
  },
};
