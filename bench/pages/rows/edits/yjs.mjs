/** Edits of a document under y-indexeddb: one transaction of its per edit. */
import { openYjs, writeYjs } from '../../kit/yjs.mjs';
import { freshName } from '../../kit/idb.mjs';
import { checksumOf, keyName, mapSets } from '../../work.mjs';

let open = null;

export const main = {
  prepare: async ({ keys }) => {
    open = await openYjs(freshName('yjs'));
    writeYjs({ ops: keys, keys, perTransaction: keys }, open.doc);
    await open.saved();
    return {};
  },
  sample: async ({ ops, keys, alone }) => {
    const { map, saved } = open;
    const sets = mapSets({ ops, keys });
    const each = [];
    const startMs = performance.now();
    for (let i = 0; i < ops; i++) {
      const editMs = performance.now();
      map.set(keyName(sets.keys[i]), sets.values[i]);
      if (!alone) continue;
      await saved();
      each.push(performance.now() - editMs);
    }
    await saved();
    const ms = performance.now() - startMs;
    return { checksum: checksumOf(map.entries()), metrics: { ms, each } };
  },
};
