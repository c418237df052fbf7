import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RecordUpdate } from '../bridge/index.js';
import type { Card } from './query.kit.js';
import { message, naive, plan, queryOf } from './query.kit.js';
import type { Change } from './replica.js';
import { board, createRig, idOf, row, theirs } from './view.kit.js';

type Act =
  | { readonly do: 'say'; readonly reset: boolean; readonly rows: readonly RecordUpdate[] }
  /** More at once than are looked up one by one. */
  | { readonly do: 'many'; readonly x: number; readonly step: number }
  | { readonly do: 'write'; readonly writes: readonly OwnWrite[] }
  | { readonly do: 'confirm'; readonly count: number; readonly lateMs: number }
  | { readonly do: 'reject' }
  | { readonly do: 'subscribe' | 'leave'; readonly query: number };

interface OwnWrite {
  readonly kind: 'insert' | 'update' | 'delete' | 'increment';
  readonly pick: number;
  readonly x: number;
}

const ownWrite = fc.record({
  kind: fc.constantFrom('insert' as const, 'update' as const, 'delete' as const, 'increment' as const),
  pick: fc.nat(9),
  x: fc.integer({ min: -2, max: 2 }),
});
const queries = 3;
const act: fc.Arbitrary<Act> = fc.oneof(
  message.map(({ reset, rows }) => ({ do: 'say' as const, reset: reset && rows.length > 3, rows })),
  fc.record({ do: fc.constant('many' as const), x: fc.integer({ min: -2, max: 2 }), step: fc.constantFrom(1, 2, 7) }),
  fc.record({ do: fc.constant('write' as const), writes: fc.array(ownWrite, { minLength: 1, maxLength: 3 }) }),
  fc.record({
    do: fc.constant('confirm' as const),
    count: fc.integer({ min: 1, max: 3 }),
    lateMs: fc.constantFrom(0, 5),
  }),
  fc.record({ do: fc.constant('reject' as const) }),
  fc.record({ do: fc.constantFrom('subscribe' as const, 'leave' as const), query: fc.nat(queries - 1) }),
);

type State = Map<string, RecordUpdate>;

/** What a transaction does to the records, by the rules of the core, for fields as the board has them. */
function fold(state: State, change: Change, lateMs: number): void {
  for (const { op, atMs } of change.ops) {
    const old = state.get(op.id);
    if (op.kind === 'delete') state.delete(op.id);
    else if (op.kind === 'insert') {
      const fields = { text: '', kind: 'box', votes: 0, ...op.fields };
      state.set(op.id, { collection: 'cards', id: op.id, fields, createdAtMs: atMs + lateMs, delivered: true });
    } else if (old !== undefined) {
      const votes = Number(old.fields?.['votes'] ?? 0);
      const next = op.kind === 'increment' ? { votes: votes + op.by } : op.fields;
      state.set(op.id, { ...old, fields: { ...old.fields, ...next } });
    }
  }
}

/** A page with three queries, and beside it everything the engine would know. */
function createWorld(plans: readonly Parameters<typeof queryOf>[1][]): {
  readonly run: (one: Act) => void;
  readonly check: () => void;
} {
  const rig = createRig(board);
  const confirmed: State = new Map();
  let own: Change[] = [];
  let savedUpTo = 0;
  const live = plans.map((wanted) => ({
    wanted,
    query: queryOf(rig.data.cards, wanted),
    stop: null as (() => void) | null,
    runs: 0,
    seen: [] as readonly Card[],
  }));
  const say = (reset: boolean, rows: readonly RecordUpdate[]): void => {
    if (reset) confirmed.clear();
    for (const one of rows) {
      if (one.fields === null) confirmed.delete(one.id);
      else confirmed.set(one.id, one);
    }
    rig.say({ reset, savedUpTo }, rows);
  };
  const write = ({ kind, pick, x }: OwnWrite): void => {
    const { cards } = rig.data;
    const id = cards.value[pick]?.id;
    if (kind === 'insert') cards.insert({ x });
    else if (id === undefined) return;
    else if (kind === 'update') cards.update(id, { x });
    else if (kind === 'delete') cards.delete(id);
    else cards.increment(id, 'votes', x);
  };
  const confirm = (count: number, lateMs: number): void => {
    const before = new Map(confirmed);
    const done = own.slice(0, count);
    own = own.slice(count);
    for (const change of done) fold(confirmed, change, lateMs);
    savedUpTo = done.at(-1)?.n ?? savedUpTo;
    const ids = new Set(done.flatMap(({ ops }) => ops.map(({ op }) => op.id)));
    const gone = { collection: 'cards', fields: null, createdAtMs: 0, delivered: true };
    say(
      false,
      [...ids].filter((id) => confirmed.get(id) !== before.get(id)).map((id) => confirmed.get(id) ?? { ...gone, id }),
    );
  };
  const reject = (): void => {
    const change = own.shift();
    if (change === undefined) return;
    const rejected = [{ n: change.n, code: 'access/forbidden' as const, collection: 'cards', id: '', values: null }];
    rig.say({ rejected });
  };
  const run = (one: Act): void => {
    if (one.do === 'say') say(one.reset, one.rows);
    else if (one.do === 'many') say(false, manyRows(one.x, one.step));
    else if (one.do === 'write') {
      const sent = rig.sent.length;
      rig.writer.transact(() => one.writes.forEach(write));
      own.push(...rig.sent.slice(sent));
    } else if (one.do === 'confirm') confirm(one.count, one.lateMs);
    else if (one.do === 'reject') reject();
    else {
      const target = live[one.query]!;
      target.stop?.();
      target.stop = null;
      if (one.do === 'subscribe')
        target.stop = target.query.subscribe((value) => {
          target.runs++;
          target.seen = value;
        });
    }
  };
  const check = (): void => {
    const state: State = new Map(confirmed);
    for (const change of own) fold(state, change, 0);
    for (const one of live) {
      const right = naive(state, one.wanted);
      if (one.stop !== null) expect(one.seen.map(({ id }) => id)).toEqual(right);
      if (one.stop === null) continue;
      expect(one.query.value).toBe(one.seen);
      expect(one.query.count.value).toBe(right.length);
      expect(one.query.first.value).toBe(one.seen[0] ?? null);
    }
  };
  return {
    run: (one) => {
      const before = live.map(({ runs, seen }) => ({ runs, seen }));
      run(one);
      for (const [i, { runs, seen }] of before.entries()) {
        const now = live[i]!;
        // One notification at most, and none where nothing is new.
        if (one.do !== 'subscribe') expect(now.runs - runs).toBe(now.seen === seen ? 0 : 1);
        // A row that is read in the middle of a transaction is another from there on, also where it ends as it began.
        const isReadBetween = one.do === 'write' && one.writes.length > 1;
        if (now.seen !== seen && one.do !== 'subscribe' && !isReadBetween) expect(now.seen).not.toEqual(seen);
      }
    },
    check,
  };
}

