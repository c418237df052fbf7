import type { Bytes, Result } from '../base/index.js';
import { concatBytes, fail, ok, requireLength } from '../base/index.js';
import { labels, sha256 } from '../crypto/index.js';
import { maxEnvelopeBodyBytes } from './envelope.js';
import { sigBytes } from './frame.js';

/** Longest message of a signed frame. */
export const maxSignedMessageBytes: number = maxEnvelopeBodyBytes - sigBytes;

/** What the sender of a signed frame signs (X5): room, clear header (type, key, stream, counter) and message. */
export function frameSignedBytes(o: {
  readonly roomId: Bytes;
  /** envelopeHeader() or Envelope.header. */
  readonly header: Bytes;
  readonly message: Bytes;
}): Bytes {
  return concatBytes(labels.frame, o.roomId, o.header, sha256(o.message));
}

/** Something and its signature: the body of a signed frame, or a whole HELLO or JOIN_ANSWER. */
export function joinSigned(unsigned: Bytes, sig: Bytes): Bytes {
  requireLength('sig', sig, sigBytes);
  return concatBytes(unsigned, sig);
}

/** The message of a signed frame and its signature, as views of the body. Code: 'frame/malformed'. */
export function splitSigned(body: Bytes): Result<{ readonly message: Bytes; readonly sig: Bytes }> {
  const end = body.length - sigBytes;
  if (end < 1) return fail('frame/malformed');
  return ok({ message: body.subarray(0, end), sig: body.subarray(end) });
}
