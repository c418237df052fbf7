import type { IDBPDatabase, IDBPTransaction } from 'idb';

/** The one kind of transaction that may change tables; the browser makes it strict. */
export type UpgradeTransaction = IDBPTransaction<unknown, string[], 'versionchange'>;

/**
 * One version further. It may read and write rows through `tx`, awaiting nothing but its requests. When it throws or
 * rejects, the database stays at the version it had, with every row.
 */
export type MigrationStep = (db: IDBPDatabase, tx: UpgradeTransaction) => void | Promise<void>;

/** Runs the steps from version `from` to the last one inside the upgrade's transaction. */
export async function migrate(
  db: IDBPDatabase,
  tx: UpgradeTransaction,
  { from, steps }: { readonly from: number; readonly steps: readonly MigrationStep[] },
): Promise<void> {
  for (const step of steps.slice(from)) await step(db, tx);
}
