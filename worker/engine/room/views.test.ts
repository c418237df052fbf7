import { describe, expect, test, vi } from 'vitest';
import { unpackRecords, type FromEngine, type RoomInfo } from '../../../src/bridge/index.js';
import { createRecords, type ChangedRecords } from '../../../src/core/record/index.js';
import { toBase64Url } from '../../../src/core/base/index.js';
import type { RoomCore } from './core.js';
import { createViews } from './views.js';

type Update = Extract<FromEngine, { t: 'view' }>['update'];

function idBytes(n: number): Uint8Array<ArrayBuffer> {
  const id = new Uint8Array(28);
  new DataView(id.buffer).setUint32(0, n);
  return id;
}

/** Views over records alone, with a clock and a commit that the test moves. */
function createStage(): {
  readonly views: ReturnType<typeof createViews>;
  readonly write: (count: number, value: number) => ChangedRecords;
  readonly pass: (ms: number) => void;
  readonly save: (n: number) => void;
  readonly heard: Update[];
  readonly records: ReturnType<typeof createRecords>;
} {
  const records = createRecords();
  let now = 1_000;
  let ms = 1;
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  const after = (wait: number, run: () => void): (() => void) => {
    const timer = { at: now + wait, run };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  const marks = new Map<string, number>();
  const core = {
    room: 'r',
    device: 'd',
    marks,
    drafts: [],
    undelivered: new Map(),
    delivered: new Map(),
    signedDrafts: new Map(),
    state: { records, domains: new Map() },
    ports: { time: { now: () => now, after } },
    loop: { afterCommit: (run: () => void) => run() },
  } as unknown as RoomCore;
  const heard: Update[] = [];
  const views = createViews(core, () => ({ network: 'alone' }) as RoomInfo);
  views.open('tab', (message) => message.t === 'view' && heard.push(message.update));
  return {
    views,
    heard,
    records,
    write: (count, value) => {
      const ops = Array.from({ length: count }, (_, n) => ({
        kind: 'insert' as const,
        collection: 'cards',
        id: idBytes(n),
        fields: { value },
      }));
      const changed = new Map<string, Set<string>>();
      records.apply({ author: 'a'.repeat(64), hlc: { ms: ms++, ctr: 0 }, ops }, changed);
      return changed;
    },
    pass: (wait) => {
      now += wait;
      for (const timer of timers) if (timer.at <= now && timers.delete(timer)) timer.run();
    },
    save: (n) => marks.set('tab', n),
  };
}

function valuesOf(update: Update | undefined): unknown[] {
  return unpackRecords(update?.records ?? []).map(({ fields }) => fields?.['value']);
}

describe('views', () => {
  test('several pages are told the same, which is made once', () => {
    const { views, heard, write, records } = createStage();
    write(2_500, 1);
    const other: Update[] = [];
    views.open('other', (message) => message.t === 'view' && other.push(message.update));
    heard.length = other.length = 0;
    const visit = vi.spyOn(records, 'visit');
    views.flush('all', null);
    expect([heard.length, valuesOf(heard[1]).length]).toEqual([2, 500]);
    expect(other.map(({ records: runs }) => runs)).toEqual(heard.map(({ records: runs }) => runs));
    expect(heard.map(({ reset, more }) => [reset, more === true])).toEqual([
      [true, true],
      [false, false],
    ]);
    views.flush('all', null);
    expect(other.at(-1)?.records).toBe(heard.at(-1)?.records);
    expect(visit).toHaveBeenCalledTimes(2);
  });

  test('one record after another is told at once; of many, what changes meanwhile follows together', () => {
    const { views, heard, write, pass } = createStage();
    for (let i = 0; i < 3; i++) views.flush(write(1, i), null);
    expect(heard.slice(1).map(valuesOf)).toEqual([[0], [1], [2]]);
    views.flush(write(1_000, 3), null);
    views.flush(write(1_000, 4), null);
    views.flush(write(2, 5), null);
    expect(heard).toHaveLength(5);
    pass(9);
    expect(heard).toHaveLength(5);
    pass(2);
    expect(heard).toHaveLength(6);
    expect(valuesOf(heard[5])).toEqual([5, 5, ...Array<number>(998).fill(4)]);
    pass(100);
    expect(heard).toHaveLength(6);
  });

  test('what a page waits for takes along what had to wait, and no clock keeps it long', () => {
    const { views, heard, write, pass, save } = createStage();
    views.flush(write(1_000, 0), null);
    views.flush(write(1, 1), null);
    save(1);
    views.flush(new Map(), null);
    expect([heard.length, valuesOf(heard[2]), heard[2]?.savedUpTo]).toEqual([3, [1], 1]);
    views.flush(write(1, 2), { network: 'up-to-date' } as RoomInfo);
    expect([heard.length, valuesOf(heard[3]), heard[3]?.info?.network]).toEqual([4, [2], 'up-to-date']);
    views.reject('tab', { n: 2, code: 'entry/forbidden', collection: 'cards', id: '', values: null });
    views.flush(write(1, 3), null);
    expect([heard.length, valuesOf(heard[4])]).toEqual([5, [3]]);
    pass(-3_600_000);
    views.flush(write(1, 4), null);
    pass(50);
    expect([heard.length, valuesOf(heard[5])]).toEqual([6, [4]]);
  });

  test('many records come in parts: the first begins, the last brings what goes with all of them', () => {
    const { views, heard, write, save } = createStage();
    save(7);
    write(4_500, 1);
    views.flush('all', { network: 'syncing' } as RoomInfo);
    const parts = heard.slice(1);
    expect(parts.map(({ reset, more, info }) => [reset, more ?? false, info?.network])).toEqual([
      [true, true, undefined],
      [false, true, undefined],
      [false, false, 'syncing'],
    ]);
    const ids = parts.flatMap(({ records }) => unpackRecords(records ?? []).map(({ id }) => id));
    expect(ids).toEqual(Array.from({ length: 4_500 }, (_, n) => toBase64Url(idBytes(n))));
  });

  test('nothing is told after the end', () => {
    const { views, heard, write, pass } = createStage();
    views.flush(write(1_000, 0), null);
    views.flush(write(1, 1), null);
    views.stop();
    pass(100);
    expect(heard).toHaveLength(2);
  });
});
