/** Automerge's sync protocol between two documents of one page; what is new is stored. Authors' branches are merged. */
import { Automerge } from '../../kit/automerge.mjs';
import { deleteDatabase, freshName, openDatabase, putAll } from '../../kit/idb.mjs';
import { authoredSets, checksumOf, keyName } from '../../work.mjs';

let full = null;
let early = null;

/** A document by each author with its ops of [from, to), and all of them merged. */
function write(docs, sets, { perTransaction }, from, to) {
  for (let at = from; at < to; at += perTransaction) {
    const author = sets.author[at];
    docs[author] = Automerge.change(docs[author], ({ cells }) => {
      const end = Math.min(at + perTransaction, to);
      for (let i = at; i < end; i++) cells[keyName(sets.keys[i])] = sets.values[i];
    });
  }
  return docs.reduce((all, doc) => Automerge.merge(all, doc), Automerge.clone(docs[0]));
}

export const main = {
  prepare: async (work) => {
    const sets = authoredSets(work);
    const actor = (i) => `0${i + 1}`.repeat(16);
    const base = write([Automerge.from({ cells: {} }, { actor: actor(0) })], sets, work, 0, sets.made);
    const docs = Array.from({ length: work.authors }, (_, i) => Automerge.clone(base, { actor: actor(i) }));
    docs[0] = Automerge.clone(base, { actor: 'f'.repeat(32) });
    const first = Math.floor((work.ops - work.behind) / work.perTransaction) * work.perTransaction;
    early = Automerge.save(write(docs, sets, work, sets.made, first));
    full = write(docs, sets, work, first, work.ops);
    return {};
  },
  sample: async () => {
    const name = freshName('automerge');
    const db = await openDatabase(name);
    let behind = Automerge.load(early);
    const heads = Automerge.getHeads(behind);
    const startMs = performance.now();
    let mine = Automerge.initSyncState();
    let theirs = Automerge.initSyncState();
    let wireBytes = 0;
    let rounds = 0;
    for (let isDone = false; !isDone; rounds++) {
      let ask;
      let answer;
      [mine, ask] = Automerge.generateSyncMessage(behind, mine);
      if (ask !== null) [full, theirs] = Automerge.receiveSyncMessage(full, theirs, ask);
      [theirs, answer] = Automerge.generateSyncMessage(full, theirs);
      if (answer !== null) {
        wireBytes += answer.length;
        [behind, mine] = Automerge.receiveSyncMessage(behind, mine, answer);
      }
      isDone = ask === null && answer === null;
    }
    await putAll(db, [Automerge.saveSince(behind, heads)]);
    const pairs = Object.entries(behind.cells);
    const ms = performance.now() - startMs;
    Automerge.free(behind);
    db.close();
    await deleteDatabase(name);
    return { checksum: checksumOf(pairs), metrics: { ms, wireBytes, rounds } };
  },
};
