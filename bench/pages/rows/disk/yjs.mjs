/**
 * One stored update per edit, never trimmed: the only form in which y-indexeddb keeps the history, as each other row here
 * does. By default it replaces 500 updates by one state.
 */
import { openYjs, writeYjs } from '../../kit/yjs.mjs';
import { diskBytes } from '../../kit/disk.mjs';
import { freshName } from '../../kit/idb.mjs';

const NEVER_MS = 2 ** 31 - 1;

export const main = {
  prepare: async (work) => {
    const { doc, store, saved } = await openYjs(freshName('yjs'));
    store._storeTimeout = NEVER_MS;
    writeYjs({ ...work, perTransaction: 1 }, doc);
    await saved();
    await store.destroy();
    return {};
  },
  sample: async ({ checksum, restMs }) => ({ checksum, metrics: { bytes: await diskBytes(restMs) } }),
};
