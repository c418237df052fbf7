import type { Bytes, Result } from '../base/index.js';
import { concatBytes, copyBytes, createWriter, fail, ok, readU16, readU48, requireWithin } from '../base/index.js';
import { maxEnvelopeBodyBytes } from './envelope.js';
import { sigBytes } from './frame.js';

/** Entries of the sender, at once to everybody: body of a LIVE envelope. The sender is the author. */
export interface Live {
  readonly domainId: Bytes;
  readonly fromSeq: number;
  /** 1 to 1,024. */
  readonly count: number;
  /** The author's head signature of the last entry. */
  readonly endSig: Bytes;
  /** Columns as in a pack, not deflated; a view of the envelope's body after decoding. */
  readonly body: Bytes;
}

const headBytes = 32 + 6 + 2 + sigBytes;
const maxCount = 1024;

/** Longest columns that a LIVE frame holds; a longer unit goes as a pack. */
export const maxLiveBodyBytes: number = maxEnvelopeBodyBytes - headBytes;

/** Fixed layout: domainId 32 | fromSeq u48 | count u16 | endSig 64 | columns. */
export function encodeLive(live: Live): Bytes {
  requireWithin('count', live.count, 1, maxCount);
  const head = createWriter(headBytes).bytes(live.domainId).u48(live.fromSeq).u16(live.count).bytes(live.endSig).done();
  return concatBytes(head, live.body);
}

/** Code: 'frame/malformed'. The columns are opaque here. */
export function decodeLive(body: Bytes): Result<Live> {
  if (body.length <= headBytes) return fail('frame/malformed');
  const count = readU16(body, 38);
  if (count < 1 || count > maxCount) return fail('frame/malformed');
  return ok({
    domainId: copyBytes(body.subarray(0, 32)),
    fromSeq: readU48(body, 32),
    count,
    endSig: copyBytes(body.subarray(40, headBytes)),
    body: body.subarray(headBytes),
  });
}
