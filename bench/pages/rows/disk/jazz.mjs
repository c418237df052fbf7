/** A private map in Jazz's IndexedDB, one transaction per edit. */
import { startNode, writeJazz } from '../../kit/jazz.mjs';
import { diskBytes } from '../../kit/disk.mjs';
import { freshName } from '../../kit/idb.mjs';

export const main = {
  prepare: async (work) => {
    const node = await startNode(freshName('jazz'));
    const map = await writeJazz(node, { ...work, perTransaction: 1 });
    await node.syncManager.waitForStorageSync(map.id);
    await node.gracefulShutdown();
    return {};
  },
  sample: async ({ checksum, restMs }) => ({ checksum, metrics: { bytes: await diskBytes(restMs) } }),
};
