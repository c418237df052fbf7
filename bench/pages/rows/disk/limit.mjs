/**
 * What the browser's database keeps of it, whoever writes: single edits made durable 32 at a time, in packs with a head
 * and a few bytes an edit, which later make way for full ones. Nothing but puts and deletes of bytes.
 */
import { diskBytes } from '../../kit/disk.mjs';
import { freshName, openDatabase, putAll } from '../../kit/idb.mjs';

const HEAD_BYTES = 272;
/** Of a sealed edit in a full pack, head and signature not included. */
const EDIT_BYTES = 6;
const SMALL_PACK_EDITS = 32;
const FULL_PACK_EDITS = 1_024;

export const main = {
  prepare: async ({ ops }) => {
    const db = await openDatabase(freshName('limit'));
    for (let at = 0; at < ops; at += SMALL_PACK_EDITS) await putAll(db, [packOf(SMALL_PACK_EDITS)], [at]);
    for (let at = 0; at < ops; at += FULL_PACK_EDITS) await replace(db, [at, Math.min(at + FULL_PACK_EDITS, ops) - 1]);
    db.close();
    return {};
  },
  sample: async ({ checksum, restMs }) => ({ checksum, metrics: { bytes: await diskBytes(restMs) } }),
};

/** Sealed bytes do not shrink. */
function packOf(edits) {
  return crypto.getRandomValues(new Uint8Array(HEAD_BYTES + edits * EDIT_BYTES));
}

/** A full pack in the place of all small ones of a range, in one transaction. */
function replace(db, [from, to]) {
  return new Promise((resolve, reject) => {
    const tx = db.transaction('blobs', 'readwrite', { durability: 'relaxed' });
    const store = tx.objectStore('blobs');
    store.delete(globalThis.IDBKeyRange.bound(from, to));
    store.put(packOf(to + 1 - from), from);
    tx.oncomplete = resolve;
    tx.onerror = () => reject(tx.error);
  });
}
