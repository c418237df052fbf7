/** An empty node with IndexedDB loads a private map from a node of the same page. */
import { connectNodes, countTransactions, startNode, writeJazz } from '../../kit/jazz.mjs';
import { deleteDatabase, freshName } from '../../kit/idb.mjs';
import { checksumOf } from '../../work.mjs';

let server = null;
let source = null;

export const main = {
  prepare: async (work) => {
    server = await startNode();
    source = await writeJazz(server, work);
    return {};
  },
  sample: async () => {
    const name = freshName('jazz');
    const node = await startNode(name);
    connectNodes(node, server);
    const wanted = countTransactions(source);
    const startMs = performance.now();
    const map = await node.load(source.id);
    while (countTransactions(map) < wanted) await new Promise((resolve) => setTimeout(resolve));
    await node.syncManager.waitForStorageSync(source.id);
    const pairs = Object.entries(node.getCoValue(source.id).getCurrentContent().toJSON());
    const ms = performance.now() - startMs;
    await node.gracefulShutdown();
    await deleteDatabase(name);
    return { checksum: checksumOf(pairs), metrics: { ms } };
  },
};
