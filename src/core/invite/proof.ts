import type { Bytes } from '../base/index.js';
import { concatBytes, createWriter, requireWithin } from '../base/index.js';
import { utf8Bytes } from '../codec/index.js';
import { labels } from '../crypto/index.js';

/** What both signatures of a JOIN_ASK cover: the request, who asks, and from where (X9). */
export interface JoinProof {
  readonly roomId: Bytes;
  readonly inviteId: Bytes;
  readonly requestId: Bytes;
  readonly device: Bytes;
  readonly x25519: Bytes;
  readonly joinerNonce: Bytes;
  readonly transportType: string;
  /** The joiner's own address on that transport: the admitter takes it from where the frame came. */
  readonly address: string;
}

/**
 * The message the invite key and the device key sign: bound to room, device and address, so that a captured ASK admits
 * nobody else. TypeError for a text with a lone surrogate, RangeError for one too long.
 */
export function joinAskMessage(proof: JoinProof): Bytes {
  const parts = [proof.roomId, proof.inviteId, proof.requestId, proof.device, proof.x25519, proof.joinerNonce];
  return concatBytes(labels.joinAsk, ...parts, placeBytes(proof.transportType, proof.address));
}

/** The message an admitter signs: `unsigned` is the ANSWER up to the signature, `askHash` SHA-256 of the whole ASK frame. */
export function joinAnswerMessage(o: {
  readonly roomId: Bytes;
  readonly askHash: Bytes;
  readonly unsigned: Bytes;
}): Bytes {
  return concatBytes(labels.joinAnswer, o.roomId, o.askHash, o.unsigned);
}

/**
 * A transport type and an address in a signed message: each behind its length (u16), because two texts one after the
 * other could be cut elsewhere.
 */
export function placeBytes(transportType: string, address: string): Bytes {
  const type = utf8Bytes(transportType);
  const own = utf8Bytes(address);
  requireWithin('bytes of transportType', type.length, 0, 0xffff);
  requireWithin('bytes of address', own.length, 0, 0xffff);
  return createWriter(4 + type.length + own.length)
    .u16(type.length)
    .bytes(type)
    .u16(own.length)
    .bytes(own)
    .done();
}