function manyRows(x: number, step: number): RecordUpdate[] {
  const fields = { text: 'm', kind: 'note', votes: 1 };
  return Array.from({ length: 90 }, (_, i) =>
    row(`n${String(i).padStart(2, '0')}`, { ...fields, x: i % step === 0 ? x : i % 3 }),
  );
}

test('live queries are filter, sort and slice of the model after any mix of messages, own writes and refusals', () => {
  fc.assert(
    fc.property(
      fc.array(act, { maxLength: 14 }),
      fc.array(plan, { minLength: queries, maxLength: queries }),
      (acts, plans) => {
        const world = createWorld(plans);
        world.run({ do: 'subscribe', query: 0 });
        for (const one of acts) {
          world.run(one);
          world.check();
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a transaction that changes a row and changes it back is told only if the row was read in between', () => {
  for (const isRead of [false, true]) {
    const rig = createRig(board);
    rig.say({}, [row('a', { x: 1 })]);
    const { cards } = rig.data;
    const heard: unknown[] = [];
    const stop = cards.orderBy('x').subscribe((rows) => void heard.push(rows));
    const [first] = cards.value;
    rig.writer.transact(() => {
      cards.update(first?.id ?? '', { x: 2 });
      if (isRead) expect(cards.value[0]).toMatchObject({ x: 2 });
      cards.update(first?.id ?? '', { x: 1 });
    });
    expect(heard).toHaveLength(isRead ? 2 : 1);
    expect(heard.at(-1)).toEqual([first]);
    stop();
  }
});

test('a count hears of numbers only, a first of its own row only', () => {
  const { data, say } = createRig(board);
  const counts: number[] = [];
  data.cards.count.subscribe((count) => counts.push(count));
  const first: unknown[] = [];
  data.cards.orderBy('x').first.subscribe((card) => first.push(card?.x));
  say({}, manyRows(5, 1));
  say({}, [row('n07', { x: -9 })]);
  expect(counts).toEqual([0, 90]);
  expect(first).toEqual([undefined, 5, -9]);
});

test('a row that was read and is deleted does not come back with another record of its id', () => {
  const { data, say } = createRig(board);
  data.cards.subscribe(() => undefined);
  say({}, [row('a', { x: 1 })]);
  const before = data.cards.get(idOf('a', theirs));
  say({}, [row('a', null)]);
  expect(data.cards.get(idOf('a', theirs))).toBeNull();
  say({}, [row('a', { x: 1 })]);
  expect(data.cards.get(idOf('a', theirs))).toEqual(before);
});

test('an update in parts is shown whole or not at all; what another engine had begun to tell ends with its reset', () => {
  const { data, say } = createRig(board);
  const heard: number[] = [];
  data.cards.subscribe((cards) => heard.push(cards.length));
  say({ reset: true, more: true }, [row('a', { x: 1 }), row('b', { x: 2 })]);
  say({ more: true }, [row('c', { x: 3 })]);
  expect(data.cards.count.value).toBe(0);
  say({}, [row('d', { x: 4 })]);
  say({ more: true }, [row('lost', { x: 5 })]);
  say({ reset: true, more: true }, [row('e', { x: 6 })]);
  say({});
  expect(heard).toEqual([0, 4, 1]);
  expect(data.cards.value.map(({ x }) => x)).toEqual([6]);
});
