import { endedKey, fenceTable, generationKey } from './schema.js';
import { transact } from './transact.js';

/**
 * Chromium keeps all databases of an origin in one LevelDB, whose log it writes in two steps per record, header and body.
 * A browser that is killed between the two leaves a header without a body. The next start takes that for the end of the
 * log and goes on writing behind it; the start after that reads all of it, finds a record that is none, and deletes every
 * database of the origin ("Corruption: checksum mismatch"): in Chromium 156 after 14 of 610 kills among relaxed writes.
 * What helps is that such a log is not read again: once more is written than LevelDB keeps in memory (4 MiB) it begins a
 * new log and drops the old one. So an engine that follows one that did not end by itself writes that much and deletes it
 * before it promises anything: 0 of 320. Not seen from here: what another database of the origin was writing when the
 * browser was killed, and a second kill before this is done.
 */
const scratchRows = 76;
/** Values above 64 KiB would become files beside the log. */
const scratchBytes = 60_000;
const scratchKey = 'scratch';

/**
 * Notes that the engine of this generation ends; without effect when another has taken over. An end that is not noted
 * looks like a kill: the next engine writes a little more than it had to.
 */
export function noteEnd(db: IDBDatabase, generation: number): Promise<void> {
  return transact(db, { tables: [], strict: false }, (tx) => {
    const fence = tx.objectStore(fenceTable);
    const stored = fence.get(generationKey);
    stored.onsuccess = () => {
      if (stored.result === generation) fence.put(generation, endedKey);
      tx.commit();
    };
  });
}

/** Makes the database begin a new log. Where there is no room for it everything stays as it is. */
export async function renewLog(db: IDBDatabase): Promise<void> {
  const scratch = new Uint8Array(scratchBytes);
  const fill = (tx: IDBTransaction): void => {
    const fence = tx.objectStore(fenceTable);
    for (let row = 0; row < scratchRows; row++) fence.put(scratch, [scratchKey, row]);
    tx.commit();
  };
  // The log changes with the write after the one that fills it.
  const clear = (tx: IDBTransaction): void => {
    tx.objectStore(fenceTable).delete(IDBKeyRange.bound([scratchKey], [scratchKey, []]));
    tx.commit();
  };
  try {
    await transact(db, { tables: [], strict: false }, fill);
  } finally {
    await transact(db, { tables: [], strict: false }, clear);
  }
}
