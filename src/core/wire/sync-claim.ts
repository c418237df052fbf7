import type { Bytes, Result } from '../base/index.js';
import type { Form } from '../codec/index.js';
import { fieldsOf, uintTo } from '../codec/index.js';
import { idForm, readMessage, reqIdForm, u48Form, writeMessage } from './shape.js';

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

const form: Form<SyncClaim> = fieldsOf({
  reqId: reqIdForm,
  requester: idForm,
  coverage: uintTo(255),
  entries: u48Form,
  bytesEstimate: u48Form,
  load: uintTo(255),
});

/** The message; its signature comes after it. */
export function encodeSyncClaim(claim: SyncClaim): Bytes {
  return writeMessage(claim, form);
}

/** Code: 'frame/malformed'. */
export function decodeSyncClaim(message: Bytes): Result<SyncClaim> {
  return readMessage(message, form);
}
