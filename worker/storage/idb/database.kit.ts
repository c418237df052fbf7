import { openDB } from 'idb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store, StoreOp } from '../../../src/ports/index.js';
import type { Disk } from '../index.js';
import { createConnection } from './connection.js';
import type { MigrationStep } from './migrate.js';
import { migrationSteps } from './schema.js';
import type { DatabaseRig } from './rig.kit.js';
import { databaseRig, rawRows, realTime, spyOnConnections } from './rig.kit.js';
import { createWatch } from './watch.js';

const put = (key: string, value: unknown): StoreOp => ({ do: 'put', table: 'state', key: [key], value });

/** What the contract does not say and every IndexedDB must show. */
export function databaseSuite(where: string): void {
  describe(`database: ${where}`, () => {
    let rig: DatabaseRig;
    let store: Store;
    beforeEach(async () => {
      rig = await databaseRig();
      store = rig.disk.open(await rig.disk.raiseGeneration());
    });
    afterEach(() => rig.dispose());

    transactionTests(
      () => rig,
      () => store,
    );
    closingTests(
      () => rig,
      () => store,
    );
    waitingTests(
      () => rig,
      () => store,
    );
    migrationTests();
  });
  describe(`a log that can be torn: ${where}`, logTests);
}

type Rig = () => DatabaseRig;
type OpenStore = () => Store;

function transactionTests(rig: Rig, store: OpenStore): void {
  test('[S10] one readwrite transaction per commit, over all its tables', async () => {
    const spy = spyOnConnections();
    try {
      for (let i = 0; i < 10; i++) {
        await store().commit([
          put('a', i),
          { do: 'put', table: 'packs', key: ['r', i], value: new Uint8Array(200) },
          { do: 'put', table: 'marks', key: ['m'], value: i },
          { do: 'delete-prefix', table: 'drafts', prefix: ['r'] },
        ]);
      }
      expect(spy.modes).toEqual(Array.from({ length: 10 }, () => 'readwrite'));
    } finally {
      spy.restore();
    }
  });

  test('[X11] the generation is the row of no table: an engine cannot touch it', async () => {
    await store().commit([put('a', 1), { do: 'delete-prefix', table: 'state', prefix: [] }]);
    const rows = await rawRows(rig().name);
    expect(rows['fence']).toEqual([['generation', 1]]);
    expect(await rig().disk.raiseGeneration()).toBe(2);
  });
}

function closingTests(rig: Rig, store: OpenStore): void {
  test('a commit in flight when the connection is cut is stored, in its order', async () => {
    const commits = Array.from({ length: 10 }, (_, i) => store().commit([put('last', i), put(`each ${i}`, i)]));
    await rig().cut();
    await Promise.all(commits);
    await rig().cut();
    expect(await store().get('state', ['last'])).toBe(9);
    expect(await store().list('state', [])).toHaveLength(11);
  });

  test('a database that cannot be opened is broken after three attempts, with the reason', async () => {
    const original = IDBFactory.prototype.open;
    let calls = 0;
    await store().commit([put('a', 1)]);
    rig().disk.close();
    IDBFactory.prototype.open = function (): never {
      calls++;
      throw new DOMException('no', 'UnknownError');
    };
    try {
      const commit = store().commit([put('a', 2)]);
      await expect(commit).rejects.toMatchObject({ name: 'StoreError', failure: 'broken' });
      await expect(commit).rejects.toThrow('commit failed (UnknownError)');
      expect(calls).toBe(3);
    } finally {
      IDBFactory.prototype.open = original;
    }
    expect(await store().get('state', ['a'])).toBe(1);
    await store().commit([put('a', 3)]);
    expect(await store().get('state', ['a'])).toBe(3);
  });

  test('a full disk is typed, stores nothing, and the next commit works when there is room again', async () => {
    const original = IDBObjectStore.prototype.put;
    let full = true;
    // The quota is found out by the database, after put() has returned: as an abort of the transaction.
    IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...args) {
      if (full && args[0] === 'big') throw new DOMException('quota', 'QuotaExceededError');
      return original.apply(this, args);
    };
    try {
      const commit = store().commit([put('small', 1), put('big', 'big')]);
      await expect(commit).rejects.toMatchObject({ name: 'StoreError', failure: 'full' });
      expect(await store().list('state', [])).toEqual([]);
      full = false;
      await store().commit([put('big', 'big')]);
      expect(await store().list('state', [])).toHaveLength(1);
    } finally {
      IDBObjectStore.prototype.put = original;
    }
  });

  test('the database of a namespace erased by another tab is gone: fenced, and no number comes back', async () => {
    await store().commit([put('a', 1)]);
    const other = rig().second();
    await other.erase();
    await expect(store().commit([put('a', 2)])).rejects.toMatchObject({ failure: 'fenced' });
    expect(await rig().disk.raiseGeneration(1)).toBe(2);
    await expect(store().commit([put('a', 2)])).rejects.toMatchObject({ failure: 'fenced' });
    expect((await rawRows(rig().name))['state']).toEqual([]);
  });

  test('an idle disk holds nothing up once its stores are closed', async () => {
    const spy = spyOnConnections();
    await store().commit([put('a', 1)]);
    spy.restore();
    await store().close();
    // Closed, not merely willing to close: a page that sleeps hears no versionchange (tabs.md T5).
    const closed: unknown = expect.objectContaining({ name: 'InvalidStateError' });
    for (const db of spy.connections) expect(() => db.transaction('state')).toThrow(closed);
    expect(spy.connections.size).toBe(1);
    const started = performance.now();
    const db = await openDB(rig().name, 99, { upgrade: () => undefined });
    db.close();
    expect(performance.now() - started).toBeLessThan(1_000);
    const blocked = rig().disk.raiseGeneration();
    await expect(blocked).rejects.toMatchObject({ failure: 'broken' });
    await expect(blocked).rejects.toThrow('newer version');
  });
}

