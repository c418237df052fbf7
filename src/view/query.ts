import { createWeakCache } from './cache.js';
import type { Emitter, Scope, Source } from './signal.js';
import { createSignal } from './signal.js';
import { expect, expectInteger, expectObject } from './expect.js';
import { settle } from './settle.js';
import type { Query, Signal } from './types.js';

/** A record as a schema reads it. */
export interface RowData {
  readonly id: string;
  readonly [field: string]: unknown;
}

/** A row, and when its record was made: what comes first where nothing else is asked for. */
export interface RowEntry {
  readonly row: RowData;
  readonly createdAtMs: number;
}

/** What queries of one collection read. */
export interface RowSource {
  readonly collection: string;
  /** Names that may be asked for. */
  readonly fields: ReadonlySet<string>;
  /** The same object until the row changes. */
  readonly entry: (id: string) => RowEntry | null;
  readonly ids: () => Iterable<string>;
  readonly version: () => number;
  readonly watch: (mark: (ids: ReadonlySet<string>) => void) => () => void;
  readonly createEmitter: () => Emitter;
  readonly scope: Scope;
}

/** What a query asks for; equal plans have equal JSON. */
interface Plan {
  readonly where: readonly (readonly [field: string, condition: unknown])[];
  readonly order: readonly [field: string, direction: 'asc' | 'desc'] | null;
  readonly limit: number | null;
}

/**
 * The query of everything, and through it all others. Results are kept up to date incrementally: a change costs a pass
 * over the result and the sorting of what changed, never a sort of all. Only queries that somebody subscribes to follow
 * changes; the others compare versions when read. An equal query is the same object for as long as anybody holds it.
 */
export function createQueries(source: RowSource): Query<RowData> {
  const cached = createWeakCache<Query<RowData>>();
  const find = (plan: Plan): Query<RowData> => cached(stableJson(plan), () => createQuery(source, plan, find));
  return createQuery(source, { where: [], order: null, limit: null }, find);
}

function createQuery(source: RowSource, plan: Plan, find: (plan: Plan) => Query<RowData>): Query<RowData> {
  const rows = createResult(source, plan);
  const of = <T>(get: () => T): Signal<T> => createSignal({ get, watch: rows.watch }, source.scope);
  const all = of(rows.get);
  return {
    get value() {
      return all.value;
    },
    subscribe: (run) => all.subscribe(run),
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
    first: of(() => rows.get()[0] ?? null),
    count: of(() => rows.get().length),
  };
}

function createResult(source: RowSource, plan: Plan): Source<readonly RowData[]> {
  const compare = comparatorOf(plan);
  const matches = (entry: RowEntry): boolean =>
    plan.where.every(([field, condition]) => isMatch(entry.row[field], condition));
  const emitter = source.createEmitter();
  /** All that match, in order. */
  let entries: readonly RowEntry[] = [];
  let rows: readonly RowData[] = Object.freeze([]);
  /** Of what `entries` were made from. */
  let version = -1;
  let watchers = 0;
  /** What changed since `version`; null when that is not known, as nobody subscribed. */
  let dirty: Set<string> | null = null;
  let stop = (): void => undefined;

  const refresh = (changed: ReadonlySet<string> | null): void => {
    const kept = changed === null ? [] : entries.filter(({ row }) => !changed.has(row.id));
    const added: RowEntry[] = [];
    for (const id of changed ?? source.ids()) {
      const entry = source.entry(id);
      if (entry !== null && matches(entry)) added.push(entry);
    }
    // What is in order already is found as one run, and merged.
    entries = [...kept, ...added].sort(compare);
    const next = entries.slice(0, plan.limit ?? entries.length).map(({ row }) => row);
    const isSame = next.length === rows.length && next.every((row, i) => row === rows[i]);
    if (!isSame) rows = Object.freeze(next);
  };

  return {
    get: () => {
      if (version === source.version()) return rows;
      version = source.version();
      refresh(dirty);
      dirty = watchers > 0 ? new Set() : null;
      return rows;
    },
    watch: (run) => {
      const off = emitter.watch(run);
      if (watchers++ === 0) {
        if (version === source.version()) dirty = new Set();
        stop = source.watch((ids) => {
          for (const id of ids) dirty?.add(id);
          emitter.emit();
        });
      }
      return () => {
        off();
        if (--watchers > 0) return;
        stop();
        dirty = null;
      };
    },
  };
}

function comparatorOf({ order }: Plan): (a: RowEntry, b: RowEntry) => number {
  const [field, direction] = order ?? ['', 'asc'];
  return (a, b) => {
    const byField = order === null ? 0 : compareValues(a.row[field], b.row[field]);
    if (byField !== 0) return direction === 'asc' ? byField : -byField;
    return a.createdAtMs - b.createdAtMs || compareValues(a.row.id, b.row.id);
  };
}

const kinds = ['boolean', 'number', 'string', 'object'];

/** null, then false and true, numbers, texts; lists and maps last and in no order among themselves. */
function compareValues(a: unknown, b: unknown): number {
  const byKind = kindOf(a) - kindOf(b);
  if (byKind !== 0 || !isOrdered(a) || !isOrdered(b)) return byKind;
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

function kindOf(value: unknown): number {
  return value === null ? -1 : kinds.indexOf(typeof value);
}

function isOrdered(value: unknown): value is string | number {
  return typeof value !== 'object';
}

const operators: Readonly<Record<string, (value: unknown, bound: unknown) => boolean>> = {
  in: (value, list) => Array.isArray(list) && list.some((item) => isEqual(value, item)),
  not: (value, other) => !isEqual(value, other),
  gt: (value, bound) => compareWith(value, bound) > 0,
  gte: (value, bound) => compareWith(value, bound) >= 0,
  lt: (value, bound) => compareWith(value, bound) < 0,
  lte: (value, bound) => compareWith(value, bound) <= 0,
};

function isMatch(value: unknown, condition: unknown): boolean {
  if (!isOperators(condition)) return isEqual(value, condition);
  return Object.entries(condition).every(
    ([name, bound]) => bound === undefined || operators[name]?.(value, bound) === true,
  );
}

function isOperators(condition: unknown): condition is object {
  if (typeof condition !== 'object' || condition === null || Array.isArray(condition)) return false;
  return Object.keys(condition).some((name) => Object.hasOwn(operators, name));
}

/** Absent values, and those of another kind, are neither above nor below anything. */
function compareWith(value: unknown, bound: unknown): number {
  return value !== null && kindOf(value) === kindOf(bound) ? compareValues(value, bound) : NaN;
}

function isEqual(a: unknown, b: unknown): boolean {
  return settle(a, b) === a;
}

function checkConditions(source: RowSource, conditions: unknown): (readonly [string, unknown])[] {
  expectObject(`${source.collection}.where`, conditions);
  // Copied: its owner may go on using it, and the query is found again by what it asks.
  const where = Object.entries(settle(null, conditions)).filter(([, condition]) => condition !== undefined);
  for (const [field, condition] of where) {
    const place = checkField(source, 'where', field);
    for (const [name, bound] of isOperators(condition) ? Object.entries(condition) : []) {
      const isList = name === 'in';
      const isFine = isList ? Array.isArray(bound) : Object.hasOwn(operators, name);
      expect(isFine, `${place}: ${name}`, isList ? 'a list' : 'an operator', bound);
    }
  }
  return where;
}

function checkField({ collection, fields }: RowSource, method: string, field: string): string {
  const place = `${collection}.${method}: ${field}`;
  expect(fields.has(field), place, 'a declared field', field);
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
