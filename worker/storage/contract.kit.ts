import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store, StoreKey, StoreOp, StoreTable } from '../../src/ports/index.js';
import { StoreError } from '../../src/ports/index.js';
import type { Disk } from './index.js';
import { storeTables } from './index.js';

/** One namespace of one kind of storage, made for one test. */
export interface StorageRig {
  readonly disk: Disk;
  /** A second way to the same data, as another tab's engine has it. */
  readonly second: () => Disk;
  /** Cuts the connection under the disk's feet where there is one. */
  readonly cut?: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

const put = (table: StoreTable, key: StoreKey, value: unknown): StoreOp => ({ do: 'put', table, key, value });

const failureOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => 'no error',
    (thrown: unknown) => thrown,
  );
  return error instanceof StoreError ? error.failure : String(error);
};

/** What every implementation of `Disk` and `Store` keeps. */
export function storageContract(name: string, make: () => Promise<StorageRig>): void {
  describe(`storage contract: ${name}`, () => {
    let rig: StorageRig;
    let store: Store;

    beforeEach(async () => {
      rig = await make();
      store = rig.disk.open(await rig.disk.raiseGeneration());
    });
    afterEach(async () => {
      await rig.dispose();
    });

    rowsTests(() => store);
    atomicityTests(() => store);
    copyTests(() => store);
    fenceTests(
      () => rig,
      () => store,
    );
    lifeTests(
      () => rig,
      () => store,
    );
  });
}

function rowsTests(store: () => Store): void {
  test('an absent row is undefined, a put row is there in its own table only', async () => {
    expect(await store().get('rooms', ['r'])).toBeUndefined();
    await store().commit([put('rooms', ['r'], { title: 'ü', n: 1, none: null })]);
    expect(await store().get('rooms', ['r'])).toEqual({ title: 'ü', n: 1, none: null });
    for (const table of storeTables.filter((other) => other !== 'rooms')) {
      expect(await store().get(table, ['r'])).toBeUndefined();
    }
  });

  test('list is ascending by key: numbers before texts, by value, the shorter first', async () => {
    const ascending: StoreKey[] = [
      ['r'],
      ['r', -1],
      ['r', 2],
      ['r', 2, 0],
      ['r', 2, 'a'],
      ['r', 10],
      ['r', 281474976710655],
      ['r', ''],
      ['r', '10'],
      ['r', '2'],
      ['r', 'Z'],
      ['r', 'a'],
      ['r', 'a', 'b'],
      ['r', 'ab'],
      ['r', 'ä'],
    ];
    const shuffled = ascending.map((_, i) => ascending[(i * 7) % ascending.length]!);
    await store().commit(shuffled.map((key) => put('packs', key, key.length)));
    expect((await store().list('packs', ['r'])).map((row) => row.key)).toEqual(ascending);
  });

  test('a prefix matches whole elements, and a number is no text', async () => {
    const keys: StoreKey[] = [['a'], ['a', 1], ['a', '1'], ['ab'], ['ab', 1], ['b'], [1], [1, 'a'], [10], ['1']];
    await store().commit(keys.map((key) => put('state', key, 0)));
    const listed = async (prefix: StoreKey): Promise<StoreKey[]> =>
      (await store().list('state', prefix)).map((row) => [...row.key]);
    expect(await listed(['a'])).toEqual([['a'], ['a', 1], ['a', '1']]);
    expect(await listed(['a', 1])).toEqual([['a', 1]]);
    expect(await listed([1])).toEqual([[1], [1, 'a']]);
    expect(await listed(['1'])).toEqual([['1']]);
    expect(await listed(['c'])).toEqual([]);
    expect(await listed([])).toHaveLength(keys.length);
  });

  test('list begins at a key, keys are those of the rows, both within the prefix', async () => {
    const keys: StoreKey[] = [
      ['a', 1],
      ['a', 5],
      ['a', 5, 'x'],
      ['a', 9],
      ['b', 5],
    ];
    await store().commit(keys.map((key) => put('packs', key, 0)));
    const listed = async (from: StoreKey): Promise<StoreKey[]> =>
      (await store().list('packs', ['a'], from)).map((row) => [...row.key]);
    expect(await listed(['a', 5])).toEqual([
      ['a', 5],
      ['a', 5, 'x'],
      ['a', 9],
    ]);
    expect(await listed(['a', 6])).toEqual([['a', 9]]);
    expect(await listed(['a', 0])).toHaveLength(4);
    expect(await listed(['a', 10])).toEqual([]);
    expect(await store().keys('packs', ['a'])).toEqual(keys.slice(0, 4));
    expect(await store().keys('packs', ['c'])).toEqual([]);
  });

  test('delete-prefix takes exactly what list shows', async () => {
    const keys: StoreKey[] = [['a'], ['a', 1], ['a', 'z'], ['ab'], ['b'], [1]];
    await store().commit(keys.map((key) => put('packs', key, 0)));
    await store().commit([{ do: 'delete-prefix', table: 'packs', prefix: ['a'] }]);
    expect((await store().list('packs', [])).map((row) => row.key)).toEqual([[1], ['ab'], ['b']]);
    await store().commit([{ do: 'delete-prefix', table: 'packs', prefix: [] }]);
    expect(await store().list('packs', [])).toEqual([]);
  });

  test('keys that cannot be stored are misuse, and store nothing', async () => {
    await expect(store().commit([put('state', ['ok'], 1), put('state', [Number.NaN], 1)])).rejects.toThrow(TypeError);
    await expect(store().commit([put('state', ['ok'], 1), put('state', [], 1)])).rejects.toThrow(RangeError);
    await expect(store().get('state', [])).rejects.toThrow(RangeError);
    expect(await store().list('state', [])).toEqual([]);
  });
}

