import { openDB } from 'idb';
import type { Time } from '../../../src/ports/index.js';
import type { Disk } from '../index.js';
import type { StorageRig } from '../contract.kit.js';
import type { DiskState } from './index.js';
import { createBrowserDisk } from './index.js';
import { databaseName } from './schema.js';

/** The host's time as it is. */
export const realTime: Time = {
  now: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

export interface DatabaseRig extends StorageRig {
  readonly cut: () => Promise<void>;
  readonly name: string;
  readonly states: DiskState[];
}

let made = 0;

/** A database of its own, deleted afterwards. `canTearLog` as the host says it of a Chromium. */
export async function databaseRig({ canTearLog = false } = {}): Promise<DatabaseRig> {
  const namespace = `test-${Date.now().toString(36)}-${String(++made)}`;
  const states: DiskState[] = [];
  const opened = spyOnConnections();
  const disks: Disk[] = [];
  const open = (): Disk => {
    const onState = (state: DiskState): void => void states.push(state);
    const disk = createBrowserDisk({ namespace, time: realTime, onState, canTearLog });
    disks.push(disk);
    return disk;
  };
  const disk = open();
  return {
    disk,
    second: open,
    name: databaseName(namespace),
    states,
    // A connection that the browser has closed without an event refuses transactions, like one closed here.
    cut: async () => opened.connections.forEach((db) => db.close()),
    dispose: async () => {
      await disk.erase();
      for (const other of disks) other.close();
      opened.restore();
    },
  };
}

/** Every connection that starts a transaction, and the modes of all transactions. */
export function spyOnConnections(): {
  readonly connections: Set<IDBDatabase>;
  readonly modes: string[];
  readonly restore: () => void;
} {
  const original = IDBDatabase.prototype.transaction;
  const connections = new Set<IDBDatabase>();
  const modes: string[] = [];
  IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...args) {
    connections.add(this);
    modes.push(args[1] ?? 'readonly');
    return original.apply(this, args);
  };
  return { connections, modes, restore: () => (IDBDatabase.prototype.transaction = original) };
}

/** Every row of every object store, past our code. */
export async function rawRows(name: string): Promise<Record<string, [IDBValidKey, unknown][]>> {
  const db = await openDB(name);
  const rows: Record<string, [IDBValidKey, unknown][]> = {};
  for (const table of db.objectStoreNames) {
    const [keys, values] = await Promise.all([db.getAllKeys(table), db.getAll(table)]);
    rows[table] = keys.map((key, i) => [key, values[i]]);
  }
  db.close();
  return rows;
}
