import type { Bytes, Result } from '../base/index.js';
import type { Form } from '../codec/index.js';
import { fieldsOf, listOf } from '../codec/index.js';
import { idForm, readMessage, u32Form, u48Form, writeMessage } from './shape.js';

/** Heads in one ACK. */
export const maxAckHeads = 120;
/** Transfers in one ACK. */
export const maxAckTransfers = 64;

/** A chain as far as it is durable at the sender. */
export interface AckHead {
  readonly domainId: Bytes;
  readonly author: Bytes;
  readonly seq: number;
  readonly headId: Bytes;
}

/** What has arrived (0x0107). Signed. */
export interface Ack {
  /** Stored: sent after the sender's own commit; this is what "delivered" means (X8). */
  readonly heads: readonly AckHead[];
  /** Packs taken off the wire, whatever became of them: room in the addressee's window and nothing more. */
  readonly transfers: readonly number[];
}

const headForm: Form<AckHead> = fieldsOf({ domainId: idForm, author: idForm, seq: u48Form, headId: idForm });
const form: Form<Ack> = fieldsOf({
  heads: listOf(headForm, maxAckHeads),
  transfers: listOf(u32Form, maxAckTransfers),
});

/** The message; its signature comes after it. */
export function encodeAck(ack: Ack): Bytes {
  return writeMessage(ack, form);
}

/** Code: 'frame/malformed'. */
export function decodeAck(message: Bytes): Result<Ack> {
  return readMessage(message, form);
}
