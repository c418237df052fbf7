import { toHex } from '../base/index.js';
import { compareUtf8, utf8Bytes, type Value } from '../codec/index.js';
import { recordIdText } from '../identity/index.js';
import { opCodes, type Payload } from '../op/index.js';
import { keyOfShape, recordRandomBytes, type KnownOp, type Shape } from './content.js';
import { writeValues } from './values.js';
import type { ByteSink } from './varint.js';

/** Writes payloads that contentOf() gave. */
export function writeContents(sink: ByteSink, payloads: readonly Payload[]): void {
  const isNewSchema = createTableWriter(sink);
  for (const { schema } of payloads) if (isNewSchema(toHex(schema))) sink.bytes(schema);
  for (const { ops } of payloads) sink.uint(ops.length);
  const ops: KnownOp[] = [];
  for (const payload of payloads) for (const op of payload.ops) if (op.kind !== 'opaque') ops.push(op);
  const groups = writeShapes(sink, ops);
  const [isNewRecord, isNewCreator] = [createTableWriter(sink), createTableWriter(sink)];
  for (const { id } of ops) {
    if (!isNewRecord(recordIdText(id))) continue;
    const creator = id.subarray(recordRandomBytes);
    if (isNewCreator(toHex(creator))) sink.bytes(creator);
    sink.bytes(id.subarray(0, recordRandomBytes));
  }
  for (const { shape, ops: own } of groups)
    for (const name of shape.names)
      writeValues(
        sink,
        own.map((op) => valueOf(op, name)),
      );
}

/** Writes 0 for a key that is new, and then its row follows, or 1 + the place of one that was there. */
function createTableWriter(sink: ByteSink): (key: string) => boolean {
  const places = new Map<string, number>();
  return (key) => {
    const place = places.get(key);
    sink.uint(place ?? 0);
    if (place === undefined) places.set(key, places.size + 1);
    return place === undefined;
  };
}

/** Ops of one shape, in their order. */
interface Group {
  readonly shape: Shape;
  readonly ops: KnownOp[];
}

function writeShapes(sink: ByteSink, ops: readonly KnownOp[]): readonly Group[] {
  const isNew = createTableWriter(sink);
  const groups = new Map<string, Group>();
  let [lastKey, last]: [string, Group | null] = ['', null];
  for (const op of ops) {
    // Neighbours are mostly alike.
    if (last === null || !isAlike(op, last.ops[0])) {
      const shape = shapeOf(op);
      lastKey = keyOfShape(shape);
      last = groups.get(lastKey) ?? { shape, ops: [] };
      groups.set(lastKey, last);
    }
    last.ops.push(op);
    if (isNew(lastKey)) writeShape(sink, last.shape);
  }
  return [...groups.values()];
}

function isAlike(a: KnownOp, b: KnownOp | undefined): boolean {
  if (a.kind !== b?.kind || a.collection !== b.collection) return false;
  if (a.kind === 'increment') return b.kind === 'increment' && a.field === b.field;
  if (!('fields' in a) || !('fields' in b)) return true;
  const [names, others] = [Object.keys(a.fields), Object.keys(b.fields)];
  return names.length === others.length && names.every((name, i) => name === others[i]);
}

function shapeOf(op: KnownOp): Shape {
  const names =
    op.kind === 'increment' ? [op.field] : op.kind === 'delete' ? [] : Object.keys(op.fields).sort(compareUtf8);
  return { code: opCodes[op.kind], collection: op.collection, names };
}

function valueOf(op: KnownOp, name: string): Value {
  if (op.kind === 'increment') return op.by;
  return op.kind === 'delete' ? null : (op.fields[name] ?? null);
}

function writeShape(sink: ByteSink, { code, collection, names }: Shape): void {
  sink.byte(code);
  writeName(sink, collection);
  if (code === opCodes.insert || code === opCodes.update) sink.uint(names.length);
  for (const name of names) writeName(sink, name);
}

function writeName(sink: ByteSink, name: string): void {
  const bytes = utf8Bytes(name);
  sink.uint(bytes.length);
  sink.bytes(bytes);
}
