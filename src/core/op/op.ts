import type { Bytes, Result } from '../base/index.js';
import { fail, ok } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { asArray, asBytes, asList, asMap, asUint } from '../codec/index.js';
import { recordIdBytes } from '../identity/index.js';
import { isName } from './name.js';

/** Most fields one insert or update carries, and one collection may have. */
export const maxOpFields = 128;
/** Largest op code. */
export const maxOpCode = 65_535;

/** Values by field name. An ordinary object: read it with Object.hasOwn, names like 'constructor' are allowed. */
export interface FieldValues {
  readonly [name: string]: Value;
}

/** One change (X1). The wire form is positional: [code, collection, id, ...]. */
export type Op =
  | {
      readonly kind: 'insert' | 'update';
      readonly collection: string;
      readonly id: Bytes;
      /** Of an update: only what changes. */
      readonly fields: FieldValues;
    }
  | { readonly kind: 'delete'; readonly collection: string; readonly id: Bytes }
  | {
      readonly kind: 'increment';
      readonly collection: string;
      readonly id: Bytes;
      readonly field: string;
      /** A safe integer, not 0. */
      readonly by: number;
    }
  /** A code this version does not know, with what followed it: no effect, and encoded again as it came (F19). */
  | { readonly kind: 'opaque'; readonly code: number; readonly rest: readonly Value[] };

/** Codes of the kinds that this version knows. */
export const opCodes = { insert: 0, update: 1, delete: 2, increment: 3 } as const;
/** The first code that is not ours. */
const firstOpaqueCode = 4;

/** Wire form of an op; throws RangeError for what {@link readOp} would refuse, or read as another op. */
export function opToValue(op: Op, at: string): Value {
  const value = writeOp(op);
  const back = readOp(value);
  if (!back.ok) throw new RangeError(`${at}: ${back.fault.detail}`);
  if (back.value.kind !== op.kind) throw new RangeError(`${at}: expected an op code from ${String(firstOpaqueCode)}`);
  return value;
}

function writeOp(op: Op): readonly Value[] {
  switch (op.kind) {
    case 'insert':
    case 'update':
      return [opCodes[op.kind], op.collection, op.id, op.fields];
    case 'delete':
      return [opCodes.delete, op.collection, op.id];
    case 'increment':
      return [opCodes.increment, op.collection, op.id, op.field, op.by];
    case 'opaque':
      return [op.code, ...op.rest];
  }
}

/** Total. Code: entry/payload. A known code in another shape is a fault for ever: new shapes take new codes. */
export function readOp(value: Value | undefined): Result<Op> {
  const items = asList(value, Infinity);
  const code = asUint(items?.[0], maxOpCode);
  if (items === null || code === null) return fail('entry/payload', 'expected an op [code, ...]');
  if (code >= firstOpaqueCode) return ok({ kind: 'opaque', code, rest: items.slice(1) });
  const collection = items[1];
  const id = asBytes(items[2], recordIdBytes);
  if (!isName(collection)) return fail('entry/payload', 'expected the name of a collection');
  if (id === null) return fail('entry/payload', `expected a record id of ${String(recordIdBytes)} bytes`);
  switch (code) {
    case opCodes.insert:
      return readFields(items, { kind: 'insert', collection, id });
    case opCodes.update:
      return readFields(items, { kind: 'update', collection, id });
    case opCodes.delete:
      return items.length === 3
        ? ok({ kind: 'delete', collection, id })
        : fail('entry/payload', 'delete: expected 3 items');
    default:
      return readIncrement(items, { collection, id });
  }
}

function readFields(
  items: readonly Value[],
  head: { readonly kind: 'insert' | 'update'; readonly collection: string; readonly id: Bytes },
): Result<Op> {
  const fields = asMap(items[3]);
  if (asArray(items, 4) === null || fields === null) {
    return fail('entry/payload', `${head.kind}: expected a map of fields as 4th and last item`);
  }
  const names = Object.keys(fields);
  if (names.length > maxOpFields) {
    return fail('entry/payload', `${head.kind}: expected at most ${String(maxOpFields)} fields`);
  }
  if (!names.every(isName)) return fail('entry/payload', `${head.kind}: expected names of fields as keys`);
  return ok({ ...head, fields });
}

function readIncrement(items: readonly Value[], head: { readonly collection: string; readonly id: Bytes }): Result<Op> {
  const [, , , field, by] = items;
  if (items.length !== 5 || !isName(field)) return fail('entry/payload', 'increment: expected a field and a delta');
  if (typeof by !== 'number' || !Number.isSafeInteger(by) || by === 0) {
    return fail('entry/payload', 'increment: expected a safe integer that is not 0');
  }
  return ok({ kind: 'increment', ...head, field, by });
}
