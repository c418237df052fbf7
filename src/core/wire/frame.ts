import type { Bytes, FaultCode, Result } from '../base/index.js';
import { fail, ok, readU16 } from '../base/index.js';

/** Largest frame on any transport (X7): what LiveKit's own streams use, well below every limit met. */
export const maxFrameBytes = 15_000;

/** Version byte of every frame. */
export const frameVersion = 1;

/** Frame types (X6): 0x00xx handshake, 0x01xx sync, 0x04xx errors, 0x05xx invites. */
export const frameTypes = {
  hello: 0x0001,
  beacon: 0x0101,
  syncReq: 0x0102,
  syncClaim: 0x0103,
  syncGrant: 0x0104,
  fragment: 0x0105,
  syncDone: 0x0106,
  ack: 0x0107,
  resume: 0x0108,
  live: 0x0110,
  error: 0x0401,
  joinAsk: 0x0501,
  joinAnswer: 0x0502,
} as const;

/** Length of an Ed25519 signature in a frame. */
export const sigBytes = 64;

/** The first two bytes, whether or not the type is known; null for what is too short to be a frame. */
export function frameType(bytes: Uint8Array): number | null {
  return bytes.length < frameHeadBytes ? null : readU16(bytes, 0);
}

/** type u16 | version u8 | one byte that is fixed per kind of frame. */
export const frameHeadBytes = 4;

/** What a decoder of a clear frame expects of its first bytes and its length. */
export interface ClearFrame {
  readonly type: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly malformed: FaultCode;
}

/** Checks type, version, zero byte and length before anything else is looked at. */
export function checkClearFrame(bytes: Bytes, expected: ClearFrame): Result<null> {
  if (bytes.length > maxFrameBytes) return fail('frame/oversized');
  if (bytes.length < expected.minBytes || bytes.length > expected.maxBytes) {
    return fail(expected.malformed);
  }
  if (readU16(bytes, 0) !== expected.type || bytes[2] !== frameVersion || bytes[3] !== 0) {
    return fail(expected.malformed);
  }
  return ok(null);
}
