/** Loro as its users see it; where bytes are kept is the app's affair. */
import { LoroDoc } from 'loro-crdt';
import { keyName, mapSets, transactions } from '../work.mjs';

/** A document after all sets, one commit per transaction. */
export function writeLoro({ ops, keys, perTransaction, seed }) {
  const doc = new LoroDoc();
  doc.setPeerId('1');
  const sets = mapSets({ ops, keys, seed });
  const map = doc.getMap('cells');
  for (const [from, to] of transactions(ops, perTransaction)) {
    for (let i = from; i < to; i++) map.set(keyName(sets.keys[i]), sets.values[i]);
    doc.commit();
  }
  return doc;
}

export { LoroDoc };
