import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RecordUpdate } from '../bridge/index.js';
import type { Card } from './query.kit.js';
import { message, naive, plan, queryOf } from './query.kit.js';
import { board, createRig, idOf, row } from './view.kit.js';

describe('queries', () => {
  test('kept up to date, or read now and then: the same as filtering and sorting everything', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), plan, fc.infiniteStream(fc.nat(3)), (messages, wanted, dice) => {
        const { data, say } = createRig(board);
        const query = queryOf(data.cards, wanted);
        const state = new Map<string, RecordUpdate>();
        let seen: readonly Card[] = [];
        let stop: (() => void) | null = null;
        for (const { reset, rows } of messages) {
          // Subscribing, not subscribing and reading in between, in all orders.
          const die = dice.next().value;
          if (die === 0) stop ??= query.subscribe((value) => (seen = value));
          if (die === 1) {
            stop?.();
            stop = null;
          }
          if (reset) state.clear();
          for (const one of rows) if (one.fields === null) state.delete(one.id);
          for (const one of rows) if (one.fields !== null) state.set(one.id, one);
          say({ reset }, rows);
          const right = naive(state, wanted);
          if (stop !== null) expect(seen.map(({ id }) => id)).toEqual(right);
          if (die !== 3) expect(query.value.map(({ id }) => id)).toEqual(right);
          if (die !== 3) expect(query.count.value).toBe(right.length);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('an equal query is the same object, however it was put', () => {
    const { cards } = createRig(board).data;
    const query = cards.where({ kind: 'box', x: { gte: 0, lt: 5 } });
    expect(cards.where({ x: { lt: 5, gte: 0 } }).where({ kind: 'box', text: undefined as never })).toBe(query);
    expect(query.orderBy('x')).toBe(cards.where({ x: { gte: 0, lt: 5 }, kind: 'box' }).orderBy('x', 'asc'));
    expect(query.limit(3)).not.toBe(query);
    expect(cards.where({ kind: 'note' })).not.toBe(query);
  });

  test('a value keeps its identity until it changes, and so do rows and parts of rows', () => {
    const { data, say } = createRig(board);
    say({}, [row('a', { x: 1, extra: { list: [1, 2] } }), row('b', { x: 2 })]);
    const before = data.cards.value;
    say({}, [row('a', { x: 1, extra: { list: [1, 2] } }, { delivered: false })]);
    expect(data.cards.value).toBe(before);
    say({}, [row('a', { x: 5, extra: { list: [1, 2] } })]);
    const after = data.cards.value;
    expect(after).not.toBe(before);
    expect(after[1]).toBe(before[1]);
    expect(after[0]?.extra).toBe(before[0]?.extra);
    expect(Object.isFrozen(after) && Object.isFrozen(after[0]) && Object.isFrozen(after[0]?.extra)).toBe(true);
  });

  test('one notification per message, after all of it is visible, and none for what a query does not show', () => {
    const { data, say } = createRig(board);
    const heard: [number, number][] = [];
    data.cards.where({ kind: 'note' }).subscribe((notes) => heard.push([notes.length, data.cards.count.value]));
    say({}, [row('a', { x: 1, kind: 'note' }), row('b', { x: 1, kind: 'note' }), row('c', { x: 1 })]);
    say({}, [row('d', { x: 1 })]);
    expect(heard).toEqual([
      [0, 0],
      [2, 3],
    ]);
  });

  test('a subscriber that throws harms nobody; one that left hears nothing more', async () => {
    const { data, say } = createRig(board);
    const uncaught = new Promise<unknown>((resolve) => process.once('uncaughtException', resolve));
    const heard: number[] = [];
    let isReady = false;
    data.cards.subscribe(() => {
      if (isReady) throw new Error('from the app');
    });
    let stopLater = (): void => undefined;
    data.cards.subscribe(() => stopLater());
    stopLater = data.cards.count.subscribe((count) => heard.push(count));
    isReady = true;
    say({}, [row('a', { x: 1 })]);
    expect(heard).toEqual([0]);
    expect(String(await uncaught)).toMatch('from the app');
  });

  test('what is written in a subscriber is told after what is due', () => {
    const { data } = createRig(board);
    const heard: string[] = [];
    data.cards.count.subscribe((count) => {
      if (count === 1) data.cards.insert({ x: 2 });
      heard.push(`first ${count}`);
    });
    data.cards.count.subscribe((count) => heard.push(`second ${count}`));
    data.cards.insert({ x: 1 });
    expect(data.cards.count.value).toBe(2);
    expect(heard).toEqual(['first 0', 'second 0', 'first 1', 'second 2', 'first 2']);
  });

  test('[S17] a query keeps what it was asked, whatever becomes of the objects that asked it', () => {
    const { cards } = createRig(board).data;
    cards.insert({ x: 1, kind: 'box' });
    const wanted: ('box' | 'note')[] = ['box'];
    const boxes = cards.where({ kind: { in: wanted } });
    wanted[0] = 'note';
    cards.insert({ x: 2, kind: 'note' });
    expect(boxes.value.map(({ x }) => x)).toEqual([1]);
    expect(cards.where({ kind: { in: ['box'] } })).toBe(boxes);
    expect(cards.where({ kind: { in: wanted } }).value.map(({ x }) => x)).toEqual([2]);
  });

  test('[S17] misuse names the argument', () => {
    const { cards } = createRig(board).data;
    const js = cards as unknown as Record<'where' | 'orderBy' | 'limit' | 'subscribe', (arg: unknown) => unknown>;
    expect(() => js.where({ zz: 1 })).toThrow(new TypeError('cards.where: zz: expected a declared field, got string'));
    expect(() => js.where(null)).toThrow(new TypeError('cards.where: expected an object, got Null'));
    expect(() => js.where({ x: { gt: Number.NaN } })).toThrow(TypeError);
    expect(() => js.orderBy('zz')).toThrow(TypeError);
    const order = cards.orderBy as (field: 'x', direction: unknown) => unknown;
    expect(() => order('x', 'ASC')).toThrow(
      new TypeError("cards.orderBy: direction: expected 'asc' or 'desc', got string"),
    );
    expect(() => js.where({ x: { in: 5 } })).toThrow(new TypeError('cards.where: x: in: expected a list, got number'));
    expect(() => js.where({ x: { gt: 1, lessThan: 3 } })).toThrow(
      new TypeError('cards.where: x: lessThan: expected an operator, got number'),
    );
    expect(() => js.limit(-1)).toThrow(RangeError);
    expect(() => js.limit('3')).toThrow(new TypeError('cards.limit: expected a number, got string'));
    expect(() => js.subscribe(3)).toThrow(new TypeError('subscribe: run: expected a function, got number'));
  });

  test('records of one millisecond are in the order of their making', () => {
    const { data } = createRig(board);
    const ids = Array.from({ length: 100 }, (_, x) => data.cards.insert({ x }).id);
    expect(data.cards.value.map(({ id }) => id)).toEqual(ids);
    expect(ids[0]).toHaveLength(idOf('').length);
  });
});