function atomicityTests(store: () => Store): void {
  test('operations of a commit take effect in their order', async () => {
    await store().commit([put('marks', ['m'], 1), put('marks', ['n'], 1)]);
    await store().commit([
      { do: 'delete-prefix', table: 'marks', prefix: [] },
      put('marks', ['m'], 2),
      put('marks', ['gone'], 3),
      { do: 'delete', table: 'marks', key: ['gone'] },
    ]);
    expect(await store().list('marks', [])).toEqual([{ key: ['m'], value: 2 }]);
  });

  test('a commit with one value that cannot be stored stores nothing, and the next one works', async () => {
    const bad = store().commit([put('rooms', ['a'], 1), put('packs', ['b'], () => 1)]);
    await expect(bad).rejects.toThrow(TypeError);
    expect(await store().get('rooms', ['a'])).toBeUndefined();
    await store().commit([put('rooms', ['a'], 2)]);
    expect(await store().get('rooms', ['a'])).toBe(2);
  });

  test('commits complete in the order in which they were asked for, and a read sees those before it', async () => {
    const order: number[] = [];
    const commits = Array.from({ length: 20 }, (_, i) =>
      store()
        .commit([put('state', ['last'], i), put('state', ['each', i], i)])
        .then(() => order.push(i)),
    );
    const seen = await store().get('state', ['last']);
    expect(seen).toBe(19);
    await Promise.all(commits);
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(await store().list('state', ['each'])).toHaveLength(20);
  });

  test('of reads asked for at one time, each sees the commits before it and has its own answer', async () => {
    await store().commit([put('marks', ['m'], 0), put('state', ['s', 1], 'a'), put('state', ['s', 2], 'b')]);
    const before = [store().get('marks', ['m']), store().list('state', ['s']), store().get('rooms', ['none'])];
    const commit = store().commit([put('marks', ['m'], 1)]);
    const between = [store().get('marks', ['m']), store().keys('state', ['s'])];
    const next = store().commit([put('marks', ['m'], 2), { do: 'delete', table: 'state', key: ['s', 1] }]);
    const after = [store().get('marks', ['m']), store().keys('state', ['s'])];
    const rows = [
      { key: ['s', 1], value: 'a' },
      { key: ['s', 2], value: 'b' },
    ];
    expect(await Promise.all(before)).toEqual([0, rows, undefined]);
    expect(await Promise.all(between)).toEqual([1, rows.map(({ key }) => key)]);
    expect(await Promise.all(after)).toEqual([2, [['s', 2]]]);
    await Promise.all([commit, next]);
  });

  test('an empty commit is allowed', async () => {
    await store().commit([]);
    await store().commit([], { strict: true });
  });
}

