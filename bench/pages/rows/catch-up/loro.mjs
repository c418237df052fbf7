/** One update blob with the whole history, imported into an empty document and put into IndexedDB. */
import { LoroDoc, writeLoro } from '../../kit/loro.mjs';
import { deleteDatabase, freshName, openDatabase, putAll } from '../../kit/idb.mjs';
import { BEGIN, checksumOf, END } from '../../work.mjs';

let update = null;

export const main = {
  prepare: async (work) => {
    update = writeLoro(work).export({ mode: 'update' });
    return { bytes: update.length };
  },
  sample: async () => {
    const name = freshName('loro');
    const db = await openDatabase(name);
    const startMs = performance.now();
    performance.mark(BEGIN);
    const doc = new LoroDoc();
    const stored = putAll(db, [update]);
    doc.import(update);
    await stored;
    const pairs = Object.entries(doc.getMap('cells').toJSON());
    const ms = performance.now() - startMs;
    performance.mark(END);
    doc.free();
    db.close();
    await deleteDatabase(name);
    return { checksum: checksumOf(pairs), metrics: { ms, wireBytes: update.length } };
  },
};
