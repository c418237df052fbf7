/** automerge-repo with its IndexedDB storage, the document compacted into a snapshot. */
import { Repo } from '@automerge/automerge-repo';
import { IndexedDBStorageAdapter } from '@automerge/automerge-repo-storage-indexeddb';
import { Automerge, writeAutomerge } from '../../kit/automerge.mjs';
import { freshName } from '../../kit/idb.mjs';
import { checksumOfRows, topRows } from '../../work.mjs';

let repo = null;

export const main = {
  prepare: async (work) => {
    const name = freshName('automerge');
    repo = new Repo({ storage: new IndexedDBStorageAdapter(name) });
    const handle = repo.import(Automerge.save(writeAutomerge(work)));
    await repo.flush([handle.documentId]);
    const url = handle.url;
    await repo.shutdown();
    return { name, url };
  },
  arrive: async ({ name }) => {
    repo = new Repo({ storage: new IndexedDBStorageAdapter(name) });
    return {};
  },
  sample: async ({ url }) => {
    const startMs = performance.now();
    const handle = await repo.find(url);
    const rows = topRows(Object.entries(handle.doc().cells));
    return { checksum: checksumOfRows(rows), metrics: { ms: performance.now() - startMs } };
  },
};
