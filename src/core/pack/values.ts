/** One column of values: runs of one form, then what each value has beyond its form, run by run. */
import { decodeValue, encodeValue, readUtf8, utf8Bytes, type Value } from '../codec/index.js';
import { payloadLimits } from '../op/index.js';
import { unzigzag, zigzag, type ByteSink, type ByteSource } from './varint.js';

/** Forms of a value in a column (docs/protocol.md PACK-6). */
const forms = { null: 0, false: 1, true: 2, int: 3, double: 4, text: 5, bytes: 6, other: 7 } as const;
type FormCode = (typeof forms)[keyof typeof forms];
const formCount = 8;

/** Integers below this in size have a form of their own; the few beyond are like arrays and maps. */
const intBound: number = 2 ** 48;
/** A value of a field stands in four containers of its payload. */
const outerDepth = 4;
const innerLimits = { ...payloadLimits, maxDepth: payloadLimits.maxDepth - outerDepth };
const doubleBytes = 8;

/** Writes a column. */
export function writeValues(sink: ByteSink, values: readonly Value[]): void {
  for (let at = 0; at < values.length;) {
    const form = formOf(values[at] ?? null);
    let end = at + 1;
    while (end < values.length && formOf(values[end] ?? null) === form) end++;
    sink.uint((end - at - 1) * formCount + form);
    at = end;
  }
  for (let at = 0; at < values.length;) {
    const form = formOf(values[at] ?? null);
    const from = at;
    while (at < values.length && formOf(values[at] ?? null) === form) at++;
    writeRun(sink, form, values.slice(from, at));
  }
}

function formOf(value: Value): FormCode {
  if (value === null) return forms.null;
  if (typeof value === 'boolean') return value ? forms.true : forms.false;
  if (typeof value === 'string') return forms.text;
  if (value instanceof Uint8Array) return forms.bytes;
  if (typeof value !== 'number') return forms.other;
  if (!Number.isInteger(value)) return forms.double;
  return Math.abs(value) < intBound ? forms.int : forms.other;
}

function writeRun(sink: ByteSink, form: FormCode, values: readonly Value[]): void {
  if (form === forms.int) {
    for (const value of values) sink.uint(zigzag(value as number));
  } else if (form === forms.double) {
    for (const value of values) sink.bytes(bytesOfDouble(value as number));
  } else if (form >= forms.text) {
    const parts = values.map((value) => bytesOf(value));
    for (const part of parts) sink.uint(part.length);
    for (const part of parts) sink.bytes(part);
  }
}

function bytesOf(value: Value): Uint8Array {
  if (typeof value === 'string') return utf8Bytes(value);
  return value instanceof Uint8Array ? value : encodeValue(value);
}

function bytesOfDouble(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(doubleBytes));
  view.setFloat64(0, value);
  return new Uint8Array(view.buffer);
}

/** Takes the next value of a column, with how many values it is in all, itself included. */
export type TakeValue = (value: Value, nodes: number) => void;

/** Reads a column of `count` values, each given to `take`; false for anything but the one encoding of a column. */
export function readValues(source: ByteSource, count: number, take: TakeValue): boolean {
  const runs: { readonly form: number; readonly length: number }[] = [];
  for (let left = count; left > 0;) {
    const token = source.uint();
    if (token === null) return false;
    const [form, length] = [token % formCount, Math.floor(token / formCount) + 1];
    if (length > left || form === runs.at(-1)?.form) return false;
    runs.push({ form, length });
    left -= length;
  }
  return runs.every(({ form, length }) => readRun(source, { form, length }, take));
}

function readRun(
  source: ByteSource,
  run: { readonly form: number; readonly length: number },
  take: TakeValue,
): boolean {
  switch (run.form) {
    case forms.null:
    case forms.false:
    case forms.true: {
      const value = run.form === forms.null ? null : run.form === forms.true;
      for (let i = 0; i < run.length; i++) take(value, 1);
      return true;
    }
    case forms.int:
      for (let i = 0; i < run.length; i++) {
        const raw = source.uint();
        if (raw === null || raw > 2 * (intBound - 1)) return false;
        take(unzigzag(raw), 1);
      }
      return true;
    case forms.double:
      for (let i = 0; i < run.length; i++) {
        const value = readDouble(source);
        if (value === null) return false;
        take(value, 1);
      }
      return true;
    default:
      return readParts(source, run, take);
  }
}

function readDouble(source: ByteSource): number | null {
  const bytes = source.bytes(doubleBytes);
  if (bytes === null) return null;
  const value = new DataView(bytes.buffer, bytes.byteOffset, doubleBytes).getFloat64(0);
  return Number.isFinite(value) && !Number.isInteger(value) ? value : null;
}

/** Lengths, then contents. */
function readParts(
  source: ByteSource,
  run: { readonly form: number; readonly length: number },
  take: TakeValue,
): boolean {
  const lengths: number[] = [];
  for (let i = 0; i < run.length; i++) {
    const length = source.uint();
    if (length === null) return false;
    lengths.push(length);
  }
  for (const length of lengths) {
    const bytes = source.bytes(length);
    if (bytes === null) return false;
    if (run.form === forms.bytes) take(bytes.slice(), 1);
    else if (run.form === forms.text) {
      const text = readUtf8(bytes);
      if (text === null) return false;
      take(text, 1);
    } else {
      const value = decodeValue(bytes.slice(), innerLimits);
      if (!value.ok || formOf(value.value) !== forms.other) return false;
      take(value.value, nodesOf(value.value));
    }
  }
  return true;
}

function nodesOf(value: Value): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 1;
  let nodes = 1;
  for (const item of Object.values(value)) nodes += nodesOf(item);
  return nodes;
}
