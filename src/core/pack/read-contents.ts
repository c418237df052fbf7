import { toHex, type Bytes } from '../base/index.js';
import { compareUtf8, createValueSink, readUtf8, type Value, type ValueSink } from '../codec/index.js';
import { devicePrefixBytes, recordIdBytes, recordIdText } from '../identity/index.js';
import {
  isName,
  maxOpFields,
  maxPayloadBytes,
  maxPayloadOps,
  notePayload,
  opCodes,
  payloadLimits,
  schemaPrefixBytes,
  type Op,
} from '../op/index.js';
import { keyOfShape, maxContentBytes, recordRandomBytes, type KnownOp, type Shape } from './content.js';
import { readValues } from './values.js';
import type { ByteSource } from './varint.js';

/** A shape as it is read: where its ops stand among all, and the pieces of their bytes. */
interface ShapeRows extends Shape, Pieces {
  readonly places: number[];
  /** No name is one that every object has: plain assignment might fail for those. */
  readonly isUsual: boolean;
}

/** The bytes of an op but its record id and its values. */
interface Pieces {
  /** Before the record id. */
  readonly head: Bytes;
  readonly afterId: Bytes;
  /** Before the value of each name. */
  readonly keys: readonly Bytes[];
}

/** The ops of all payloads in their order, filled column by column. */
interface Rows {
  readonly shapes: readonly ShapeRows[];
  readonly ops: readonly OpenOp[];
  /** Values in each, containers included. */
  readonly nodes: number[];
}

type Open<T> = { -readonly [K in keyof T]: K extends 'fields' ? { [name: string]: Value } : T[K] };
type OpenOp = Op extends infer One ? (One extends KnownOp ? Open<One> : never) : never;

/**
 * The payload bytes of `count` entries but the first `skipped`, each with its ops noted for decodePayload; null for anything
 * but what writeContents() writes of payloads that are acceptable as such. Of what is skipped only the columns are checked.
 */
export function readContents(source: ByteSource, count: number, skipped = 0): Bytes[] | null {
  const schemas = readTable(source, count, () => readRow(source.bytes(schemaPrefixBytes)));
  const lengths = schemas && readLengths(source, count);
  if (schemas === null || lengths === null) return null;
  const sumOf = (some: readonly number[]): number => some.reduce((sum, length) => sum + length, 0);
  const [opCount, first] = [sumOf(lengths), sumOf(lengths.slice(0, skipped))];
  const shapes = readTable(source, opCount, () => readShape(source));
  const ids = shapes && readRecords(source, opCount);
  if (shapes === null || ids === null) return null;
  const ops = shapes.map((shape, i): OpenOp => {
    shape.places.push(i);
    return i < first ? skippedOp : openOp(shape, ids[i] ?? noId);
  });
  const nodes = shapes.map(nodesOfOp);
  for (const shape of new Set(shapes)) if (!readFields(source, shape, { shapes, ops, nodes })) return null;
  const rows = { shapes: shapes.slice(first), ops: ops.slice(first), nodes: nodes.slice(first) };
  return writePayloads(rows, schemas.slice(skipped), lengths.slice(skipped));
}

/** An op without its values. */
function openOp({ code, collection, names }: Shape, id: Bytes): OpenOp {
  switch (code) {
    case opCodes.insert:
      return { kind: 'insert', collection, id, fields: {} };
    case opCodes.update:
      return { kind: 'update', collection, id, fields: {} };
    case opCodes.delete:
      return { kind: 'delete', collection, id };
    default:
      return { kind: 'increment', collection, id, field: names[0] ?? '', by: 0 };
  }
}

const noId: Bytes = new Uint8Array();
/** In the place of every op that nobody asked for: of a kind that has no values to be filled in. */
const skippedOp: OpenOp = { kind: 'delete', collection: '', id: noId };
/** Of a payload beside its ops: itself, the schema, the list. */
const outerNodes = 3;

/** Values in an op, containers included: itself, code, collection, id, and of fields the map and each name's one value. */
function nodesOfOp({ code, names }: Shape): number {
  return code === opCodes.delete ? 4 : 5 + names.length;
}

/** Ops of each entry; null where they are more than all payloads together can hold. */
function readLengths(source: ByteSource, count: number): number[] | null {
  const lengths: number[] = [];
  let left = maxContentBytes / recordIdBytes;
  for (let i = 0; i < count; i++) {
    const length = source.uint();
    if (length === null || length < 1 || length > maxPayloadOps) return null;
    left -= length;
    if (left < 0) return null;
    lengths.push(length);
  }
  return lengths;
}

interface TableRow<T> {
  /** Equal for equal rows. */
  readonly key: string;
  readonly row: T;
}

function readRow(bytes: Uint8Array | null): TableRow<Bytes> | null {
  return bytes && { key: toHex(bytes), row: bytes.slice() };
}

/** `count` rows; null for a place that is not there, or a new row that was there. */
function readTable<T>(source: ByteSource, count: number, readNew: () => TableRow<T> | null): T[] | null {
  const rows: T[] = [];
  const add = createTableReader(source, readNew);
  for (let i = 0; i < count; i++) {
    const row = add();
    if (row === null) return null;
    rows.push(row);
  }
  return rows;
}

function createTableReader<T>(source: ByteSource, readNew: () => TableRow<T> | null): () => T | null {
  const rows: T[] = [];
  const keys = new Set<string>();
  return () => {
    const place = source.uint();
    if (place === null) return null;
    if (place > 0) return rows[place - 1] ?? null;
    const added = readNew();
    if (added === null || keys.has(added.key)) return null;
    keys.add(added.key);
    rows.push(added.row);
    return added.row;
  };
}

