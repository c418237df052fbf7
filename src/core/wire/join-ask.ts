import type { Bytes, Result } from '../base/index.js';
import { concatBytes, copyBytes, createWriter, fail, ok } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { asArray, asBytes, asBytesUpTo, decodeValue, encodeValue } from '../codec/index.js';
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
const contentFields = 8;
const contentLimits = { maxBytes: maxJoinProfileBytes + 384, maxDepth: 1, maxNodes: 1 + contentFields };
const bounds = { minBytes: sealedAt + tagBytes + 1, maxBytes: sealedAt + tagBytes + contentLimits.maxBytes };

/** What both sides know of the invite: the room of the link, and keys derived from it (invite: inviteKeys). */
export interface JoinAskKey {
  readonly roomId: Bytes;
  readonly inviteId: Bytes;
  readonly psk: Bytes;
}

/** The whole frame: type u16 | version | 0 | inviteId 16 | nonce 24 | sealed contents. */
export function sealJoinAsk(key: JoinAskKey, ask: JoinAsk, random32: Bytes): Bytes {
  const { requestId, device, x25519, bind, joinerNonce, profile, inviteSig, deviceSig } = ask;
  const contents = [requestId, device, x25519, bind, joinerNonce, profile, inviteSig, deviceSig];
  const plaintext = encodeValue(contents, contentLimits);
  const head = createWriter(clearBytes).u16(frameTypes.joinAsk).u8(frameVersion).u8(0).bytes(key.inviteId).done();
  const aad = aadOf(key.roomId, head);
  const nonce = hedgedNonce({ key: deriveKey(key.psk, labels.nonce, device), random32, aad, plaintext });
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
  const ask = decoded.ok ? readAsk(decoded.value) : null;
  return ask === null ? fail('join/malformed') : ok(ask);
}

function aadOf(roomId: Bytes, head: Uint8Array): Bytes {
  return concatBytes(labels.joinAsk, roomId, head);
}

function readAsk(value: Value): JoinAsk | null {
  const fields = asArray(value, contentFields);
  if (fields === null) return null;
  const [requestId, device, x25519] = [asBytes(fields[0], 16), asBytes(fields[1], 32), asBytes(fields[2], 32)];
  const [bind, joinerNonce] = [asBytes(fields[3], sigBytes), asBytes(fields[4], 32)];
  const profile = asBytesUpTo(fields[5], maxJoinProfileBytes);
  const [inviteSig, deviceSig] = [asBytes(fields[6], sigBytes), asBytes(fields[7], sigBytes)];
  if (requestId === null || device === null || x25519 === null || bind === null || joinerNonce === null) return null;
  if (profile === null || inviteSig === null || deviceSig === null) return null;
  return { requestId, device, x25519, bind, joinerNonce, profile, inviteSig, deviceSig };
}
