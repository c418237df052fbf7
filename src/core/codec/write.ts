import type { Bytes } from '../base/index.js';
import { compareUtf8, isWellFormed, shortTextBytes, utf8Length, writeUtf8 } from './utf8.js';
import type { Value, ValueLimits } from './value.js';
import { forbiddenKey, valueLimits } from './value.js';

/**
 * The one encoding of a value (F14). Throws TypeError or RangeError naming the place of what has no encoding;
 * what it returns always passes {@link decodeValue} with the same limits.
 */
export function encodeValue(value: Value, limits: ValueLimits = valueLimits): Bytes {
  const sink = spare ?? createSink(limits);
  spare = null; // a getter of the value may encode another
  sink.limits = limits;
  try {
    writeItem(sink, value);
    return sink.bytes.slice(0, sink.at);
  } finally {
    sink.bytes.fill(0, 0, sink.at);
    sink.at = sink.nodes = sink.path.length = 0;
    if (sink.bytes.length <= maxSpareBytes) spare = sink;
  }
}

/** Writes the pieces of one value after the other, where its shape is known: the caller sees to it that they add up. */
export interface ValueSink {
  readonly arrayHead: (count: number) => void;
  readonly mapHead: (count: number) => void;
  readonly binaryHead: (length: number) => void;
  readonly value: (value: Value) => void;
  /** Bytes that are encoded already. */
  readonly raw: (bytes: Uint8Array) => void;
  /** Bytes so far. */
  readonly length: () => number;
  /** What was written, as an array of the caller's; the sink is empty again. */
  readonly take: () => Bytes;
}

/** An empty sink; RangeError where more than `limits` allow is written between two takes. */
export function createValueSink(limits: ValueLimits = valueLimits): ValueSink {
  const sink = createSink(limits);
  return {
    arrayHead: (count) => writeArrayHead(sink, count),
    mapHead: (count) => writeMapHead(sink, count),
    binaryHead: (length) => writeBinaryHead(sink, length),
    value: (value) => writeItem(sink, value),
    raw: (bytes) => {
      const { length } = bytes;
      const at = reserve(sink, length);
      const out = sink.bytes;
      // A loop: most pieces are short, where it is faster than a call of set().
      for (let i = 0; i < length; i++) out[at + i] = bytes[i] ?? 0;
    },
    length: () => sink.at,
    take: () => {
      const taken = sink.bytes.slice(0, sink.at);
      sink.at = sink.nodes = 0;
      return taken;
    },
  };
}

interface Sink {
  bytes: Bytes;
  view: DataView;
  at: number;
  nodes: number;
  readonly path: (string | number)[];
  limits: ValueLimits;
}

const firstSinkBytes = 256;
/** A larger one is left to the collector. */
const maxSpareBytes = 4_096;

/** The sink of the value before: most are small, and making one costs more than writing them. */
let spare: Sink | null = null;

function createSink(limits: ValueLimits): Sink {
  const bytes = new Uint8Array(firstSinkBytes);
  return { bytes, view: new DataView(bytes.buffer), at: 0, nodes: 0, path: [], limits };
}

/** Makes room for `count` bytes and returns where they start. */
function reserve(sink: Sink, count: number): number {
  const start = sink.at;
  const end = start + count;
  if (end > sink.limits.maxBytes)
    throw new RangeError(`${place(sink)}: more than ${String(sink.limits.maxBytes)} bytes`);
  if (end > sink.bytes.length) {
    const grown = new Uint8Array(Math.max(end, 2 * sink.bytes.length));
    grown.set(sink.bytes);
    sink.bytes = grown;
    sink.view = new DataView(grown.buffer);
  }
  sink.at = end;
  return start;
}

function writeItem(sink: Sink, value: unknown): void {
  sink.nodes++;
  if (sink.nodes > sink.limits.maxNodes) {
    throw new RangeError(`${place(sink)}: more than ${String(sink.limits.maxNodes)} values`);
  }
  if (value === null) writeByte(sink, 0xc0);
  else if (typeof value === 'boolean') writeByte(sink, value ? 0xc3 : 0xc2);
  else if (typeof value === 'number') writeNumber(sink, value);
  else if (typeof value === 'string') writeText(sink, value);
  else if (value instanceof Uint8Array) writeBinary(sink, value);
  else if (Array.isArray(value)) writeArray(sink, value);
  else if (isPlainObject(value)) writeMap(sink, value);
  else throw new TypeError(`${place(sink)}: expected a value, got ${kindOf(value)}`);
}

function writeByte(sink: Sink, byte: number): void {
  const at = reserve(sink, 1);
  sink.bytes[at] = byte;
}

/** `head` and then a big-endian number of 1, 2 or 4 bytes. */
function writeHead(sink: Sink, head: number, [size, value]: readonly [size: 1 | 2 | 4, value: number]): void {
  const at = reserve(sink, 1 + size);
  sink.bytes[at] = head;
  if (size === 1) sink.view.setUint8(at + 1, value);
  else if (size === 2) sink.view.setUint16(at + 1, value);
  else sink.view.setUint32(at + 1, value);
}

