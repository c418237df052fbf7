/** One update with everything, applied to an empty document that y-indexeddb keeps. The bytes are on the page already. */
import { openYjs, writeYjs, Y } from '../../kit/yjs.mjs';
import { deleteDatabase, freshName } from '../../kit/idb.mjs';
import { BEGIN, checksumOf, END } from '../../work.mjs';

let update = null;

export const main = {
  prepare: async (work) => {
    update = Y.encodeStateAsUpdate(writeYjs(work));
    return { bytes: update.length };
  },
  sample: async () => {
    const name = freshName('yjs');
    const { doc, store, map, saved } = await openYjs(name);
    const startMs = performance.now();
    performance.mark(BEGIN);
    Y.applyUpdate(doc, update);
    await saved();
    const pairs = Object.entries(map.toJSON());
    const ms = performance.now() - startMs;
    performance.mark(END);
    await store.destroy();
    await deleteDatabase(name);
    return { checksum: checksumOf(pairs), metrics: { ms, wireBytes: update.length } };
  },
};