function waitingTests(rig: Rig, store: OpenStore): void {
  test('[X11] a transaction that somebody keeps open shows as stuck, and the commit is done when it ends', async () => {
    const db = await openDB(rig().name);
    const tx = db.transaction(['fence', 'state'], 'readwrite');
    let hold = true;
    // One request after the other keeps a transaction alive: a stopped tab looks the same from outside.
    const held = (async () => {
      while (hold) await tx.objectStore('state').get(['x']);
    })();
    const started = performance.now();
    const commit = store().commit([put('a', 1)]);
    await expect.poll(() => rig().states, { timeout: 5_000 }).toEqual([{ state: 'stuck', doing: 'commit' }]);
    console.log(`stuck shown after ${(performance.now() - started).toFixed(0)} ms`);
    hold = false;
    await held;
    await commit;
    db.close();
    expect(rig().states.at(-1)).toEqual({ state: 'ok' });
    expect(await store().get('state', ['a'])).toBe(1);
  });

  test('[X11] erased behind a connection that never lets go, the namespace can be used at once', async () => {
    await store().commit([put('secret', 1)]);
    const sleeper = await openDB(rig().name);
    await rig().disk.erase();
    expect(await sleeper.getAll('state')).toEqual([]);
    const next = rig().disk.open(await rig().disk.raiseGeneration(1));
    await next.commit([put('a', 1)]);
    expect(await sleeper.getAll('state')).toEqual([1]);
    expect(rig().states).toEqual([]);
    sleeper.close();
  });
}

const packsOf = (rows: Record<string, unknown[]>): unknown => rows['packs'];

function migrationTests(): void {
  const watch = createWatch(realTime, () => undefined);
  const before: MigrationStep = (db) => {
    db.createObjectStore('old');
  };
  /** Renames a table and rewrites its rows: what a real step does at worst. */
  const rename: MigrationStep = async (db, tx) => {
    const packs = db.createObjectStore('packs');
    const old = tx.objectStore('old');
    const [keys, values] = await Promise.all([old.getAllKeys(), old.getAll()]);
    for (const [i, key] of keys.entries()) await packs.put({ was: values[i] as unknown }, key);
    db.deleteObjectStore('old');
  };

  const handmade = async (): Promise<string> => {
    const name = `keeproom/old-${Math.random().toString(36).slice(2)}`;
    const db = await openDB(name, 1, { upgrade: (fresh) => void fresh.createObjectStore('old') });
    await db.put('old', 'one', ['r', 1]);
    await db.put('old', 'two', ['r', 2]);
    db.close();
    return name;
  };

  test('a database of an earlier version, made by hand, is migrated with its rows', async () => {
    const name = await handmade();
    const connection = createConnection({ name, steps: [before, rename], watch });
    const tables = await connection.use('open', async (db) => [db.version, ...db.objectStoreNames]);
    connection.close();
    expect(tables).toEqual([2, 'packs']);
    expect(packsOf(await rawRows(name))).toEqual([
      [['r', 1], { was: 'one' }],
      [['r', 2], { was: 'two' }],
    ]);
    indexedDB.deleteDatabase(name);
  });

  test('a step that fails leaves the version and every row as they were, and says why', async () => {
    const name = await handmade();
    const failing: MigrationStep = async (db, tx) => {
      await rename(db, tx);
      throw new Error('step failed');
    };
    const connection = createConnection({ name, steps: [before, failing], watch });
    await expect(connection.use('open', async () => undefined)).rejects.toThrow('step failed');
    expect(await rawRows(name)).toEqual({
      old: [
        [['r', 1], 'one'],
        [['r', 2], 'two'],
      ],
    });
    indexedDB.deleteDatabase(name);
  });

  test('an empty database goes through every released step', async () => {
    const name = `keeproom/new-${Math.random().toString(36).slice(2)}`;
    const connection = createConnection({ name, steps: migrationSteps, watch });
    const tables = await connection.use('open', async (db) => [...db.objectStoreNames]);
    connection.close();
    expect(tables).toEqual(['client', 'drafts', 'fence', 'keys', 'marks', 'packs', 'rooms', 'state']);
    indexedDB.deleteDatabase(name);
  });
}

