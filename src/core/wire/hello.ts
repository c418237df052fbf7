import type { Bytes, Result } from '../base/index.js';
import { concatBytes, copyBytes, createWriter, fail, isZero, ok, readU16, readU48 } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { asMap, decodeValue, encodeValue } from '../codec/index.js';
import { hmacSha256, labels } from '../crypto/index.js';
import { placeBytes } from '../invite/index.js';
import { checkClearFrame, frameTypes, frameVersion, sigBytes } from './frame.js';
import { checkMax } from './shape.js';

/** Key tags in a HELLO, newest first. */
export const maxHelloKidTags = 4;
/** Capabilities in a HELLO, encoded. */
const maxHelloCapsBytes = 1024;

/** Who is here, under which session, and what it can read (X4). Clear and signed. */
export interface Hello {
  /** {@link roomTagOf} of the room: whose members alone can tell which one it is. */
  readonly roomTag: Bytes;
  readonly device: Bytes;
  /** 16 random bytes of the sender's link; what others echo. */
  readonly session: Bytes;
  /** The addressee's session; zeros while the sender does not know one. */
  readonly echo: Bytes;
  /** Engine start of the sender, 8 bytes (F10). */
  readonly boot: Bytes;
  /** Counter stream of the frames to come, 8 bytes. */
  readonly stream: Bytes;
  readonly hlcMs: number;
  /** First 8 bytes of the key ids the sender holds, newest first, at most {@link maxHelloKidTags}. */
  readonly kidTags: readonly Bytes[];
  /** Read with Object.hasOwn. */
  readonly caps: { readonly [name: string]: Value };
  /** sumOfRoots of what the sender holds, 16 bytes (SYN-5); null: it says nothing of that. A question has none. */
  readonly sum: Bytes | null;
}

/** A HELLO as it came. `unsigned` is what its signature covers beside the place; views alias the frame. */
export interface SignedHello {
  readonly hello: Hello;
  readonly unsigned: Bytes;
  readonly sig: Bytes;
}

const fixedBytes = 99;
const tagBytes = 8;
const capsLengthBytes = 2;
/** What an answer has and a question has not. */
const sumBytes = 16;
const minBytes = fixedBytes + capsLengthBytes + 1 + sigBytes;
const maxBytes = fixedBytes + tagBytes * maxHelloKidTags + capsLengthBytes + maxHelloCapsBytes + sumBytes + sigBytes;
const capsLimits = { maxBytes: maxHelloCapsBytes, maxDepth: 4, maxNodes: 128 };

/** Names a room to those who know its id and to nobody else; 8 bytes. */
export function roomTagOf(roomId: Bytes): Bytes {
  return hmacSha256(roomId, labels.roomTag).slice(0, tagBytes);
}

/** The frame up to the signature, which {@link joinSigned} adds. RangeError or TypeError for what does not fit. */
export function encodeHello(hello: Hello): Bytes {
  checkMax('kidTags', hello.kidTags, maxHelloKidTags);
  const caps = encodeValue(hello.caps, capsLimits);
  const sumLength = isZero(hello.echo) ? 0 : sumBytes;
  const writer = createWriter(fixedBytes + tagBytes * hello.kidTags.length + capsLengthBytes + caps.length + sumLength)
    .u16(frameTypes.hello)
    .u8(frameVersion)
    .u8(0)
    .bytes(hello.roomTag)
    .bytes(hello.device)
    .bytes(hello.session)
    .bytes(hello.echo)
    .bytes(hello.boot)
    .bytes(hello.stream)
    .u48(hello.hlcMs)
    .u8(hello.kidTags.length);
  for (const tag of hello.kidTags) writer.bytes(tag);
  writer.u16(caps.length).bytes(caps);
  if (sumLength > 0) writer.bytes(hello.sum ?? new Uint8Array(sumBytes)); // zeros stand for none
  return writer.done();
}

/**
 * What the device signs: bound to room, transport and the sender's address there, so that a HELLO from anywhere else
 * proves nothing. A checker passes the address the frame came from.
 */
export function helloSignedBytes(o: {
  readonly roomId: Bytes;
  readonly transportType: string;
  readonly address: string;
  readonly unsigned: Bytes;
}): Bytes {
  return concatBytes(labels.hello, o.roomId, placeBytes(o.transportType, o.address), o.unsigned);
}

/** Codes: 'hello/malformed', 'frame/oversized'. The signature is not checked here. */
export function decodeHello(bytes: Bytes): Result<SignedHello> {
  const checked = checkClearFrame(bytes, { type: frameTypes.hello, minBytes, maxBytes, malformed: 'hello/malformed' });
  if (!checked.ok) return checked;
  const tags = bytes[fixedBytes - 1] ?? 0;
  if (tags > maxHelloKidTags) return fail('hello/malformed');
  const capsAt = fixedBytes + tagBytes * tags + capsLengthBytes;
  const capsEnd = capsAt + readU16(bytes, capsAt - capsLengthBytes);
  const fixed = readFixed(bytes);
  const end = capsEnd + (isZero(fixed.echo) ? 0 : sumBytes);
  if (end + sigBytes !== bytes.length) return fail('hello/malformed');
  const decoded = decodeValue(bytes.subarray(capsAt, capsEnd), capsLimits);
  const caps = decoded.ok ? asMap(decoded.value) : null;
  if (caps === null) return fail('hello/malformed');
  const sum = copyBytes(bytes.subarray(capsEnd, end));
  const hello = { ...fixed, kidTags: readTags(bytes, tags), caps, sum: isZero(sum) ? null : sum };
  return ok({ hello, unsigned: bytes.subarray(0, end), sig: bytes.subarray(end) });
}

function readFixed(bytes: Bytes): Omit<Hello, 'kidTags' | 'caps' | 'sum'> {
  const part = (from: number, to: number): Bytes => copyBytes(bytes.subarray(from, to));
  return {
    roomTag: part(4, 12),
    device: part(12, 44),
    session: part(44, 60),
    echo: part(60, 76),
    boot: part(76, 84),
    stream: part(84, 92),
    hlcMs: readU48(bytes, 92),
  };
}

function readTags(bytes: Bytes, count: number): Bytes[] {
  return Array.from({ length: count }, (_, i) => {
    const at = fixedBytes + tagBytes * i;
    return copyBytes(bytes.subarray(at, at + tagBytes));
  });
}
