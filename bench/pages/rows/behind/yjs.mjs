/** Both halves of a sync step on one thread: what lacks is found, encoded, applied and stored. */
import { openYjs, Y } from '../../kit/yjs.mjs';
import { deleteDatabase, freshName } from '../../kit/idb.mjs';
import { authoredSets, checksumOf, keyName } from '../../work.mjs';

let full = null;
let early = null;

export const main = {
  prepare: async (work) => {
    const sets = authoredSets(work);
    full = new Y.Doc();
    const map = full.getMap('cells');
    const first = work.ops - work.behind;
    for (let at = 0; at < work.ops; at += work.perTransaction) {
      if (early === null && at >= first) early = Y.encodeStateAsUpdate(full);
      full.clientID = sets.author[at] + 1;
      full.transact(() => {
        const end = Math.min(at + work.perTransaction, work.ops);
        for (let i = at; i < end; i++) map.set(keyName(sets.keys[i]), sets.values[i]);
      });
    }
    return {};
  },
  sample: async () => {
    const name = freshName('yjs');
    const { doc, store, map, saved } = await openYjs(name);
    Y.applyUpdate(doc, early);
    await saved();
    const startMs = performance.now();
    const update = Y.encodeStateAsUpdate(full, Y.encodeStateVector(doc));
    Y.applyUpdate(doc, update);
    await saved();
    const pairs = [...map.entries()];
    const ms = performance.now() - startMs;
    await store.destroy();
    await deleteDatabase(name);
    return { checksum: checksumOf(pairs), metrics: { ms, wireBytes: update.length } };
  },
};
