/** A snapshot out of IndexedDB, imported; the database is open already. */
import { LoroDoc, writeLoro } from '../../kit/loro.mjs';
import { freshName, getAll, openDatabase, putAll } from '../../kit/idb.mjs';
import { checksumOfRows, topRows } from '../../work.mjs';

let db = null;

export const main = {
  prepare: async (work) => {
    const name = freshName('loro');
    db = await openDatabase(name);
    await putAll(db, [writeLoro(work).export({ mode: 'snapshot' })]);
    return { name };
  },
  arrive: async ({ name }) => {
    const startMs = performance.now();
    db = await openDatabase(name);
    return { startMs: performance.now() - startMs };
  },
  sample: async () => {
    const startMs = performance.now();
    const [snapshot] = await getAll(db);
    const doc = new LoroDoc();
    doc.import(snapshot);
    const rows = topRows(Object.entries(doc.getMap('cells').toJSON()));
    return { checksum: checksumOfRows(rows), metrics: { ms: performance.now() - startMs } };
  },
};
