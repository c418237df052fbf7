import type { FromEngine, RoomUpdate, ToEngine } from '../../src/bridge/index.js';
import type { Store, StoreOp } from '../../src/ports/index.js';
import { StoreError } from '../../src/ports/index.js';
import type { ServedEngine } from '../engine/index.js';

/** One write as it lies on the disk. */
export interface Logged {
  readonly tab: string;
  readonly n: number;
  readonly generation: number;
}

interface Asked {
  readonly tab: string;
  readonly n: number;
  readonly room: string;
  readonly send: (message: FromEngine) => void;
}

/**
 * The smallest engine that keeps the promises of tabs.md rule 5: a log of writes, and a mark per tab in the same
 * commit; a known write is answered as done. Call `stats` says which generation answers.
 */
export async function startEcho(store: Store, generation: number): Promise<ServedEngine> {
  let length = (await store.list('packs', ['log'])).length;
  const marks = new Map((await store.list('marks', [])).map(({ key, value }) => [String(key[0]), Number(value)]));
  const tabs = new Map<object, (message: FromEngine) => void>();
  const queue: Asked[] = [];
  let working: Promise<void> | null = null;
  let stopped = false;

  /** All of them in one commit; what is known or comes too early is left out. */
  const commit = async (asked: readonly Asked[]): Promise<void> => {
    const next = new Map(marks);
    const added: Logged[] = [];
    for (const { tab, n } of asked) {
      if (n !== (next.get(tab) ?? 0) + 1) continue;
      next.set(tab, n);
      added.push({ tab, n, generation });
    }
    const rows = added.map((value, i): StoreOp => ({ do: 'put', table: 'packs', key: ['log', length + i], value }));
    const heights = [...next].map(([tab, value]): StoreOp => ({ do: 'put', table: 'marks', key: [tab], value }));
    if (added.length > 0) await store.commit([...rows, ...heights]);
    length += added.length;
    for (const [tab, n] of next) marks.set(tab, n);
    for (const { tab, room, send } of asked) send({ t: 'view', room, update: savedUpTo(marks.get(tab) ?? 0) });
  };
  /** One write is one commit, so that tests can end in the middle of many; the last commit takes what is left. */
  const work = async (): Promise<void> => {
    try {
      while (queue.length > 0) await commit(queue.splice(0, stopped ? queue.length : 1));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
    working = null;
  };
  const deliver = (tab: string, send: (message: FromEngine) => void, message: ToEngine): void => {
    if (message.t === 'call') send({ t: 'reply', id: message.id, value: { generation } });
    if (message.t !== 'write' || stopped) return;
    queue.push({ tab, n: message.n, room: message.room, send });
    working ??= work();
  };

  return {
    attach: (tab, send) => {
      const served = {};
      tabs.set(served, send);
      const sendIfHere = (message: FromEngine): void => tabs.get(served)?.(message);
      return { deliver: (message) => deliver(tab, sendIfHere, message), detach: () => void tabs.delete(served) };
    },
    stop: async () => {
      stopped = true;
      await working;
      await store.close();
    },
  };
}

function savedUpTo(n: number): RoomUpdate {
  return { reset: false, records: null, savedUpTo: n, deliveredUpTo: 0, info: null, rejected: [] };
}

/** What is wrong with a log: nothing, when every write of every tab is there once, in order, by generations that rise. */
export function faultsOf(log: readonly Logged[], written: ReadonlyMap<string, number>): string[] {
  const faults: string[] = [];
  const seen = new Map<string, number>();
  let generation = 0;
  for (const [index, entry] of log.entries()) {
    const before = seen.get(entry.tab) ?? 0;
    if (entry.n !== before + 1) faults.push(`${index}: ${entry.tab} wrote ${entry.n} after ${before}`);
    if (entry.generation < generation) faults.push(`${index}: generation ${entry.generation} after ${generation}`);
    seen.set(entry.tab, entry.n);
    generation = entry.generation;
  }
  for (const [tab, n] of written) {
    if ((seen.get(tab) ?? 0) !== n) faults.push(`${tab}: ${seen.get(tab) ?? 0} of ${n} acknowledged writes are there`);
  }
  return faults;
}
