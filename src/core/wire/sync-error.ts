import type { Bytes, Result } from '../base/index.js';
import { asBytes, asText, asUint, encodeValue } from '../codec/index.js';
import { orNil, readMessage, reqIdBytes } from './shape.js';

/** Why something was not done (0x0401). A hint: it proves nothing and ends nothing but its own request. */
export interface SyncError {
  /** A code of the fault table, or one of a newer version. */
  readonly code: string;
  readonly reqId: Bytes | null;
  readonly retryAfterMs: number | null;
}

const maxCodeBytes = 48;
const maxRetryAfterMs = 3_600_000;
const codeForm = /^[a-z]+\/[a-z]+(-[a-z]+)*$/;

/** The body of the envelope; not signed. */
export function encodeSyncError({ code, reqId, retryAfterMs }: SyncError): Bytes {
  if (!codeForm.test(code) || code.length > maxCodeBytes)
    throw new RangeError(`code: expected area/reason, got ${code}`);
  return encodeValue([code, reqId, retryAfterMs]);
}

/** Code: 'frame/malformed'. */
export function decodeSyncError(body: Bytes): Result<SyncError> {
  return readMessage(body, 3, (fields) => {
    const code = asText(fields[0], maxCodeBytes);
    const reqId = orNil(fields[1], (value) => asBytes(value, reqIdBytes));
    const retryAfterMs = orNil(fields[2], (value) => asUint(value, maxRetryAfterMs));
    if (code === null || !codeForm.test(code) || reqId === undefined || retryAfterMs === undefined) return null;
    return { code, reqId, retryAfterMs };
  });
}
