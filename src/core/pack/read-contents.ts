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
import { keyOfShape, maxContentBytes, recordRandomBytes, type Shape } from './content.js';
import { readValues } from './values.js';
import type { ByteSource } from './varint.js';

/** A shape as it is read: its ops so far, and the pieces of their bytes. */
interface ShapeRows extends Shape, Pieces {
  readonly rows: OpRow[];
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

/** An op under way: `fields` is filled column by column. */
interface OpRow {
  readonly shape: ShapeRows;
  readonly id: Bytes;
  readonly fields: { [name: string]: Value };
  nodes: number;
}

/**
 * The payload bytes of `count` entries, each with its ops noted for decodePayload; null for anything but what
 * writeContents() writes of payloads that are acceptable as such.
 */
export function readContents(source: ByteSource, count: number): Bytes[] | null {
  const schemas = readTable(source, count, () => readRow(source.bytes(schemaPrefixBytes)));
  const lengths = schemas && readLengths(source, count);
  if (schemas === null || lengths === null) return null;
  const opCount = lengths.reduce((sum, length) => sum + length, 0);
  const shapes = readTable(source, opCount, () => readShape(source));
  const ids = shapes && readRecords(source, opCount);
  if (shapes === null || ids === null) return null;
  const rows = shapes.map((shape, i): OpRow => {
    const row = { shape, id: ids[i] ?? noId, fields: {}, nodes: nodesOfOp(shape) };
    shape.rows.push(row);
    return row;
  });
  for (const shape of new Set(shapes)) if (!readFields(source, shape)) return null;
  return writePayloads(rows, schemas, lengths);
}

const noId: Bytes = new Uint8Array();
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
  const shape = { code, collection, names, isUsual, rows: [], ...piecesOf({ code, collection, names }) };
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

/** Fills the fields of all ops of a shape, column by column. */
function readFields(source: ByteSource, shape: ShapeRows): boolean {
  const { rows, code, isUsual } = shape;
  for (const name of shape.names) {
    let at = 0;
    const wasRead = readValues(source, rows.length, (value, nodes) => {
      const row = rows[at++];
      if (row === undefined) return;
      if (isUsual) row.fields[name] = value;
      else Object.defineProperty(row.fields, name, { value, writable: true, enumerable: true, configurable: true });
      row.nodes += nodes - 1;
    });
    if (!wasRead) return false;
  }
  const [field] = shape.names;
  const isDelta = ({ fields }: OpRow): boolean =>
    Number.isSafeInteger(fields[field ?? '']) && fields[field ?? ''] !== 0;
  return code !== opCodes.increment || rows.every(isDelta);
}

/**
 * The bytes of every payload, as views of one array that is all theirs, with the ops noted. Null where one is larger than
 * a payload may be, or all are together.
 */
function writePayloads(rows: readonly OpRow[], schemas: readonly Bytes[], lengths: readonly number[]): Bytes[] | null {
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
      const op = rows[row];
      if (op === undefined) return null;
      writeOp(sink, op);
      nodes += op.nodes;
      if (sink.length() > maxContentBytes) return null;
    }
    if (sink.length() - start > maxPayloadBytes || nodes > payloadLimits.maxNodes) return null;
    ends.push(sink.length());
  }
  return splitPayloads(sink.take(), ends, { rows, schemas, lengths });
}

function splitPayloads(
  all: Bytes,
  ends: readonly number[],
  o: { readonly rows: readonly OpRow[]; readonly schemas: readonly Bytes[]; readonly lengths: readonly number[] },
): Bytes[] {
  let [at, row] = [0, 0];
  return ends.map((end, i) => {
    const bytes = all.subarray(at, end);
    const ops: Op[] = [];
    for (const last = row + (o.lengths[i] ?? 0); row < last; row++) {
      const op = o.rows[row];
      if (op !== undefined) ops.push(opOf(op));
    }
    notePayload(bytes, { schema: o.schemas[i] ?? all.subarray(0, 0), ops });
    at = end;
    return bytes;
  });
}

function opOf({ shape, id, fields }: OpRow): Op {
  const { collection, names } = shape;
  switch (shape.code) {
    case opCodes.insert:
      return { kind: 'insert', collection, id, fields };
    case opCodes.update:
      return { kind: 'update', collection, id, fields };
    case opCodes.delete:
      return { kind: 'delete', collection, id };
    default: {
      const field = names[0] ?? '';
      return { kind: 'increment', collection, id, field, by: fields[field] as number };
    }
  }
}

function writeOp(sink: ValueSink, { shape, id, fields }: OpRow): void {
  const { names, keys, head } = shape;
  sink.raw(head);
  sink.raw(id);
  sink.raw(shape.afterId);
  for (let i = 0; i < names.length; i++) {
    sink.raw(keys[i] ?? head);
    sink.value(fields[names[i] ?? ''] ?? null);
  }
}