function writeNumber(sink: Sink, value: number): void {
  if (Number.isSafeInteger(value)) {
    if (value >= 0) writeUnsigned(sink, value);
    else writeNegative(sink, value);
    return;
  }
  if (!Number.isFinite(value)) throw new RangeError(`${place(sink)}: expected a finite number, got ${String(value)}`);
  if (Number.isInteger(value)) {
    throw new RangeError(
      `${place(sink)}: expected an integer within ±(2^53 - 1), got ${String(value)}: beyond it a double no longer holds every integer`,
    );
  }
  const at = reserve(sink, 9);
  sink.bytes[at] = 0xcb;
  sink.view.setFloat64(at + 1, value);
}

function writeUnsigned(sink: Sink, value: number): void {
  if (value < 0x80) writeByte(sink, value);
  else if (value < 0x100) writeHead(sink, 0xcc, [1, value]);
  else if (value < 0x10000) writeHead(sink, 0xcd, [2, value]);
  else if (value < 0x1_0000_0000) writeHead(sink, 0xce, [4, value]);
  else {
    const at = reserve(sink, 9);
    sink.bytes[at] = 0xcf;
    sink.view.setBigUint64(at + 1, BigInt(value));
  }
}

function writeNegative(sink: Sink, value: number): void {
  if (value >= -0x20) writeByte(sink, value + 0x100);
  else if (value >= -0x80) writeHead(sink, 0xd0, [1, value]);
  else if (value >= -0x8000) writeHead(sink, 0xd1, [2, value]);
  else if (value >= -0x8000_0000) writeHead(sink, 0xd2, [4, value]);
  else {
    const at = reserve(sink, 9);
    sink.bytes[at] = 0xd3;
    sink.view.setBigInt64(at + 1, BigInt(value));
  }
}

function writeText(sink: Sink, text: string): void {
  if (text.length < shortTextBytes && writeShortAscii(sink, text)) return;
  if (!isWellFormed(text)) throw new TypeError(`${place(sink)}: expected well-formed text, got a lone surrogate`);
  const length = utf8Length(text);
  if (length < 0x20) writeByte(sink, 0xa0 + length);
  else if (length < 0x100) writeHead(sink, 0xd9, [1, length]);
  else if (length < 0x10000) writeHead(sink, 0xda, [2, length]);
  else writeHead(sink, 0xdb, [4, length]);
  const at = reserve(sink, length);
  writeUtf8(text, sink.bytes.subarray(at, at + length));
}

/** Whether it was that; else nothing is written. */
function writeShortAscii(sink: Sink, text: string): boolean {
  const start = reserve(sink, 1 + text.length);
  const { bytes } = sink;
  bytes[start] = 0xa0 + text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) {
      sink.at = start;
      return false;
    }
    bytes[start + 1 + i] = unit;
  }
  return true;
}

function writeBinary(sink: Sink, bytes: Uint8Array): void {
  writeBinaryHead(sink, bytes.length);
  const at = reserve(sink, bytes.length);
  sink.bytes.set(bytes, at);
}

function writeBinaryHead(sink: Sink, length: number): void {
  if (length < 0x100) writeHead(sink, 0xc4, [1, length]);
  else if (length < 0x10000) writeHead(sink, 0xc5, [2, length]);
  else writeHead(sink, 0xc6, [4, length]);
}

function writeArray(sink: Sink, items: readonly unknown[]): void {
  enter(sink);
  writeArrayHead(sink, items.length);
  for (let i = 0; i < items.length; i++) {
    sink.path.push(i);
    writeItem(sink, items[i]);
    sink.path.pop();
  }
}

function writeArrayHead(sink: Sink, count: number): void {
  if (count < 0x10) writeByte(sink, 0x90 + count);
  else if (count < 0x10000) writeHead(sink, 0xdc, [2, count]);
  else writeHead(sink, 0xdd, [4, count]);
}

function writeMapHead(sink: Sink, count: number): void {
  if (count < 0x10) writeByte(sink, 0x80 + count);
  else if (count < 0x10000) writeHead(sink, 0xde, [2, count]);
  else writeHead(sink, 0xdf, [4, count]);
}

function writeMap(sink: Sink, map: Readonly<Record<string, unknown>>): void {
  enter(sink);
  // Sorted before the check of each key: an ill-formed one throws below wherever the order puts it.
  const keys = Object.keys(map);
  if (keys.length > 1) keys.sort(compareUtf8);
  writeMapHead(sink, keys.length);
  for (const key of keys) {
    sink.path.push(key);
    if (key === forbiddenKey) throw new TypeError(`${place(sink)}: this key is not allowed`);
    writeText(sink, key);
    writeItem(sink, map[key]);
    sink.path.pop();
  }
}

/** The path holds one element per open container, so its length is the depth; a cycle ends here too. */
function enter(sink: Sink): void {
  if (sink.path.length >= sink.limits.maxDepth) {
    throw new RangeError(`value: nested deeper than ${String(sink.limits.maxDepth)}`);
  }
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Not `=== Object.prototype`: plain objects of another realm (frame, vm) are plain too.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function kindOf(value: unknown): string {
  return typeof value === 'object' ? Object.prototype.toString.call(value) : typeof value;
}

function place(sink: Sink): string {
  let out = 'value';
  for (const step of sink.path) out += typeof step === 'number' ? `[${String(step)}]` : `[${JSON.stringify(step)}]`;
  return out;
}
