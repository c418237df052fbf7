import { compareBytes } from '../base/index.js';
import { encodeValue, type Value } from '../codec/index.js';
import type { Stamp } from '../clock/index.js';
import { compareStamps } from '../clock/index.js';
import type { FieldValues } from '../op/index.js';
import type { Sum } from './counter.js';
import { addToSum, sumToNumber } from './counter.js';

/** The merge state of one record that was not deleted. */
export interface Cell {
  /** What shows: replaced, never changed in place. */
  fields: FieldValues;
  /** Stamp of every field in `fields` that `stamps` does not name: the one of the op that made this cell. */
  readonly base: Stamp;
  /** Null until a field has another stamp: most records are never updated. */
  stamps: Record<string, Stamp> | null;
  /** Sums by field; null until the first increment. A name that is counted shows its sum, whatever was written to it. */
  sums: Record<string, Sum> | null;
  /** The earliest op that makes the record exist; null while only changes of it have come. */
  made: Stamp | null;
}

/** A cell after its first op, which is not applied yet. */
export function createCell(base: Stamp): Cell {
  return { fields: {}, base, stamps: null, sums: null, made: null };
}

/** The record exists; the earliest of several stamps is when. Answers whether that changed anything. */
export function makeCell(cell: Cell, stamp: Stamp): boolean {
  if (cell.made !== null && compareStamps(cell.made, stamp) <= 0) return false;
  cell.made = stamp;
  return true;
}

/** Writes what is newer than what stands; keeps `fields` itself where nothing stood. Answers whether anything changed. */
export function writeFields(cell: Cell, fields: FieldValues, stamp: Stamp): boolean {
  if (stamp === cell.base && cell.sums === null && isEmpty(cell.fields)) {
    cell.fields = fields;
    return !isEmpty(fields);
  }
  let next: Record<string, Value> | null = null;
  for (const name of Object.keys(fields)) {
    const value = fields[name] ?? null;
    if (!isNewer(cell, name, value, stamp)) continue;
    (cell.stamps ??= {})[name] = stamp;
    (next ??= { ...cell.fields })[name] = value;
  }
  if (next === null) return false;
  cell.fields = next;
  return true;
}

/** Adds to a counter. Deltas are not told apart: each op must come once. */
export function incrementField(cell: Cell, name: string, by: number): void {
  cell.sums ??= {};
  const sum = addToSum(Object.hasOwn(cell.sums, name) ? (cell.sums[name] ?? 0) : 0, by);
  cell.sums[name] = sum;
  cell.fields = { ...cell.fields, [name]: sumToNumber(sum) };
}

/** Only a liar gives two writes one stamp, in two domains of one name: there the larger value stands, by its bytes. */
function isNewer(cell: Cell, name: string, value: Value, stamp: Stamp): boolean {
  if (cell.sums !== null && Object.hasOwn(cell.sums, name)) return false;
  const standing = Object.hasOwn(cell.fields, name) ? cell.fields[name] : undefined;
  if (standing === undefined) return true;
  const at = cell.stamps !== null && Object.hasOwn(cell.stamps, name) ? cell.stamps[name] : undefined;
  const order = compareStamps(stamp, at ?? cell.base);
  return order === 0 ? compareBytes(encodeValue(value), encodeValue(standing)) > 0 : order > 0;
}

function isEmpty(fields: FieldValues): boolean {
  for (const name in fields) if (Object.hasOwn(fields, name)) return false;
  return true;
}
