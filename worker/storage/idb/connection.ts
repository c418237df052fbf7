import type { IDBPDatabase } from 'idb';
import { openDB } from 'idb';
import type { Doing } from './failure.js';
import { isLostConnection } from './failure.js';
import type { MigrationStep } from './migrate.js';
import { migrate } from './migrate.js';
import type { Watch } from './watch.js';

/** A dead connection is opened again at once; a browser that has just cleared its storage needs no more than this. */
const maxAttempts = 3;

/** The way to one database. It may close at any time (the browser, another tab's upgrade, freeze) and opens itself again. */
export interface Connection {
  /**
   * Runs `work` on the open database. When the connection dies under it, `work` runs again on a new one, at most
   * `maxAttempts` times in all: it must be all or nothing, and the same when done twice.
   */
  readonly use: <T>(doing: Doing, work: (db: IDBPDatabase) => Promise<T>) => Promise<T>;
  /** Lets go of the database; running transactions complete. The next use opens it again. */
  readonly close: () => void;
  /** The same after `last`, where the database is open; what goes wrong with that is nobody's business any more. */
  readonly end: (last: (db: IDBPDatabase) => Promise<void>) => Promise<void>;
}

export interface ConnectionOptions {
  readonly name: string;
  readonly steps: readonly MigrationStep[];
  readonly watch: Watch;
}

export function createConnection({ name, steps, watch }: ConnectionOptions): Connection {
  let current: Promise<IDBPDatabase> | null = null;

  const open = (): Promise<IDBPDatabase> => {
    const mine: Promise<IDBPDatabase> = watch.during(
      'open',
      openDatabase({ name, steps, watch }, () => drop(mine)),
    );
    mine.catch(() => drop(mine));
    return mine;
  };
  const drop = (which: Promise<IDBPDatabase> | null): void => {
    if (current === which) current = null;
  };
  const close = (): void => {
    current?.then((db) => db.close()).catch(() => undefined);
    current = null;
  };

  return {
    use: async (doing, work) => {
      for (let attempt = 1; ; attempt++) {
        const mine = (current ??= open());
        try {
          return await watch.during(doing, mine.then(work));
        } catch (error) {
          if (!isLostConnection(error) || attempt === maxAttempts) throw error;
          if (current === mine) close();
        }
      }
    },
    close,
    end: async (last) => {
      await current?.then(last).catch(() => undefined);
      close();
    },
  };
}

/** `lost` is called at most once, when the connection can no longer be used. */
async function openDatabase({ name, steps, watch }: ConnectionOptions, lost: () => void): Promise<IDBPDatabase> {
  let unblock: () => void = () => undefined;
  let opened: IDBPDatabase | null = null;
  let migration: Promise<void> = Promise.resolve();
  try {
    opened = await openDB(name, steps.length, {
      upgrade: (fresh, from, _to, tx) => {
        migration = migrate(fresh, tx, { from, steps });
        migration.catch(() => abort(tx));
        // openDB rejects for it as well.
        tx.done.catch(() => undefined);
      },
      blocked: () => (unblock = watch.blocked('open')),
      // Somebody upgrades or deletes: an idle connection would make him wait for ever (tabs.md T5).
      blocking: () => {
        lost();
        opened?.close();
      },
      terminated: lost,
    });
    await migration;
    return opened;
  } catch (error) {
    // The step's own error says more than the AbortError of its transaction.
    await migration;
    throw error;
  } finally {
    unblock();
  }
}

/** A step that fails by a request of its own has aborted the transaction already. */
function abort(tx: { readonly abort: () => void }): void {
  try {
    tx.abort();
  } catch {
    // Already aborted: there is nothing left to undo.
  }
}
