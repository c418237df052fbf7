/** A node loads a private map from its IndexedDB. */
import { agentSecret, countTransactions, startNode, writeJazz } from '../../kit/jazz.mjs';
import { freshName } from '../../kit/idb.mjs';
import { checksumOfRows, topRows } from '../../work.mjs';

let node = null;

export const main = {
  prepare: async (work) => {
    const name = freshName('jazz');
    node = await startNode(name);
    const map = await writeJazz(node, work);
    await node.syncManager.waitForStorageSync(map.id);
    await node.syncManager.waitForAllCoValuesSync();
    return { name, mapId: map.id, secret: agentSecret(), wanted: countTransactions(map) };
  },
  arrive: async ({ name, secret }) => {
    const startMs = performance.now();
    node = await startNode(name, secret);
    return { startMs: performance.now() - startMs };
  },
  sample: async ({ mapId, wanted }) => {
    const startMs = performance.now();
    const map = await node.load(mapId);
    while (countTransactions(map) < wanted) await new Promise((resolve) => setTimeout(resolve));
    const rows = topRows(Object.entries(node.getCoValue(mapId).getCurrentContent().toJSON()));
    return { checksum: checksumOfRows(rows), metrics: { ms: performance.now() - startMs } };
  },
};
