import type { IDBPDatabase, IDBPObjectStore } from 'idb';
import { deleteDB, unwrap } from 'idb';
import type { Store, StoreKey, StoreRow, StoreTable, StoreValue, Time } from '../../../src/ports/index.js';
import { StoreError } from '../../../src/ports/index.js';
import type { Disk } from '../index.js';
import { checkKey, checkPrefix, ownOp } from '../index.js';
import type { Connection } from './connection.js';
import { createConnection } from './connection.js';
import type { Doing } from './failure.js';
import { toStoreError } from './failure.js';
import { noteEnd, renewLog } from './log.js';
import { databaseName, migrationSteps } from './schema.js';
import type { Succession } from './transact.js';
import { clearAll, commitOps, nextGeneration, prefixRange } from './transact.js';
import type { DiskState, Watch } from './watch.js';
import { createWatch } from './watch.js';

export interface BrowserDiskOptions {
  readonly namespace: string;
  readonly time: Time;
  /** Hears when the database makes us wait, and when it no longer does; must not throw. */
  readonly onState?: (state: DiskState) => void;
  /** Whether a killed browser of this kind can lose everything (see log.ts): Chromium and what is made of it. */
  readonly canTearLog?: boolean;
}

/** How long `erase` waits for other tabs to let go. */
const eraseWaitMs = 2_000;

/** The database of one namespace. It is opened by the first use, closed with the last store, and opens itself again. */
export function createBrowserDisk({
  namespace,
  time,
  onState = () => undefined,
  canTearLog = false,
}: BrowserDiskOptions): Disk {
  const name = databaseName(namespace);
  const watch = createWatch(time, onState);
  const connection = createConnection({ name, steps: migrationSteps, watch });
  let stores = 0;
  return {
    raiseGeneration: async (above = 0) => {
      const raise = (db: IDBPDatabase): Promise<Succession> => nextGeneration(unwrap(db), above);
      const { generation, before, ended } = await connection.use('take-over', raise).catch(rethrow('take-over'));
      // Of a generation that was heard of, the browser still runs; nothing was killed, or the tab alone.
      if (canTearLog && before > above && ended !== before) {
        await connection.use('take-over', (db) => renewLog(unwrap(db))).catch(() => undefined);
      }
      return generation;
    },
    open: (generation) => {
      stores++;
      return openStore(connection, generation, async () => {
        if (--stores > 0) return;
        if (canTearLog) await connection.end((db) => noteEnd(unwrap(db), generation));
        else connection.close();
      });
    },
    close: connection.close,
    erase: async () => {
      const emptied = await connection
        .use('erase', (db) => clearAll(unwrap(db)))
        .then(
          () => true,
          () => false,
        );
      connection.close();
      // What cannot even be emptied can still be deleted.
      if (!emptied) await deleteDatabase(name, time, watch);
    },
  };
}

function openStore(connection: Connection, generation: number, onClose: () => Promise<void>): Store {
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | null = null;
  /** Commits run one after the other, so that one that has to be tried again keeps its place. */
  let lastCommit: Promise<unknown> = Promise.resolve();

  const run = <T>(doing: Doing, work: (db: IDBPDatabase) => Promise<T>): Promise<T> => {
    if (closing !== null) throw new StoreError('closed', 'database: used after close()');
    const done = lastCommit.then(() => connection.use(doing, work)).catch(rethrow(doing));
    const settled = done.catch(() => undefined).finally(() => running.delete(settled));
    running.add(settled);
    if (doing === 'commit') [lastCommit, together] = [settled, null];
    return done;
  };
  /** Reads that wait for the same commit share a transaction: to begin and to end one costs more than to read a few rows. */
  let together: { readonly reads: Read[]; readonly all: Promise<readonly unknown[]> } | null = null;
  const read = async <T>(table: StoreTable, ask: (rows: Rows) => Promise<T>): Promise<T> => {
    if (together === null) {
      const reads: Read[] = [];
      const all = run('read', (db) => {
        if (together?.reads === reads) together = null;
        return readAll(db, reads);
      });
      together = { reads, all };
    }
    const { reads, all } = together;
    const at = reads.push({ table, ask }) - 1;
    return (await all)[at] as T;
  };

  return {
    commit: async (ops, { strict = false } = {}) => {
      const own = ops.map(ownOp);
      return run('commit', (db) => commitOps(unwrap(db), own, { generation, strict }));
    },
    get: async (table, key) => {
      const own = [...checkKey(key)];
      return read(table, async (rows): Promise<StoreValue> => rows.get(own));
    },
    list: async (table, prefix, from = prefix) => {
      const range = prefixRange(checkPrefix(prefix), checkPrefix(from));
      return read(table, async (rows) => listRows(rows, range));
    },
    keys: async (table, prefix) => {
      const range = prefixRange(checkPrefix(prefix));
      return read(table, async (rows) => (await rows.getAllKeys(range)).map(storeKey));
    },
    close: () => (closing ??= Promise.all(running).then(onClose)),
  };
}

/** One table within a transaction. */
type Rows = Pick<IDBPObjectStore<unknown, string[]>, 'get' | 'getAll' | 'getAllKeys'> & {
  /** Indexed Database 3.0; here in Chromium. */
  readonly getAllRecords?: (o: {
    readonly query: IDBKeyRange;
  }) => Promise<readonly { readonly key: IDBValidKey; readonly value: StoreValue }[]>;
};

interface Read {
  readonly table: StoreTable;
  readonly ask: (rows: Rows) => Promise<unknown>;
}

/** `done` is awaited with the requests: a connection that dies under a read rejects both. */
async function readAll(db: IDBPDatabase, reads: readonly Read[]): Promise<readonly unknown[]> {
  const tx = db.transaction([...new Set<string>(reads.map(({ table }) => table))]);
  const asked = reads.map(async ({ table, ask }) => ask(tx.objectStore(table)));
  const [found] = await Promise.all([Promise.all(asked), tx.done]);
  return found;
}

async function listRows(rows: Rows, range: IDBKeyRange): Promise<readonly StoreRow[]> {
  // One question where there are two of older platforms.
  if (rows.getAllRecords !== undefined) {
    const records = await rows.getAllRecords({ query: range });
    return records.map(({ key, value }) => ({ key: storeKey(key), value }));
  }
  const all: Promise<StoreValue[]> = rows.getAll(range);
  const [keys, values] = await Promise.all([rows.getAllKeys(range), all]);
  return keys.map((key, i) => ({ key: storeKey(key), value: values[i] }));
}

/** Nobody but us writes here, so that every key is one of ours; the rest of IndexedDB's keys are dropped, not trusted. */
function storeKey(key: IDBValidKey): StoreKey {
  const parts = Array.isArray(key) ? key : [];
  return parts.filter((part) => typeof part === 'string' || typeof part === 'number');
}

/** Others may never let go. */
function deleteDatabase(name: string, time: Time, watch: Watch): Promise<void> {
  return new Promise((resolve, reject) => {
    let unblock = (): void => undefined;
    const blocked = (): void => {
      const cancel = time.after(eraseWaitMs, () =>
        reject(new StoreError('broken', 'database: erase is blocked by another tab')),
      );
      const free = watch.blocked('erase');
      unblock = () => {
        cancel();
        free();
      };
    };
    deleteDB(name, { blocked })
      .finally(() => unblock())
      .then(resolve, (error: unknown) => reject(toStoreError(error, 'erase')));
  });
}

function rethrow(doing: Doing): (error: unknown) => never {
  return (error) => {
    throw toStoreError(error, doing);
  };
}