function readRecords(source: ByteSource, count: number): Bytes[] | null {
  const creator = createTableReader(source, () => readRow(source.bytes(devicePrefixBytes)));
  return readTable(source, count, () => {
    const prefix = creator();
    const random = prefix && source.bytes(recordRandomBytes);
    if (prefix === null || random === null) return null;
    const id = new Uint8Array(recordIdBytes);
    id.set(random);
    id.set(prefix, recordRandomBytes);
    return { key: recordIdText(id), row: id };
  });
}

function readShape(source: ByteSource): TableRow<ShapeRows> | null {
  const code = source.byte();
  const collection = readName(source);
  if (code === null || code > opCodes.increment || collection === null) return null;
  const hasFields = code === opCodes.insert || code === opCodes.update;
  const length = hasFields ? source.uint() : code === opCodes.increment ? 1 : 0;
  if (length === null || length > maxOpFields) return null;
  const names: string[] = [];
  for (let i = 0; i < length; i++) {
    const name = readName(source);
    if (name === null || compareUtf8(names.at(-1) ?? '', name) >= 0) return null;
    names.push(name);
  }
  const isUsual = names.every((name) => !(name in Object.prototype));
  const shape = { code, collection, names, isUsual, places: [], ...piecesOf({ code, collection, names }) };
  return { key: keyOfShape(shape), row: shape };
}

function readName(source: ByteSource): string | null {
  const length = source.uint();
  const bytes = length === null ? null : source.bytes(length);
  const name = bytes && readUtf8(bytes);
  return isName(name) ? name : null;
}

function piecesOf({ code, collection, names }: Shape): Pieces {
  const sink = createValueSink();
  const isIncrement = code === opCodes.increment;
  const hasFields = code === opCodes.insert || code === opCodes.update;
  sink.arrayHead(isIncrement ? 5 : hasFields ? 4 : 3);
  sink.value(code);
  sink.value(collection);
  sink.binaryHead(recordIdBytes);
  const head = sink.take();
  if (hasFields) sink.mapHead(names.length);
  const afterId = sink.take();
  const keys = names.map((name) => {
    sink.value(name);
    return sink.take();
  });
  return { head, afterId, keys };
}

/** Fills the values of all ops of a shape, column by column. */
function readFields(source: ByteSource, { places, names, isUsual }: ShapeRows, { ops, nodes }: Rows): boolean {
  let isGood = true;
  for (const name of names) {
    let at = 0;
    const wasRead = readValues(source, places.length, (value, more) => {
      const place = places[at++] ?? 0;
      const op = ops[place];
      if (more > 1) nodes[place] = (nodes[place] ?? 0) + more - 1;
      if (op === undefined || op.kind === 'delete') return;
      if (op.kind === 'increment') {
        if (typeof value === 'number' && Number.isSafeInteger(value) && value !== 0) op.by = value;
        else isGood = false;
      } else if (isUsual) op.fields[name] = value;
      else Object.defineProperty(op.fields, name, { value, writable: true, enumerable: true, configurable: true });
    });
    if (!wasRead) return false;
  }
  return isGood;
}

/**
 * The bytes of every payload, as views of one array that is all theirs, with the ops noted. Null where one is larger than
 * a payload may be, or all are together.
 */
function writePayloads(rows: Rows, schemas: readonly Bytes[], lengths: readonly number[]): Bytes[] | null {
  const sink = createValueSink({ ...payloadLimits, maxBytes: Infinity, maxNodes: Infinity });
  const ends: number[] = [];
  let row = 0;
  for (const [i, schema] of schemas.entries()) {
    const length = lengths[i] ?? 0;
    const start = sink.length();
    sink.arrayHead(2);
    sink.value(schema);
    sink.arrayHead(length);
    let nodes = outerNodes;
    for (const end = row + length; row < end; row++) {
      const [op, shape] = [rows.ops[row], rows.shapes[row]];
      if (op === undefined || shape === undefined) return null;
      writeOp(sink, op, shape);
      nodes += rows.nodes[row] ?? 0;
      if (sink.length() > maxContentBytes) return null;
    }
    if (sink.length() - start > maxPayloadBytes || nodes > payloadLimits.maxNodes) return null;
    ends.push(sink.length());
  }
  return splitPayloads(sink.take(), ends, { ops: rows.ops, schemas, lengths });
}

function splitPayloads(
  all: Bytes,
  ends: readonly number[],
  o: { readonly ops: readonly Op[]; readonly schemas: readonly Bytes[]; readonly lengths: readonly number[] },
): Bytes[] {
  let [at, row] = [0, 0];
  return ends.map((end, i) => {
    const bytes = all.subarray(at, end);
    const ops = o.ops.slice(row, (row += o.lengths[i] ?? 0));
    notePayload(bytes, { schema: o.schemas[i] ?? noId, ops });
    at = end;
    return bytes;
  });
}

function writeOp(sink: ValueSink, op: OpenOp, { names, keys, head, afterId }: ShapeRows): void {
  sink.raw(head);
  sink.raw(op.id);
  sink.raw(afterId);
  if (op.kind === 'delete') return;
  for (let i = 0; i < names.length; i++) {
    sink.raw(keys[i] ?? head);
    sink.value(op.kind === 'increment' ? op.by : (op.fields[names[i] ?? ''] ?? null));
  }
}
