/** A saved document, loaded and put into IndexedDB: faster than its sync protocol from nothing, so the better peer. */
import { Automerge, writeAutomerge } from '../../kit/automerge.mjs';
import { deleteDatabase, freshName, openDatabase, putAll } from '../../kit/idb.mjs';
import { BEGIN, checksumOf, END } from '../../work.mjs';

let saved = null;

export const main = {
  prepare: async (work) => {
    saved = Automerge.save(writeAutomerge(work));
    return { bytes: saved.length };
  },
  sample: async () => {
    const name = freshName('automerge');
    const db = await openDatabase(name);
    const startMs = performance.now();
    performance.mark(BEGIN);
    const stored = putAll(db, [saved]);
    const doc = Automerge.load(saved);
    await stored;
    const pairs = Object.entries(doc.cells);
    const ms = performance.now() - startMs;
    performance.mark(END);
    Automerge.free(doc);
    db.close();
    await deleteDatabase(name);
    return { checksum: checksumOf(pairs), metrics: { ms, wireBytes: saved.length } };
  },
};
