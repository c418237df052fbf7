import type { Bytes, Result } from '../base/index.js';
import { asBytes, asUint, encodeValue } from '../codec/index.js';
import { asId, asU48, readMessage, reqIdBytes } from './shape.js';

/** "I can give you some of it" (0x0103), answered by a grant. Signed. */
export interface SyncClaim {
  readonly reqId: Bytes;
  readonly requester: Bytes;
  /** Of what anybody could add, 0 to 255 (reconcile: coverageOf). */
  readonly coverage: number;
  /** Entries I can add. */
  readonly entries: number;
  readonly bytesEstimate: number;
  /** Requests I serve at the moment, 0 to 255. */
  readonly load: number;
}

/** The message; its signature comes after it. */
export function encodeSyncClaim({ reqId, requester, coverage, entries, bytesEstimate, load }: SyncClaim): Bytes {
  return encodeValue([reqId, requester, coverage, entries, bytesEstimate, load]);
}

/** Code: 'frame/malformed'. */
export function decodeSyncClaim(message: Bytes): Result<SyncClaim> {
  return readMessage(message, 6, (fields) => {
    const [reqId, requester, coverage] = [asBytes(fields[0], reqIdBytes), asId(fields[1]), asUint(fields[2], 255)];
    const [entries, bytesEstimate, load] = [asU48(fields[3]), asU48(fields[4]), asUint(fields[5], 255)];
    if (reqId === null || requester === null || coverage === null) return null;
    if (entries === null || bytesEstimate === null || load === null) return null;
    return { reqId, requester, coverage, entries, bytesEstimate, load };
  });
}
