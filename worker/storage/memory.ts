import type { Store, StoreFailure, StoreOp, StoreRow, StoreTable } from '../../src/ports/index.js';
import { StoreError } from '../../src/ports/index.js';
import type { Disk } from './disk.js';
import { checkKey, checkPrefix } from './keys.js';
import type { MemoryStep, Queue } from './memory-queue.js';
import { createQueue } from './memory-queue.js';
import type { Tables } from './memory-rows.js';
import { applyOp, copyTables, emptyTables, readKeys, readRow, readRows } from './memory-rows.js';
import { ownOp } from './ops.js';

export interface MemoryDiskOptions {
  /** How long a step takes: it happens when this resolves. It must not reject. Without it, one microtask. */
  readonly pace?: (step: MemoryStep) => Promise<void>;
}

/**
 * A disk in memory, deterministic: steps happen one at a time in the order in which they were asked for, whoever asked.
 * Several engines may open it at once, as after a fail-over.
 */
export interface MemoryDisk extends Disk {
  /** The next `commits` commits (1) fail and store nothing. */
  readonly failNext: (failure: 'full' | 'broken', commits?: number) => void;
  /**
   * The process dies: nothing asked before is ever answered, its stores stay silent for good, what was not complete is
   * gone. `landed`: that many of the oldest unanswered commits had reached the disk (default 0).
   */
  readonly crash: (o?: { readonly landed?: number }) => void;
  /** A second disk with the same rows and generation: a backup, or the same profile copied to another device. */
  readonly copy: (options?: MemoryDiskOptions) => MemoryDisk;
  /** Everything that lies on it, copied. */
  readonly dump: () => ReadonlyMap<StoreTable, readonly StoreRow[]>;
  /** Writes past every generation and check: a damaged or foreign row. */
  readonly damage: (ops: readonly StoreOp[]) => void;
}

/** An empty disk. */
export function createMemoryDisk(options: MemoryDiskOptions = {}): MemoryDisk {
  return diskOf({ tables: emptyTables(), generation: 0 }, options);
}

interface Platter {
  readonly tables: Tables;
  generation: number;
}

function diskOf(platter: Platter, options: MemoryDiskOptions): MemoryDisk {
  const queue = createQueue(options.pace ?? (() => Promise.resolve()));
  const failures: StoreFailure[] = [];
  let life = 0;
  return {
    raiseGeneration: (above = 0) =>
      queue.add('generation', () => (platter.generation = Math.max(platter.generation, above) + 1)),
    open: (generation) => {
      const born = life;
      return openStore({ platter, queue, failures, generation, dead: () => born !== life });
    },
    close: () => undefined,
    erase: () =>
      queue.add('generation', () => {
        platter.generation = 0;
        for (const rows of platter.tables.values()) rows.length = 0;
      }),
    failNext: (failure, commits = 1) => {
      for (let i = 0; i < commits; i++) failures.push(failure);
    },
    crash: ({ landed = 0 } = {}) => {
      life++;
      queue.crash(landed);
    },
    copy: (copyOptions = {}) =>
      diskOf({ tables: copyTables(platter.tables), generation: platter.generation }, copyOptions),
    dump: () => copyTables(platter.tables),
    damage: (ops) => {
      for (const op of ops) applyOp(platter.tables, ownOp(op));
    },
  };
}

interface OpenStore {
  readonly platter: Platter;
  readonly queue: Queue;
  readonly failures: StoreFailure[];
  readonly generation: number;
  readonly dead: () => boolean;
}

function openStore({ platter, queue, failures, generation, dead }: OpenStore): Store {
  let closed = false;
  /** A dead process hears nothing any more; a closed store says so. */
  const guard = async <T>(run: () => Promise<T>): Promise<T> => {
    if (dead()) return new Promise<T>(() => undefined);
    if (closed) throw new StoreError('closed', 'memory store: used after close()');
    return run();
  };
  const write = (ops: readonly StoreOp[]): void => {
    if (generation !== platter.generation) {
      throw new StoreError('fenced', `memory store: generation ${generation} was replaced by ${platter.generation}`);
    }
    const failure = failures.shift();
    if (failure !== undefined) throw new StoreError(failure, `memory store: told to fail as ${failure}`);
    for (const op of ops) applyOp(platter.tables, op);
  };
  return {
    commit: (ops) =>
      guard(() => {
        const own = ops.map(ownOp);
        return queue.add('commit', () => write(own));
      }),
    get: (table, key) =>
      guard(() => {
        const own = [...checkKey(key)];
        return queue.add('get', () => readRow(platter.tables, table, own));
      }),
    list: (table, prefix, from = prefix) =>
      guard(() => {
        const [own, at] = [[...checkPrefix(prefix)], [...checkPrefix(from)]];
        return queue.add('list', () => readRows(platter.tables, table, own, at));
      }),
    keys: (table, prefix) =>
      guard(() => {
        const own = [...checkPrefix(prefix)];
        return queue.add('list', () => readKeys(platter.tables, table, own));
      }),
    close: () => {
      if (dead()) return new Promise<void>(() => undefined);
      closed = true;
      return queue.idle();
    },
  };
}
