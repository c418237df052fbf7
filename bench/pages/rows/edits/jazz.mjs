/** Edits of a private map whose node has IndexedDB; signed and encrypted each. */
import { startNode, writeJazz } from '../../kit/jazz.mjs';
import { freshName } from '../../kit/idb.mjs';
import { checksumOf, keyName, mapSets } from '../../work.mjs';

let node = null;
let map = null;

export const main = {
  prepare: async ({ keys }) => {
    node = await startNode(freshName('jazz'));
    map = await writeJazz(node, { ops: keys, keys, perTransaction: keys });
    await node.syncManager.waitForStorageSync(map.id);
    return {};
  },
  sample: async ({ ops, keys, alone }) => {
    const sets = mapSets({ ops, keys });
    const each = [];
    const startMs = performance.now();
    for (let i = 0; i < ops; i++) {
      const editMs = performance.now();
      map.set(keyName(sets.keys[i]), sets.values[i], 'private');
      if (!alone) continue;
      await node.syncManager.waitForStorageSync(map.id);
      each.push(performance.now() - editMs);
    }
    await node.syncManager.waitForStorageSync(map.id);
    const ms = performance.now() - startMs;
    return { checksum: checksumOf(Object.entries(map.toJSON())), metrics: { ms, each } };
  },
};
