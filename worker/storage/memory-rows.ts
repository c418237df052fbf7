import type { StoreKey, StoreOp, StoreRow, StoreTable } from '../../src/ports/index.js';
import { storeTables } from './disk.js';
import { compareKeys, startsWith } from './keys.js';

/** Every platform has it; this project is compiled without the DOM's types. */
declare const structuredClone: <T>(value: T) => T;

/** The rows of each table, ascending by key. */
export type Tables = ReadonlyMap<StoreTable, StoreRow[]>;

/** No rows at all. */
export function emptyTables(): Tables {
  return new Map(storeTables.map((table) => [table, []]));
}

/** The same rows, sharing nothing. */
export function copyTables(tables: Tables): Tables {
  return new Map([...tables].map(([table, rows]) => [table, rows.map(copyRow)]));
}

/** Takes key and value of `op` as they are. */
export function applyOp(tables: Tables, op: StoreOp): void {
  const rows = rowsOf(tables, op.table);
  if (op.do === 'delete-prefix') {
    const [from, to] = span(rows, op.prefix);
    rows.splice(from, to - from);
    return;
  }
  const at = lowerBound(rows, op.key);
  const present = rows[at] !== undefined && compareKeys(rows[at].key, op.key) === 0;
  if (op.do === 'put') rows.splice(at, present ? 1 : 0, { key: op.key, value: op.value });
  else if (present) rows.splice(at, 1);
}

/** A copy of the value; undefined when there is no such row. */
export function readRow(tables: Tables, table: StoreTable, key: StoreKey): unknown {
  const rows = rowsOf(tables, table);
  const row = rows[lowerBound(rows, key)];
  return row !== undefined && compareKeys(row.key, key) === 0 ? structuredClone(row.value) : undefined;
}

/** Copies of the rows whose key begins with `prefix` and is not below `at`. */
export function readRows(tables: Tables, table: StoreTable, prefix: StoreKey, at: StoreKey): readonly StoreRow[] {
  const rows = rowsOf(tables, table);
  const [from, to] = span(rows, prefix);
  return rows.slice(Math.max(from, lowerBound(rows, at)), to).map(copyRow);
}

/** Copies of the keys that begin with `prefix`. */
export function readKeys(tables: Tables, table: StoreTable, prefix: StoreKey): readonly StoreKey[] {
  const rows = rowsOf(tables, table);
  return rows.slice(...span(rows, prefix)).map(({ key }) => [...key]);
}

function rowsOf(tables: Tables, table: StoreTable): StoreRow[] {
  const rows = tables.get(table);
  if (rows === undefined) throw new TypeError(`store table: expected one of ${storeTables.join(', ')}, got ${table}`);
  return rows;
}

/** Rows that begin with `prefix` lie together: from here, to before there. */
function span(rows: readonly StoreRow[], prefix: StoreKey): [from: number, to: number] {
  const from = lowerBound(rows, prefix);
  let to = from;
  for (let row = rows[to]; row !== undefined && startsWith(row.key, prefix); row = rows[to]) to++;
  return [from, to];
}

/** Index of the first row whose key is not below `key`. */
function lowerBound(rows: readonly StoreRow[], key: StoreKey): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const row = rows[middle];
    if (row !== undefined && compareKeys(row.key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function copyRow(row: StoreRow): StoreRow {
  return { key: [...row.key], value: structuredClone(row.value) };
}
