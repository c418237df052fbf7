/** Automerge as its users see it. */
import * as Automerge from '@automerge/automerge';
import { keyName, mapSets, transactions } from '../work.mjs';

/** A document after all sets, one change per transaction. */
export function writeAutomerge({ ops, keys, perTransaction, seed }) {
  const sets = mapSets({ ops, keys, seed });
  let doc = Automerge.from({ cells: {} }, { actor: '01'.repeat(16) });
  for (const [from, to] of transactions(ops, perTransaction)) {
    doc = Automerge.change(doc, ({ cells }) => {
      for (let i = from; i < to; i++) cells[keyName(sets.keys[i])] = sets.values[i];
    });
  }
  return doc;
}

export { Automerge };
