import type { Bytes, Result } from '../base/index.js';
import { concatBytes, copyBytes, createWriter, fail, ok } from '../base/index.js';
import type { Form } from '../codec/index.js';
import { bytesOf, bytesUpTo, decodeValue, encodeValue, fieldsOf } from '../codec/index.js';
import { aeadOpen, aeadSeal, deriveKey, hedgedNonce, labels, nonceBytes, tagBytes } from '../crypto/index.js';
import { inviteIdBytes } from '../invite/index.js';
import { checkClearFrame, frameHeadBytes, frameTypes, frameVersion, sigBytes } from './frame.js';

/** Longest profile in a JOIN_ASK, encoded. */
export const maxJoinProfileBytes = 2048;

/** A request to join (0x0501), broadcast by somebody with a link (X9). */
export interface JoinAsk {
  /** 16 random bytes; the same over repetitions, and the same answer then. */
  readonly requestId: Bytes;
  readonly device: Bytes;
  readonly x25519: Bytes;
  /** The device's signature over its X25519 key (identity: bindMessage). */
  readonly bind: Bytes;
  readonly joinerNonce: Bytes;
  /** Opaque here, at most {@link maxJoinProfileBytes}. Not covered by the signatures. */
  readonly profile: Bytes;
  /** Signatures of the invite key and of the device over invite: joinAskMessage. */
  readonly inviteSig: Bytes;
  readonly deviceSig: Bytes;
}

const clearBytes = frameHeadBytes + inviteIdBytes;
const sealedAt = clearBytes + nonceBytes;
const contentForm: Form<JoinAsk> = fieldsOf({
  requestId: bytesOf(16),
  device: bytesOf(32),
  x25519: bytesOf(32),
  bind: bytesOf(sigBytes),
  joinerNonce: bytesOf(32),
  profile: bytesUpTo(maxJoinProfileBytes),
  inviteSig: bytesOf(sigBytes),
  deviceSig: bytesOf(sigBytes),
});
const contentLimits = { maxBytes: maxJoinProfileBytes + 384, maxDepth: 1, maxNodes: 9 };
const bounds = { minBytes: sealedAt + tagBytes + 1, maxBytes: sealedAt + tagBytes + contentLimits.maxBytes };

/** What both sides know of the invite: the room of the link, and keys derived from it (invite: inviteKeys). */
export interface JoinAskKey {
  readonly roomId: Bytes;
  readonly inviteId: Bytes;
  readonly psk: Bytes;
}

/** The whole frame: type u16 | version | 0 | inviteId 16 | nonce 24 | sealed contents. */
export function sealJoinAsk(key: JoinAskKey, ask: JoinAsk, random32: Bytes): Bytes {
  const plaintext = encodeValue(contentForm.write(ask, 'ask'), contentLimits);
  const head = createWriter(clearBytes).u16(frameTypes.joinAsk).u8(frameVersion).u8(0).bytes(key.inviteId).done();
  const aad = aadOf(key.roomId, head);
  const nonce = hedgedNonce({ key: deriveKey(key.psk, labels.nonce, ask.device), random32, aad, plaintext });
  return concatBytes(head, nonce, aeadSeal({ key: key.psk, nonce, aad, plaintext }));
}

/** The invite a JOIN_ASK names, by which its psk is found. Codes: 'join/malformed', 'frame/oversized'. */
export function joinAskInviteId(bytes: Bytes): Result<Bytes> {
  const checked = checkClearFrame(bytes, { type: frameTypes.joinAsk, ...bounds, malformed: 'join/malformed' });
  return checked.ok ? ok(copyBytes(bytes.subarray(frameHeadBytes, clearBytes))) : checked;
}

/** The contents; garbage costs one AEAD. Signatures are not checked here. Codes: those above, 'join/bad-seal'. */
export function openJoinAsk(bytes: Bytes, key: Pick<JoinAskKey, 'roomId' | 'psk'>): Result<JoinAsk> {
  const named = joinAskInviteId(bytes);
  if (!named.ok) return named;
  const plaintext = aeadOpen({
    key: key.psk,
    nonce: bytes.subarray(clearBytes, sealedAt),
    aad: aadOf(key.roomId, bytes.subarray(0, clearBytes)),
    ciphertext: bytes.subarray(sealedAt),
  });
  if (plaintext === null) return fail('join/bad-seal');
  const decoded = decodeValue(plaintext, contentLimits);
  const ask = decoded.ok ? contentForm.read(decoded.value) : undefined;
  return ask === undefined ? fail('join/malformed') : ok(ask);
}

function aadOf(roomId: Bytes, head: Uint8Array): Bytes {
  return concatBytes(labels.joinAsk, roomId, head);
}
