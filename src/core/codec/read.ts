import type { Bytes, Fault, FaultCode, Result } from '../base/index.js';
import { copyBytes, ok } from '../base/index.js';
import { compareUtf8, readUtf8 } from './utf8.js';
import type { Value, ValueLimits } from './value.js';
import { forbiddenKey, valueLimits } from './value.js';

/**
 * Strict decoding (F14): accepts exactly what {@link encodeValue} writes, so a value has one encoding.
 * Total and iterative; every length is checked against what is left before anything is allocated.
 * Byte strings of the result are copies; its maps are plain objects with own properties only: read them with
 * Object.hasOwn. Codes: value/malformed, value/limits.
 */
export function decodeValue(bytes: Bytes, limits: ValueLimits = valueLimits): Result<Value> {
  const cursor: Cursor = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
    at: 0,
    opened: null,
    fault: null,
  };
  if (bytes.length > limits.maxBytes) refuse(cursor, 'value/limits');
  const value = cursor.fault === null ? readTree(cursor, limits) : null;
  if (cursor.fault === null && cursor.at !== bytes.length) refuse(cursor);
  return cursor.fault === null ? ok(value) : { ok: false, fault: cursor.fault };
}

interface Cursor {
  readonly bytes: Bytes;
  readonly view: DataView;
  at: number;
  /** The container just read, empty as yet; null after a scalar. */
  opened: Frame | null;
  /** Sticky: the first fault ends the read. */
  fault: Fault | null;
}

interface ArrayFrame {
  readonly kind: 'array';
  readonly target: Value[];
  left: number;
}

interface MapFrame {
  readonly kind: 'map';
  readonly target: Record<string, Value>;
  left: number;
  /** Null before the first. */
  key: string | null;
}

type Frame = ArrayFrame | MapFrame;

function refuse(cursor: Cursor, code: FaultCode = 'value/malformed'): null {
  cursor.fault ??= { code, detail: `at byte ${String(cursor.at)}` };
  return null;
}

function readTree(cursor: Cursor, limits: ValueLimits): Value {
  const open: Frame[] = [];
  for (let nodes = 1; nodes <= limits.maxNodes; nodes++) {
    let value = readItem(cursor);
    if (cursor.fault !== null) return null;
    const frame = cursor.opened;
    if (frame !== null) {
      if (open.length >= limits.maxDepth) return refuse(cursor, 'value/limits');
      if (frame.left > 0) {
        open.push(frame);
        if (!beginItem(cursor, frame)) return null;
        continue;
      }
      value = frame.target;
    }
    for (;;) {
      const top = open.at(-1);
      if (top === undefined) return value;
      placeItem(top, value);
      if (top.left > 0) {
        if (!beginItem(cursor, top)) return null;
        break;
      }
      value = top.target;
      open.pop();
    }
  }
  return refuse(cursor, 'value/limits');
}

/** Before each item of a map stands its key. */
function beginItem(cursor: Cursor, frame: Frame): boolean {
  if (frame.kind === 'array') return true;
  const length = readTextLength(cursor, readUint(cursor, 1));
  if (length < 0) {
    refuse(cursor);
    return false;
  }
  const key = readText(cursor, length);
  if (key === null || cursor.fault !== null) return false;
  if (key === forbiddenKey || (frame.key !== null && compareUtf8(frame.key, key) >= 0)) {
    refuse(cursor);
    return false;
  }
  frame.key = key;
  return true;
}

function placeItem(frame: Frame, value: Value): void {
  frame.left--;
  if (frame.kind === 'array') {
    frame.target.push(value);
    return;
  }
  const { target, key } = frame;
  if (key === null) return;
  // An inherited name ('constructor'): assignment would fail where somebody froze Object.prototype.
  if (key in target)
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  else target[key] = value;
}

/** One scalar; for a container null, with `opened` set. */
function readItem(cursor: Cursor): Value {
  cursor.opened = null;
  const head = readUint(cursor, 1);
  if (head < 0x80) return head;
  if (head < 0x90) return openMap(cursor, head - 0x80);
  if (head < 0xa0) return openArray(cursor, head - 0x90);
  if (head >= 0xe0) return head - 0x100;
  const textLength = readTextLength(cursor, head);
  if (textLength >= 0) return readText(cursor, textLength);
  switch (head) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xc4:
      return readBinary(cursor, readLength(cursor, 1, 0));
    case 0xc5:
      return readBinary(cursor, readLength(cursor, 2, 0x100));
    case 0xc6:
      return readBinary(cursor, readLength(cursor, 4, 0x10000));
    case 0xdc:
      return openArray(cursor, readLength(cursor, 2, 0x10));
    case 0xdd:
      return openArray(cursor, readLength(cursor, 4, 0x10000));
    case 0xde:
      return openMap(cursor, readLength(cursor, 2, 0x10));
    case 0xdf:
      return openMap(cursor, readLength(cursor, 4, 0x10000));
    default:
      return readNumber(cursor, head);
  }
}

