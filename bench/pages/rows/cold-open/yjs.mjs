/** A document that y-indexeddb has compacted into one update: the state in which it leaves a document that rests. */
import { openYjs, storeState, writeYjs, Y } from '../../kit/yjs.mjs';
import { freshName } from '../../kit/idb.mjs';
import { checksumOfRows, topRows } from '../../work.mjs';

export const main = {
  prepare: async (work) => {
    const name = freshName('yjs');
    const { doc, store, saved } = await openYjs(name);
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(writeYjs(work)));
    await saved();
    await storeState(store, true);
    await saved();
    await store.destroy();
    return { name };
  },
  sample: async ({ name }) => {
    const startMs = performance.now();
    const { map } = await openYjs(name);
    const rows = topRows(map.entries());
    return { checksum: checksumOfRows(rows), metrics: { ms: performance.now() - startMs } };
  },
};