/** Bytes put beside the generation row by `run`, and what lies there afterwards. */
async function besideFence(name: string, run: () => Promise<unknown>): Promise<{ bytes: number; rows: unknown }> {
  const original = IDBObjectStore.prototype.put;
  let bytes = 0;
  IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...args) {
    if (this.name === 'fence' && args[0] instanceof Uint8Array) bytes += args[0].byteLength;
    return original.apply(this, args);
  };
  try {
    await run();
  } finally {
    IDBObjectStore.prototype.put = original;
  }
  return { bytes, rows: (await rawRows(name))['fence'] };
}

/** More than a LevelDB keeps in memory before it begins a new log. */
const logBytes = 4 * 1_048_576;

function logTests(): void {
  let rig: DatabaseRig;
  let store: Store;
  beforeEach(async () => {
    rig = await databaseRig({ canTearLog: true });
  });
  afterEach(() => rig.dispose());
  const take = (disk: Disk, above = 0): Promise<{ bytes: number; rows: unknown }> =>
    besideFence(rig.name, async () => (store = disk.open(await disk.raiseGeneration(above))));

  test('[S06] behind an engine that did not end, a log is filled before anything is promised, and nothing stays of it', async () => {
    expect(await take(rig.disk)).toEqual({ bytes: 0, rows: [['generation', 1]] });
    await store.commit([put('a', 1)]);
    const { bytes, rows } = await take(rig.second());
    expect(bytes).toBeGreaterThan(logBytes);
    expect(rows).toEqual([['generation', 2]]);
    expect(await store.get('state', ['a'])).toBe(1);
  });

  test('[S06] an end by itself is noted with all that was written before it, and costs the next one nothing', async () => {
    await take(rig.disk);
    const last = store.commit([put('a', 1)]);
    await store.close();
    await last;
    const next = await take(rig.second());
    expect(next.bytes).toBe(0);
    // Of the first: the second runs.
    expect(next.rows).toEqual([
      ['ended', 1],
      ['generation', 2],
    ]);
    expect((await take(rig.second())).bytes).toBeGreaterThan(logBytes);
  });

  test('[S06] an engine that was replaced notes no end, and one that was heard of still has its browser', async () => {
    await take(rig.disk);
    const [replaced, second] = [store, rig.second()];
    const next = await take(second, 1);
    expect(next).toEqual({ bytes: 0, rows: [['generation', 2]] });
    await replaced.close();
    expect((await rawRows(rig.name))['fence']).toEqual([['generation', 2]]);
  });

  test('[S06] where there is no room to fill a log, taking over works without it, and leaves nothing of the try', async () => {
    await take(rig.disk);
    const original = IDBObjectStore.prototype.put;
    let puts = 0;
    IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...args) {
      if (args[0] instanceof Uint8Array && ++puts === 40) throw new DOMException('quota', 'QuotaExceededError');
      return original.apply(this, args);
    };
    try {
      expect(await rig.second().raiseGeneration()).toBe(2);
    } finally {
      IDBObjectStore.prototype.put = original;
    }
    expect(puts).toBe(40);
    expect((await rawRows(rig.name))['fence']).toEqual([['generation', 2]]);
  });

  test('[S06] a browser whose log cannot be torn writes nothing but the generation', async () => {
    const other = await databaseRig();
    const taken = await besideFence(other.name, async () => {
      await other.disk.raiseGeneration();
      await other
        .second()
        .open(await other.second().raiseGeneration())
        .close();
    });
    expect(taken).toEqual({ bytes: 0, rows: [['generation', 2]] });
    await other.dispose();
  });
}
