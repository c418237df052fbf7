import { compareValues, testOf } from './condition.js';
import type { Changes, Shown, Table } from './replica.js';
import type { Scope, Source } from './signal.js';

/** A record as a schema reads it. */
export interface RowData {
  readonly id: string;
  readonly [field: string]: unknown;
}

/** What queries of one collection read. */
export interface RowSource {
  readonly collection: string;
  /** Whether a query may ask for it. */
  readonly has: (field: string) => boolean;
  readonly table: Table;
  /** The same object until what it shows changes; made when first asked for. */
  readonly row: (id: string) => RowData | null;
  /** One field as rows show it, without making a row. */
  readonly read: (field: string, id: string, shown: Shown) => unknown;
  readonly scope: Scope;
}

/** What a query asks for; equal plans have equal JSON. */
export interface Plan {
  readonly where: readonly (readonly [field: string, condition: unknown])[];
  readonly order: readonly [field: string, direction: 'asc' | 'desc'] | null;
  readonly limit: number | null;
}

/** What a plan finds, three ways to read it: none makes rows that it does not show. */
export interface Result {
  readonly rows: () => readonly RowData[];
  readonly first: () => RowData | null;
  readonly count: () => number;
  readonly watch: Source<unknown>['watch'];
}

/** What a query keeps of a record: its place, and its row once that is shown. */
interface Entry {
  readonly id: string;
  readonly key: unknown;
  readonly createdAtMs: number;
  row?: RowData | null;
}

/** Of more changes at once the places are not looked up one by one: sorting merges what is in order already. */
const maxMoves = 64;

/**
 * The result of a plan, kept in order. While somebody watches, a change costs two searches and two moves within the
 * entries: the old place is found by what the record was before, as the order is total. Without watchers versions are
 * compared when it is read, and all is found anew.
 */
export function createResult(source: RowSource, plan: Plan): Result {
  const { table, row } = source;
  const limit = plan.limit ?? Infinity;
  const compare = comparatorOf(plan);
  const entryOf = entryMaker(source, plan);
  let entries: Entry[] = [];
  let shown: readonly RowData[] = Object.freeze([]);
  /** Something changed among the entries that are shown. */
  let isStale = false;
  /** Of what `entries` were made from. */
  let version = -1;
  let watchers = 0;
  /** What changed since; null when that is not known, as nobody watches. */
  let changed: Map<string, Shown | null> | null = null;

  const edit = (entry: Entry | null, remove: 0 | 1): void => {
    if (entry === null) return;
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(entries[middle]!, entry) < 0) low = middle + 1;
      else high = middle;
    }
    isStale ||= low < limit;
    if (remove) entries.splice(low, 1);
    else entries.splice(low, 0, entry);
  };
  const findAgain = (): void => {
    entries = entries.filter(({ id }) => changed?.has(id) === false);
    for (const id of changed?.keys() ?? table.ids()) {
      const entry = entryOf(id, table.get(id));
      if (entry !== null) entries.push(entry);
    }
    entries.sort(compare);
    isStale = true;
  };
  const count = (): number => {
    if (version !== table.version()) {
      version = table.version();
      if (changed === null || changed.size > maxMoves) findAgain();
      else
        for (const [id, before] of changed) {
          const now = table.get(id);
          edit(entryOf(id, before), 1);
          edit(entryOf(id, now), 0);
          // Lets go of a row that was read.
          if (now === null) row(id);
        }
      changed = watchers > 0 ? new Map() : null;
    }
    return Math.min(limit, entries.length);
  };
  const note = (changes: Changes): boolean => {
    for (const [id, before] of changes) if (changed?.has(id) === false) changed.set(id, before);
    return true;
  };
  // An entry is of a record that exists.
  const rowOf = (entry: Entry): RowData => (entry.row ??= row(entry.id))!;
  return {
    count,
    first: () => (count() > 0 ? rowOf(entries[0]!) : null),
    rows: () => {
      const length = count();
      if (isStale) {
        isStale = false;
        const next = entries.slice(0, length).map(rowOf);
        const isSame = length === shown.length && next.every((one, at) => one === shown[at]);
        if (!isSame) shown = Object.freeze(next);
      }
      return shown;
    },
    watch: (run) => {
      const stop = table.watch(run, note);
      if (watchers++ === 0 && version === table.version()) changed = new Map();
      return () => {
        stop();
        if (--watchers === 0) changed = null;
      };
    },
  };
}

/** Finds whether a record is in the result, and what decides its place. */
function entryMaker(source: RowSource, plan: Plan): (id: string, shown: Shown | null) => Entry | null {
  const tests = plan.where.map(([field, condition]) => [field, testOf(condition)] as const);
  const [field] = plan.order ?? [];
  return (id, shown) => {
    if (shown === null || !tests.every(([name, test]) => test(source.read(name, id, shown)))) return null;
    const key = field === undefined ? null : source.read(field, id, shown);
    return { id, key, createdAtMs: shown.createdAtMs };
  };
}

function comparatorOf({ order }: Plan): (a: Entry, b: Entry) => number {
  const sign = order?.[1] === 'desc' ? -1 : 1;
  return (a, b) => sign * compareValues(a.key, b.key) || a.createdAtMs - b.createdAtMs || compareValues(a.id, b.id);
}
