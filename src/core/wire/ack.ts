import type { Bytes, Result } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { asArray, asUint, encodeValue } from '../codec/index.js';
import { asId, asU48, checkMax, listOf, readMessage } from './shape.js';

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

/** The message; its signature comes after it. */
export function encodeAck({ heads, transfers }: Ack): Bytes {
  checkMax('heads', heads, maxAckHeads);
  checkMax('transfers', transfers, maxAckTransfers);
  return encodeValue([heads.map(({ domainId, author, seq, headId }) => [domainId, author, seq, headId]), transfers]);
}

/** Code: 'frame/malformed'. */
export function decodeAck(message: Bytes): Result<Ack> {
  return readMessage(message, 2, (fields) => {
    const heads = listOf(fields[0], maxAckHeads, readHead);
    const transfers = listOf(fields[1], maxAckTransfers, (item) => asUint(item, 2 ** 32 - 1));
    return heads === null || transfers === null ? null : { heads, transfers };
  });
}

function readHead(item: Value): AckHead | null {
  const fields = asArray(item, 4);
  if (fields === null) return null;
  const [domainId, author, seq, headId] = [asId(fields[0]), asId(fields[1]), asU48(fields[2]), asId(fields[3])];
  return domainId === null || author === null || seq === null || headId === null
    ? null
    : { domainId, author, seq, headId };
}
