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
  /** The last entry that showed in it, as the number of its application. */
  shownBy: number;
}

/** A cell after its first op, which is not applied yet. */
export function createCell(base: Stamp): Cell {
  return { fields: {}, base, stamps: null, sums: null, made: null, shownBy: 0 };
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
  const names = Object.keys(fields);
  const won = names.filter((name) => isNewer(cell, name, { value: fields[name] ?? null, stamp }));
  if (won.length === 0) return false;
  const stamps = (cell.stamps ??= {});
  for (const name of won) stamps[name] = stamp;
  cell.fields = won.length === names.length && covers(fields, cell.fields) ? fields : merged(cell.fields, fields, won);
  return true;
}

/** Whether `fields` has every name that `old` has: then nothing of `old` is left. */
function covers(fields: FieldValues, old: FieldValues): boolean {
  for (const name in old) if (!Object.hasOwn(fields, name)) return false;
  return true;
}

function merged(old: FieldValues, fields: FieldValues, names: readonly string[]): FieldValues {
  const next: Record<string, Value> = { ...old };
  for (const name of names) next[name] = fields[name] ?? null;
  return next;
}

/** Adds to a counter. Deltas are not told apart: each op must come once. */
export function incrementField(cell: Cell, name: string, by: number): void {
  cell.sums ??= {};
  const sum = addToSum(Object.hasOwn(cell.sums, name) ? (cell.sums[name] ?? 0) : 0, by);
  cell.sums[name] = sum;
  cell.fields = { ...cell.fields, [name]: sumToNumber(sum) };
}

/** Only a liar gives two writes one stamp, in two domains of one name: there the larger value stands, by its bytes. */
function isNewer(cell: Cell, name: string, write: { readonly value: Value; readonly stamp: Stamp }): boolean {
  if (cell.sums !== null && Object.hasOwn(cell.sums, name)) return false;
  const standing = Object.hasOwn(cell.fields, name) ? cell.fields[name] : undefined;
  if (standing === undefined) return true;
  const at = cell.stamps !== null && Object.hasOwn(cell.stamps, name) ? cell.stamps[name] : undefined;
  const order = compareStamps(write.stamp, at ?? cell.base);
  return order === 0 ? compareBytes(encodeValue(write.value), encodeValue(standing)) > 0 : order > 0;
}

function isEmpty(fields: FieldValues): boolean {
  for (const name in fields) if (Object.hasOwn(fields, name)) return false;
  return true;
}
