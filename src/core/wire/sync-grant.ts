import type { Bytes, Result } from '../base/index.js';
import type { Form } from '../codec/index.js';
import { fieldsOf, listOf, only, orNull } from '../codec/index.js';
import { isTransferBase } from '../flow/index.js';
import { idForm, readMessage, reqIdForm, u32Form, u48Form, writeMessage } from './shape.js';

/** Ranges of one grant. */
const maxGrantRanges = 96;
/** Floors of one grant. */
export const maxGrantFloors = 64;

/** Entries `from` to `to - 1` of a chain. */
export interface DomainRange {
  readonly domainId: Bytes;
  readonly author: Bytes;
  readonly from: number;
  readonly to: number;
}

/** "You serve me" (0x0104): data flows only after it, from this one source. Signed. */
export interface SyncGrant {
  readonly reqId: Bytes;
  readonly claimer: Bytes;
  /** Base of the transfers (flow: transferOf). */
  readonly transfer: number;
  /** Null: all that the request's clocks lack. */
  readonly ranges: readonly DomainRange[] | null;
  /**
   * What has come from others since the request: everything of this author below `from` is here. Places rather than
   * packs, because another source has cut the chain elsewhere.
   */
  readonly floors: readonly { readonly domainId: Bytes; readonly author: Bytes; readonly from: number }[];
}

const rangeFields: Form<DomainRange> = fieldsOf({ domainId: idForm, author: idForm, from: u48Form, to: u48Form });
const floorForm: Form<SyncGrant['floors'][number]> = fieldsOf({ domainId: idForm, author: idForm, from: u48Form });
const form: Form<SyncGrant> = fieldsOf({
  reqId: reqIdForm,
  claimer: idForm,
  transfer: only(u32Form, isTransferBase),
  ranges: orNull(
    listOf(
      only(rangeFields, ({ from, to }) => from < to),
      maxGrantRanges,
    ),
  ),
  floors: listOf(floorForm, maxGrantFloors),
});

/** The message; its signature comes after it. */
export function encodeSyncGrant(grant: SyncGrant): Bytes {
  return writeMessage(grant, form);
}

/** Code: 'frame/malformed'. */
export function decodeSyncGrant(message: Bytes): Result<SyncGrant> {
  return readMessage(message, form);
}
