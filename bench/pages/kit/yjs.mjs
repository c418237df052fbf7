/** Yjs as its users see it, with y-indexeddb. */
import { IndexeddbPersistence, storeState } from 'y-indexeddb';
import * as Y from 'yjs';
import { keyName, mapSets, transactions } from '../work.mjs';

/** The writer of the histories: one number, so that two builds are byte-equal. */
const WRITER = 1;

/** A document after all sets. */
export function writeYjs({ ops, keys, perTransaction, seed }, doc = new Y.Doc()) {
  doc.clientID = WRITER;
  const sets = mapSets({ ops, keys, seed });
  const map = doc.getMap('cells');
  for (const [from, to] of transactions(ops, perTransaction)) {
    doc.transact(() => {
      for (let i = from; i < to; i++) map.set(keyName(sets.keys[i]), sets.values[i]);
    });
  }
  return doc;
}

/** A document with storage under it, ready; empty where nobody has used that name. */
export async function openYjs(name) {
  const doc = new Y.Doc();
  const store = new IndexeddbPersistence(name, doc);
  await store.whenSynced;
  return { doc, store, map: doc.getMap('cells'), saved: lastTransaction(store.db) };
}

/**
 * y-indexeddb tells nobody when an update is stored: this sees its transactions. The returned function resolves when the
 * last one that was begun is complete; transactions on one store end in order.
 */
function lastTransaction(db) {
  let last = Promise.resolve();
  const begin = db.transaction.bind(db);
  db.transaction = (...args) => {
    const tx = begin(...args);
    last = new Promise((resolve, reject) => {
      tx.addEventListener('complete', resolve);
      tx.addEventListener('abort', () => reject(tx.error));
    });
    return tx;
  };
  return () => last;
}

export { storeState, Y };
