import type { Bytes, Result } from '../base/index.js';
import {
  concatBytes,
  copyBytes,
  createWriter,
  equalBytes,
  fail,
  isZero,
  ok,
  readU16,
  readU32,
  readU48,
  requireWithin,
} from '../base/index.js';
import { aeadOpen, aeadSeal, deriveKey, hedgedNonce, labels, nonceBytes, padme, tagBytes } from '../crypto/index.js';
import { frameTypes, frameVersion, maxFrameBytes } from './frame.js';

/** Header bytes that the seal, and the signature of a signed frame, are bound to. */
const envelopeHeaderBytes = 28;

const rungEpoch = 2;
const kidTagBytes = 8;
const streamBytes = 8;
const streamAt = 12;
const sealedAt = envelopeHeaderBytes + nonceBytes;
const bodyLengthBytes = 4;

/** Types that travel sealed under an epoch key (X5); of these all but live and error end in a signature. */
const sealedTypes: ReadonlySet<number> = new Set([
  frameTypes.beacon,
  frameTypes.syncReq,
  frameTypes.syncClaim,
  frameTypes.syncGrant,
  frameTypes.syncDone,
  frameTypes.ack,
  frameTypes.resume,
  frameTypes.live,
  frameTypes.error,
]);

/** Whether frames of this type travel in an envelope. */
export function isSealedType(type: number): boolean {
  return sealedTypes.has(type);
}

/** Whether the body of this type is a message and its signature (X5). */
export function isSignedType(type: number): boolean {
  return sealedTypes.has(type) && type !== frameTypes.live && type !== frameTypes.error;
}

/** Longest body that fits a frame with its padding. */
export const maxEnvelopeBodyBytes: number = largestPadded(maxFrameBytes - sealedAt - tagBytes) - bodyLengthBytes;

function largestPadded(limit: number): number {
  let length = limit;
  while (padme(length) > limit) length--;
  return length;
}

/** The clear header of an envelope: what, under which key, and its place in the sender's stream. */
export interface EnvelopePlace {
  readonly type: number;
  /** Key id it is sealed under, 32 bytes; the first 8 travel. */
  readonly kid: Bytes;
  /** The stream of the sender's HELLO. */
  readonly stream: Bytes;
  /** Strictly rising per stream, in the order of sending. */
  readonly ctr: number;
}

/** Bytes 0 to 27. The first thing made: a signed frame signs them. */
export function envelopeHeader({ type, kid, stream, ctr }: EnvelopePlace): Bytes {
  return createWriter(envelopeHeaderBytes)
    .u16(type)
    .u8(frameVersion)
    .u8(rungEpoch)
    .bytes(kid.subarray(0, kidTagBytes))
    .bytes(stream)
    .u48(ctr)
    .u16(0)
    .done();
}

/** Finished key material of one epoch, and who sends. */
export interface EnvelopeKey {
  readonly roomId: Bytes;
  readonly kid: Bytes;
  /** epochPrk of the kid. */
  readonly prk: Bytes;
  readonly sender: Bytes;
}

/** The whole frame. `random32` hedges the nonce. RangeError for a body above {@link maxEnvelopeBodyBytes}. */
export function sealEnvelope(
  key: EnvelopeKey,
  o: { readonly header: Bytes; readonly body: Bytes; readonly random32: Bytes },
): Bytes {
  requireWithin('body.length', o.body.length, 0, maxEnvelopeBodyBytes);
  const plaintext = new Uint8Array(padme(bodyLengthBytes + o.body.length));
  plaintext.set(createWriter(bodyLengthBytes).u32(o.body.length).done());
  plaintext.set(o.body, bodyLengthBytes);
  const aad = aadOf(key, o.header);
  const nonceKey = deriveKey(key.prk, labels.nonce, key.sender);
  const nonce = hedgedNonce({ key: nonceKey, random32: o.random32, aad, plaintext });
  return concatBytes(o.header, nonce, aeadSeal({ key: sealKey(key, o.header), nonce, aad, plaintext }));
}

/** An envelope taken apart, still sealed. Views alias the frame. */
export interface Envelope {
  readonly type: number;
  readonly kidTag: Bytes;
  readonly stream: Bytes;
  readonly ctr: number;
  /** Bytes 0 to 27. */
  readonly header: Bytes;
  readonly nonce: Bytes;
  readonly ciphertext: Bytes;
}

/** Codes: 'frame/malformed', 'frame/oversized', 'frame/unknown-type'. */
export function decodeEnvelope(bytes: Bytes): Result<Envelope> {
  if (bytes.length > maxFrameBytes) return fail('frame/oversized');
  if (bytes.length < sealedAt + tagBytes + bodyLengthBytes) return fail('frame/malformed');
  const type = readU16(bytes, 0);
  if (!sealedTypes.has(type)) return fail('frame/unknown-type');
  if (bytes[2] !== frameVersion || bytes[3] !== rungEpoch || readU16(bytes, envelopeHeaderBytes - 2) !== 0) {
    return fail('frame/malformed');
  }
  return ok({
    type,
    kidTag: copyBytes(bytes.subarray(4, 4 + kidTagBytes)),
    stream: copyBytes(bytes.subarray(streamAt, streamAt + streamBytes)),
    ctr: readU48(bytes, streamAt + streamBytes),
    header: bytes.subarray(0, envelopeHeaderBytes),
    nonce: bytes.subarray(envelopeHeaderBytes, sealedAt),
    ciphertext: bytes.subarray(sealedAt),
  });
}

/**
 * The body. The key is found by the kid tag and the sender by the source of the frame; nothing is tried.
 * Codes: 'frame/unknown-key' (the kid is not the one named), 'frame/bad-seal', 'frame/malformed'.
 */
export function openEnvelope(envelope: Envelope, key: EnvelopeKey): Result<Bytes> {
  if (!equalBytes(envelope.kidTag, key.kid.subarray(0, kidTagBytes))) {
    return fail('frame/unknown-key');
  }
  const aad = aadOf(key, envelope.header);
  const sealed = { nonce: envelope.nonce, aad, ciphertext: envelope.ciphertext };
  const plaintext = aeadOpen({ key: sealKey(key, envelope.header), ...sealed });
  if (plaintext === null) return fail('frame/bad-seal');
  const end = bodyLengthBytes + readU32(plaintext, 0);
  if (end > plaintext.length || padme(end) !== plaintext.length || !isZero(plaintext.subarray(end))) {
    return fail('frame/malformed');
  }
  return ok(plaintext.slice(bodyLengthBytes, end));
}

function sealKey({ prk, sender }: EnvelopeKey, header: Uint8Array): Bytes {
  return deriveKey(prk, labels.live, sender, header.subarray(streamAt, streamAt + streamBytes));
}

function aadOf({ roomId, kid, sender }: EnvelopeKey, header: Uint8Array): Bytes {
  return concatBytes(labels.live, roomId, kid, sender, header);
}
