import { createWeakCache } from './cache.js';
import { compareValues, isOperator, isOperators } from './condition.js';
import { expect, expectInteger, expectObject } from './expect.js';
import type { Plan, RowData, RowSource } from './result.js';
import { createResult } from './result.js';
import { settle } from './settle.js';
import { createSignal } from './signal.js';
import type { Query, Signal } from './types.js';

/** The query of everything, and through it all others. An equal query is the same object for as long as anybody holds it. */
export function createQueries(source: RowSource): Query<RowData> {
  const cached = createWeakCache<Query<RowData>>();
  const find = (plan: Plan): Query<RowData> => cached(stableJson(plan), () => createQuery(source, plan, find));
  return createQuery(source, { where: [], order: null, limit: null }, find);
}

function createQuery(source: RowSource, plan: Plan, find: (plan: Plan) => Query<RowData>): Query<RowData> {
  const { rows, first, count, watch } = createResult(source, plan);
  const of = <T>(get: () => T): Signal<T> => createSignal({ get, watch }, source.scope);
  return Object.assign<Signal<readonly RowData[]>, Omit<Query<RowData>, keyof Signal<unknown>>>(of(rows), {
    where: (conditions) => {
      const where = checkConditions(source, conditions);
      return find({
        ...plan,
        where: [...plan.where, ...where].sort((a, b) => compareValues(stableJson(a), stableJson(b))),
      });
    },
    orderBy: (field, direction = 'asc') => {
      checkField(source, 'orderBy', field);
      expect(
        ['asc', 'desc'].includes(direction),
        `${source.collection}.orderBy: direction`,
        "'asc' or 'desc'",
        direction,
      );
      return find({ ...plan, order: [field, direction] });
    },
    limit: (n) => {
      expectInteger(`${source.collection}.limit`, n, [0, Number.MAX_SAFE_INTEGER]);
      return find({ ...plan, limit: n });
    },
    first: of(first),
    count: of(count),
  });
}

function checkConditions(source: RowSource, conditions: unknown): (readonly [string, unknown])[] {
  expectObject(`${source.collection}.where`, conditions);
  // Copied: its owner may go on using it, and the query is found again by what it asks.
  const where = Object.entries(settle(null, conditions)).filter(([, condition]) => condition !== undefined);
  for (const [field, condition] of where) {
    const place = checkField(source, 'where', field);
    for (const [name, bound] of isOperators(condition) ? Object.entries(condition) : []) {
      const isList = name === 'in';
      const isFine = isList ? Array.isArray(bound) : isOperator(name);
      expect(isFine, `${place}: ${name}`, isList ? 'a list' : 'an operator', bound);
    }
  }
  return where;
}

function checkField({ collection, has }: RowSource, method: string, field: string): string {
  const place = `${collection}.${method}: ${field}`;
  expect(has(field), place, 'a declared field', field);
  return place;
}

/** JSON with sorted keys. Numbers that have no JSON would look like null, and a record never holds them. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'number') expect(Number.isFinite(item), 'where', 'finite numbers', item);
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => compareValues(a, b)));
  });
}
