/** Yjs as its users see it, with y-indexeddb. */
import { IndexeddbPersistence } from 'y-indexeddb';
import * as Y from 'yjs';
import { keyName, mapSets, transactions } from '../work.mjs';
import { whenStored } from './idb.mjs';

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

/** An empty document with storage under it, ready. */
export async function openYjs(name) {
  const doc = new Y.Doc();
  const store = new IndexeddbPersistence(name, doc);
  await store.whenSynced;
  return { doc, store, map: doc.getMap('cells'), saved: () => whenStored(store.db, 'updates') };
}

export { Y };
