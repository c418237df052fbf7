/** `alone`: a bare relaxed transaction with as many bytes as a signed and sealed edit has at the least. */
import { freshName, openDatabase, putAll } from '../../kit/idb.mjs';

/** Signature, seal and a head; the edit itself is a few bytes. */
const EDIT_BYTES = 160;

let db = null;

export const main = {
  prepare: async () => {
    db = await openDatabase(freshName('limit'));
    return {};
  },
  sample: async ({ ops, checksum }) => {
    const each = [];
    for (let i = 0; i < ops; i++) {
      const bytes = new Uint8Array(EDIT_BYTES);
      const startMs = performance.now();
      await putAll(db, [bytes]);
      each.push(performance.now() - startMs);
    }
    // It has no state to compare.
    return { checksum, metrics: { each } };
  },
};
