import { storeTables } from '../index.js';
import type { MigrationStep } from './migrate.js';

/** One database per namespace. */
export function databaseName(namespace: string): string {
  return `keeproom/${namespace}`;
}

/** The object store of the generation row. No `StoreTable`: an engine can neither read nor delete it. */
export const fenceTable = 'fence';
export const generationKey = 'generation';
/** Beside it: the generation that ended by itself, with everything it wrote complete. */
export const endedKey = 'ended';

/**
 * Step n leads from version n to n + 1; their number is the version of the database. A released step is never changed:
 * a new version is a new step. Keys are the arrays of the port and lie beside the values; there are no secondary indexes
 * (33 µs per row and index).
 */
export const migrationSteps: readonly MigrationStep[] = [
  (db) => {
    for (const table of [fenceTable, ...storeTables]) db.createObjectStore(table);
  },
];