function readNumber(cursor: Cursor, head: number): Value {
  switch (head) {
    case 0xcb:
      return readDouble(cursor);
    case 0xcc:
      return readLength(cursor, 1, 0x80);
    case 0xcd:
      return readLength(cursor, 2, 0x100);
    case 0xce:
      return readLength(cursor, 4, 0x10000);
    case 0xcf:
      return readWide(cursor, (value) => value >= 2 ** 32);
    case 0xd0:
      return readSigned(cursor, 1, -0x20);
    case 0xd1:
      return readSigned(cursor, 2, -0x80);
    case 0xd2:
      return readSigned(cursor, 4, -0x8000);
    case 0xd3:
      return readWide(cursor, (value) => value < -(2 ** 31));
    default:
      return refuse(cursor);
  }
}

/** Big-endian unsigned of 1, 2 or 4 bytes; 0 with a fault when the input ends before. */
function readUint(cursor: Cursor, size: 1 | 2 | 4): number {
  const start = cursor.at;
  if (start + size > cursor.bytes.length) {
    refuse(cursor);
    return 0;
  }
  cursor.at = start + size;
  if (size === 1) return cursor.view.getUint8(start);
  return size === 2 ? cursor.view.getUint16(start) : cursor.view.getUint32(start);
}

/** An unsigned number in this width only because it is at least `from`: minimal forms only. */
function readLength(cursor: Cursor, size: 1 | 2 | 4, from: number): number {
  const value = readUint(cursor, size);
  if (value < from) refuse(cursor);
  return value;
}

/** A negative number in this width only because it is below `below`. */
function readSigned(cursor: Cursor, size: 1 | 2 | 4, below: number): number {
  const raw = readUint(cursor, size);
  const span = 2 ** (8 * size);
  const value = raw >= span / 2 ? raw - span : raw;
  if (value >= below) refuse(cursor);
  return value;
}

/** Eight bytes, signed for 0xd3 (the caller's `fits` tells the heads apart: an unsigned one is never negative). */
function readWide(cursor: Cursor, fits: (value: number) => boolean): number {
  const isSigned = cursor.bytes[cursor.at - 1] === 0xd3;
  const high = readUint(cursor, 4);
  const low = readUint(cursor, 4);
  const value = (isSigned && high >= 0x8000_0000 ? high - 2 ** 32 : high) * 2 ** 32 + low;
  // Rounding of `value` cannot bring an unsafe number into the safe range: it is exact up to 2^53.
  if (!Number.isSafeInteger(value) || !fits(value)) refuse(cursor);
  return value;
}

function readDouble(cursor: Cursor): number {
  const start = cursor.at;
  if (start + 8 > cursor.bytes.length) {
    refuse(cursor);
    return 0;
  }
  cursor.at = start + 8;
  const value = cursor.view.getFloat64(start);
  // Every integral double is refused: the safe ones (-0 too) are written as integers, the others not at all.
  if (!Number.isFinite(value) || Number.isInteger(value)) refuse(cursor);
  return value;
}

/** Length of the text whose head this is; -1 when it is not the head of a text. */
function readTextLength(cursor: Cursor, head: number): number {
  if (head >= 0xa0 && head < 0xc0) return head - 0xa0;
  if (head === 0xd9) return readLength(cursor, 1, 0x20);
  if (head === 0xda) return readLength(cursor, 2, 0x100);
  if (head === 0xdb) return readLength(cursor, 4, 0x10000);
  return -1;
}

/** Where the next `length` bytes begin, which are read then; a fault, and nothing is read, when there are fewer. */
function skip(cursor: Cursor, length: number): number {
  const start = cursor.at;
  if (cursor.fault === null && length <= cursor.bytes.length - start) cursor.at = start + length;
  else refuse(cursor);
  return start;
}

/** Null with a fault: it is no text. */
function readText(cursor: Cursor, length: number): string | null {
  const from = skip(cursor, length);
  return readUtf8(cursor.bytes, from, cursor.at) ?? refuse(cursor);
}

function readBinary(cursor: Cursor, length: number): Value {
  const from = skip(cursor, length);
  return copyBytes(cursor.bytes.subarray(from, cursor.at));
}

function openArray(cursor: Cursor, count: number): null {
  if (count > cursor.bytes.length - cursor.at) return refuse(cursor);
  cursor.opened = { kind: 'array', target: [], left: count };
  return null;
}

/** An item of a map takes at least two bytes. */
function openMap(cursor: Cursor, count: number): null {
  if (2 * count > cursor.bytes.length - cursor.at) return refuse(cursor);
  cursor.opened = { kind: 'map', target: {}, left: count, key: null };
  return null;
}
