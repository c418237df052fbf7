import fc from 'fast-check';
import type { RecordUpdate } from '../bridge/index.js';
import type { Query } from './types.js';
import { row } from './view.kit.js';

/** What tests of queries read of a card. */
export interface Card {
  readonly id: string;
  readonly text: string;
  readonly x: number;
  readonly kind: string;
  readonly votes: number;
}

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const texts = ['', 'm', 'z'];
/** A record as the engine tells of it; null: gone. */
const update: fc.Arbitrary<RecordUpdate> = fc
  .record({
    name: fc.constantFrom(...names),
    fields: fc.option(
      fc.record({
        x: fc.integer({ min: -2, max: 2 }),
        text: fc.constantFrom(...texts),
        kind: fc.constantFrom('box', 'note'),
        votes: fc.integer({ min: 0, max: 2 }),
      }),
      { freq: 4 },
    ),
    createdAtMs: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ name, fields, createdAtMs }) => row(name, fields, { createdAtMs }));
/** What the engine says. */
export const message: fc.Arbitrary<{ reset: boolean; rows: RecordUpdate[] }> = fc.record({
  reset: fc.boolean(),
  rows: fc.uniqueArray(update, { selector: ({ id }) => id }),
});

type PlanOf = {
  readonly where: Parameters<Query<Card>['where']>[0] | null;
  readonly order: readonly [field: 'x' | 'text' | 'votes', isDown: boolean] | null;
  readonly limit: number | null;
};

const bounds = fc.constantFrom(-1, 0, 1);
const condition = fc.oneof(
  fc.record({ kind: fc.constantFrom('box' as const, 'note' as const) }),
  fc.record({ x: fc.record({ gte: bounds, lt: fc.constantFrom(1, 2) }) }),
  fc.record({ text: fc.record({ not: fc.constantFrom(...texts) }) }),
  fc.record({ x: fc.record({ in: fc.array(bounds) }) }),
  fc.record({ votes: fc.record({ gt: bounds }), text: fc.constantFrom(...texts) }),
);
/** A query as data. */
export const plan: fc.Arbitrary<PlanOf> = fc.record({
  where: fc.option(condition),
  order: fc.option(fc.tuple(fc.constantFrom('x' as const, 'text' as const, 'votes' as const), fc.boolean())),
  limit: fc.option(fc.integer({ min: 0, max: 4 })),
});

/** The query of a plan. */
export function queryOf(all: Query<Card>, { where, order, limit }: PlanOf): Query<Card> {
  let query = where === null ? all : all.where(where);
  if (order !== null) query = query.orderBy(order[0], order[1] ? 'desc' : 'asc');
  return limit === null ? query : query.limit(limit);
}

/** Ids by filter and sort of everything, written for a reader. */
export function naive(records: ReadonlyMap<string, RecordUpdate>, { where, order, limit }: PlanOf): unknown[] {
  const rows = [...records.values()].map(({ id, fields, createdAtMs }) => ({ id, ...fields, at: createdAtMs }));
  const kept = rows.filter((one) => {
    const card = one as unknown as Record<string, number>;
    return Object.entries(where ?? {}).every(([field, wanted]) => {
      const have = card[field]!;
      if (typeof wanted !== 'object') return Object.is(have, wanted);
      const bound = wanted as { in?: unknown[]; not?: unknown; gt?: number; gte?: number; lt?: number };
      if (bound.in !== undefined && !bound.in.includes(have)) return false;
      if (bound.not !== undefined && have === bound.not) return false;
      if (bound.gt !== undefined && !(have > bound.gt)) return false;
      if (bound.gte !== undefined && !(have >= bound.gte)) return false;
      return bound.lt === undefined || have < bound.lt;
    });
  });
  const order_ = <T>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
  kept.sort((a, b) => {
    const [field, isDown] = order ?? [null, false];
    const [x, y] = [a, b] as unknown as [Record<string, number>, Record<string, number>];
    const byField = field === null ? 0 : order_(x[field], y[field]) * (isDown ? -1 : 1);
    return byField !== 0 ? byField : order_(a.at, b.at) !== 0 ? order_(a.at, b.at) : order_(a.id, b.id);
  });
  return kept.slice(0, limit ?? kept.length).map(({ id }) => id);
}