function copyTests(store: () => Store): void {
  test('what was given may change afterwards, and what is given too', async () => {
    const value = { list: [1, 2], bytes: new Uint8Array([1, 2, 3]) };
    const key = ['k', 1];
    const commit = store().commit([put('client', key, value)]);
    value.list.push(3);
    value.bytes[0] = 9;
    key[1] = 2;
    await commit;
    const first = (await store().get('client', ['k', 1])) as typeof value;
    expect(first).toEqual({ list: [1, 2], bytes: new Uint8Array([1, 2, 3]) });
    first.bytes[1] = 9;
    expect(await store().get('client', ['k', 1])).toEqual({ list: [1, 2], bytes: new Uint8Array([1, 2, 3]) });
  });

  test('a view of a larger buffer is stored alone', async () => {
    const frame = new Uint8Array(15_000).fill(7);
    await store().commit([
      put('packs', ['bare'], frame.subarray(100, 140)),
      put('packs', ['inside'], { a: [frame.subarray(0, 3)] }),
    ]);
    const bare = (await store().get('packs', ['bare'])) as Uint8Array;
    const inside = (await store().get('packs', ['inside'])) as { a: Uint8Array[] };
    expect([bare.length, bare.buffer.byteLength]).toEqual([40, 40]);
    expect([inside.a[0]?.length, inside.a[0]?.buffer.byteLength]).toEqual([3, 3]);
  });
}

function fenceTests(rig: () => StorageRig, store: () => Store): void {
  test('[X11] the generation rises by one, never falls, and starts above what is known', async () => {
    const first = await rig().disk.raiseGeneration();
    expect(await rig().second().raiseGeneration()).toBe(first + 1);
    expect(await rig().disk.raiseGeneration(first + 40)).toBe(first + 41);
    expect(await rig().disk.raiseGeneration(3)).toBe(first + 42);
  });

  test('[X11] a commit of an older generation is refused as fenced and stores nothing', async () => {
    await store().commit([put('rooms', ['mine'], 1)]);
    const other = rig().second();
    const next = other.open(await other.raiseGeneration());
    expect(await failureOf(store().commit([put('rooms', ['mine'], 2), put('packs', ['p'], 2)]))).toBe('fenced');
    expect(await failureOf(store().commit([{ do: 'delete-prefix', table: 'rooms', prefix: [] }]))).toBe('fenced');
    expect(await failureOf(store().commit([]))).toBe('fenced');
    expect(await next.get('rooms', ['mine'])).toBe(1);
    expect(await next.list('packs', [])).toEqual([]);
    await next.commit([put('rooms', ['mine'], 3)]);
    expect(await next.get('rooms', ['mine'])).toBe(3);
    await next.close();
  });

  test('[X11] commits in flight when another takes over are complete or fenced, in order, none in half', async () => {
    const other = rig().second();
    const outcomes = Array.from({ length: 30 }, (_, i) =>
      failureOf(store().commit([put('packs', [i], i), put('marks', ['high'], i)])),
    );
    const taken = other.raiseGeneration();
    const results = await Promise.all(outcomes);
    const next = other.open(await taken);
    const done = results.filter((result) => result === 'no error').length;
    expect(results.slice(done).every((result) => result === 'fenced')).toBe(true);
    expect(await next.list('packs', [])).toHaveLength(done);
    expect(await next.get('marks', ['high'])).toBe(done === 0 ? undefined : done - 1);
    await next.close();
  });
}

function lifeTests(rig: () => StorageRig, store: () => Store): void {
  test('close lets commits in flight complete, then refuses; it is safe to call twice', async () => {
    const commit = store().commit([put('rooms', ['r'], 1)]);
    await Promise.all([store().close(), store().close()]);
    await commit;
    expect(await failureOf(store().commit([put('rooms', ['r'], 2)]))).toBe('closed');
    expect(await failureOf(store().get('rooms', ['r']))).toBe('closed');
    expect(await failureOf(store().list('rooms', []))).toBe('closed');
    const again = rig().disk.open(await rig().disk.raiseGeneration());
    expect(await again.get('rooms', ['r'])).toBe(1);
  });

  test('erase leaves nothing, fences every open store, and no generation comes back', async () => {
    await store().commit([put('rooms', ['r'], 1), put('keys', ['k'], 2)]);
    const known = await rig().disk.raiseGeneration();
    await rig().disk.erase();
    expect(await failureOf(store().commit([put('rooms', ['r'], 2)]))).toBe('fenced');
    const next = await rig().disk.raiseGeneration(known);
    expect(next).toBe(known + 1);
    const fresh = rig().disk.open(next);
    for (const table of storeTables) expect(await fresh.list(table, [])).toEqual([]);
    await fresh.commit([put('rooms', ['r'], 3)]);
    expect(await fresh.list('rooms', [])).toEqual([{ key: ['r'], value: 3 }]);
  });

  test('a connection cut under a store is opened again by the next operation', async () => {
    await store().commit([put('rooms', ['r'], 1)]);
    await rig().cut?.();
    expect(await store().get('rooms', ['r'])).toBe(1);
    await rig().cut?.();
    await store().commit([put('rooms', ['r'], 2)], { strict: true });
    expect(await store().get('rooms', ['r'])).toBe(2);
  });
}
