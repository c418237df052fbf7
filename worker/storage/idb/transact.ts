import type { StoreKey, StoreOp } from '../../../src/ports/index.js';
import { StoreError } from '../../../src/ports/index.js';
import { endedKey, fenceTable, generationKey } from './schema.js';

/**
 * One commit, one readwrite transaction (tabs.md T4). Everything is queued in this task, the generation row first; its
 * success handler commits or aborts. `commit()` cannot be called earlier: a browser takes no abort after it, and a
 * stopped leader that wakes would then write past the fence. Between the two lies one round trip to the database, the
 * only time in which a tab that stops can make others wait.
 */
export function commitOps(
  db: IDBDatabase,
  ops: readonly StoreOp[],
  { generation, strict }: { readonly generation: number; readonly strict: boolean },
): Promise<void> {
  const tables = new Set(ops.map((op) => op.table));
  return transact(db, { tables: [...tables], strict }, (tx, fail) => {
    const fence = tx.objectStore(fenceTable).get(generationKey);
    fence.onsuccess = () => {
      if (fence.result === generation) tx.commit();
      else fail(new StoreError('fenced', `database: generation ${generation} is over, now ${String(fence.result)}`));
    };
    for (const op of ops) request(tx.objectStore(op.table), op);
  });
}

/** What taking over found. */
export interface Succession {
  readonly generation: number;
  /** The one before it, 0: there was none; and the one that ended by itself, as far as that was noted. */
  readonly before: number;
  readonly ended: number;
}

/** Reads the generation and writes the next one; strict. */
export async function nextGeneration(db: IDBDatabase, above: number): Promise<Succession> {
  let [generation, before, ended] = [0, 0, 0];
  await transact(db, { tables: [], strict: true }, (tx) => {
    const fence = tx.objectStore(fenceTable);
    const noted = fence.get(endedKey);
    const stored = fence.get(generationKey);
    stored.onsuccess = () => {
      ended = numberOf(noted.result);
      before = numberOf(stored.result);
      generation = Math.max(before, above) + 1;
      fence.put(generation, generationKey);
      tx.commit();
    };
  });
  return { generation, before, ended };
}

function numberOf(stored: unknown): number {
  return typeof stored === 'number' ? stored : 0;
}

/** Every row of every table and the generation with them: whoever had the database open is fenced. */
export function clearAll(db: IDBDatabase): Promise<void> {
  return transact(db, { tables: [...db.objectStoreNames], strict: true }, (tx) => {
    for (const table of tx.objectStoreNames) tx.objectStore(table).clear();
    tx.commit();
  });
}

/** Keys that begin with `prefix`, and are not below `from`. In IndexedDB's order an array comes after every text and number. */
export function prefixRange(prefix: StoreKey, from: StoreKey = prefix): IDBKeyRange {
  return IDBKeyRange.bound([...from], [...prefix, []], false, true);
}

type Fail = (error: unknown) => void;

/** Resolves on `complete`, which is when the data is the database's; rejects with what made the transaction abort. */
export function transact(
  db: IDBDatabase,
  { tables, strict }: { readonly tables: readonly string[]; readonly strict: boolean },
  fill: (tx: IDBTransaction, fail: Fail) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const durability = strict ? 'strict' : 'relaxed';
    const tx = db.transaction([fenceTable, ...tables.filter((table) => table !== fenceTable)], 'readwrite', {
      durability,
    });
    let cause: unknown = null;
    const fail: Fail = (error) => {
      cause = error;
      tx.abort();
    };
    tx.oncomplete = () => resolve();
    tx.onabort = () => reject(errorOf(cause ?? tx.error));
    // A request that fails aborts its transaction; its own error says more than the transaction's.
    tx.onerror = ({ target }) => (cause ??= target instanceof IDBRequest ? target.error : null);
    try {
      fill(tx, fail);
    } catch (error) {
      fail(error);
    }
  });
}

function request(table: IDBObjectStore, op: StoreOp): void {
  if (op.do === 'put') table.put(op.value, [...op.key]);
  else if (op.do === 'delete') table.delete([...op.key]);
  else table.delete(prefixRange(op.prefix));
}

/** A transaction that the browser aborts with its connection has no error of its own. */
function errorOf(cause: unknown): Error {
  if (cause instanceof Error || cause instanceof DOMException) return cause;
  return new DOMException('the transaction was aborted', 'AbortError');
}
