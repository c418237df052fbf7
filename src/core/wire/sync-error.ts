import type { Bytes, Result } from '../base/index.js';
import type { Form } from '../codec/index.js';
import { fieldsOf, only, orNull, textUpTo, uintTo } from '../codec/index.js';
import { readMessage, reqIdForm, writeMessage } from './shape.js';

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

const isCode = (text: string): boolean => codeForm.test(text);
const form: Form<SyncError> = fieldsOf({
  code: only(textUpTo(maxCodeBytes), isCode),
  reqId: orNull(reqIdForm),
  retryAfterMs: orNull(uintTo(maxRetryAfterMs)),
});

/** The body of the envelope; not signed. */
export function encodeSyncError(error: SyncError): Bytes {
  if (!isCode(error.code) || error.code.length > maxCodeBytes)
    throw new RangeError(`code: expected area/reason, got ${error.code}`);
  return writeMessage(error, form);
}

/** Code: 'frame/malformed'. */
export function decodeSyncError(body: Bytes): Result<SyncError> {
  return readMessage(body, form);
}
