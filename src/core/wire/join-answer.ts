import type { Bytes, Result } from '../base/index.js';
import { concatBytes, copyBytes, createWriter, fail, ok } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { asArray, asBytes, asUint, decodeValue, encodeValue } from '../codec/index.js';
import {
  aeadOpen,
  aeadSeal,
  deriveKey,
  hedgedNonce,
  hkdfExtract,
  labels,
  nonceBytes,
  tagBytes,
} from '../crypto/index.js';
import { checkClearFrame, frameHeadBytes, frameTypes, frameVersion, sigBytes } from './frame.js';

/** Answers to a request to join; the index is what travels. */
export const joinStatuses = ['granted', 'expired', 'used', 'revoked', 'declined', 'busy'] as const;

/** One of {@link joinStatuses}. */
export type JoinStatus = (typeof joinStatuses)[number];

/** What an admitter says to a joiner (0x0502, X9). `key` is the epoch key of `kid`: with it the control sync is read. */
export type JoinAnswer =
  | { readonly status: 'granted'; readonly grantId: Bytes; readonly kid: Bytes; readonly key: Bytes }
  | { readonly status: Exclude<JoinStatus, 'granted'> };

/** What both sides know of one answer. */
export interface JoinAnswerKey {
  readonly roomId: Bytes;
  /** SHA-256 of the whole JOIN_ASK frame. */
  readonly askHash: Bytes;
  readonly psk: Bytes;
  /** X25519 of the admitter's ephemeral key and the joiner's key. */
  readonly shared: Bytes;
}

/** An answer taken apart, still sealed; views alias the frame. */
export interface SealedJoinAnswer {
  /** The admitter's ephemeral X25519 key. */
  readonly ephemeral: Bytes;
  readonly admitter: Bytes;
  /** All before the signature, which covers it by invite: joinAnswerMessage. */
  readonly unsigned: Bytes;
  readonly sig: Bytes;
}

const nonceAt = frameHeadBytes + 32;
const sealedAt = nonceAt + nonceBytes;
const tailBytes = 32 + sigBytes;
const contentFields = 4;
const contentLimits = { maxBytes: 128, maxDepth: 1, maxNodes: 1 + contentFields };
const bounds = {
  minBytes: sealedAt + tagBytes + 1 + tailBytes,
  maxBytes: sealedAt + tagBytes + contentLimits.maxBytes + tailBytes,
};

/** The frame up to the signature: type u16 | version | 0 | ephemeral 32 | nonce 24 | sealed contents | admitter 32. */
export function sealJoinAnswer(
  key: JoinAnswerKey,
  o: { readonly ephemeral: Bytes; readonly admitter: Bytes; readonly answer: JoinAnswer; readonly random32: Bytes },
): Bytes {
  const plaintext = encodeValue(contentsOf(o.answer), contentLimits);
  const head = createWriter(nonceAt).u16(frameTypes.joinAnswer).u8(frameVersion).u8(0).bytes(o.ephemeral).done();
  const aad = aadOf(key, o.admitter, head);
  const prk = prkOf(key);
  const nonceKey = deriveKey(prk, labels.nonce, o.admitter);
  const nonce = hedgedNonce({ key: nonceKey, random32: o.random32, aad, plaintext });
  const sealed = aeadSeal({ key: deriveKey(prk, labels.joinAnswer), nonce, aad, plaintext });
  return concatBytes(head, nonce, sealed, o.admitter);
}

/** Codes: 'join/malformed', 'frame/oversized'. */
export function decodeJoinAnswer(bytes: Bytes): Result<SealedJoinAnswer> {
  const checked = checkClearFrame(bytes, { type: frameTypes.joinAnswer, ...bounds, malformed: 'join/malformed' });
  if (!checked.ok) return checked;
  const unsigned = bytes.subarray(0, bytes.length - sigBytes);
  return ok({
    ephemeral: copyBytes(bytes.subarray(frameHeadBytes, nonceAt)),
    admitter: copyBytes(unsigned.subarray(unsigned.length - 32)),
    unsigned,
    sig: bytes.subarray(unsigned.length),
  });
}

/**
 * The contents. What a link holder can make opens too: the joiner still checks the signature, and that the admitter may admit.
 * Codes: 'join/bad-seal', 'join/malformed'.
 */
export function openJoinAnswer(sealed: SealedJoinAnswer, key: JoinAnswerKey): Result<JoinAnswer> {
  const plaintext = aeadOpen({
    key: deriveKey(prkOf(key), labels.joinAnswer),
    nonce: sealed.unsigned.subarray(nonceAt, sealedAt),
    aad: aadOf(key, sealed.admitter, sealed.unsigned.subarray(0, nonceAt)),
    ciphertext: sealed.unsigned.subarray(sealedAt, sealed.unsigned.length - 32),
  });
  if (plaintext === null) return fail('join/bad-seal');
  const decoded = decodeValue(plaintext, contentLimits);
  const answer = decoded.ok ? readAnswer(decoded.value) : null;
  return answer === null ? fail('join/malformed') : ok(answer);
}

function prkOf({ askHash, shared, psk }: JoinAnswerKey): Bytes {
  return hkdfExtract(askHash, concatBytes(shared, psk));
}

/** The admitter is in it, so that nobody can put another's sealed answer under a name of its own. */
function aadOf({ roomId, askHash }: JoinAnswerKey, admitter: Bytes, head: Uint8Array): Bytes {
  return concatBytes(labels.joinAnswer, roomId, askHash, admitter, head);
}

function contentsOf(answer: JoinAnswer): Value {
  const status = joinStatuses.indexOf(answer.status);
  return answer.status === 'granted' ? [status, answer.grantId, answer.kid, answer.key] : [status, null, null, null];
}

function readAnswer(value: Value): JoinAnswer | null {
  const fields = asArray(value, contentFields);
  const status = joinStatuses[asUint(fields?.[0], joinStatuses.length - 1) ?? joinStatuses.length];
  if (fields === null || status === undefined) return null;
  if (status !== 'granted') return fields.slice(1).every((field) => field === null) ? { status } : null;
  const [grantId, kid, key] = [asBytes(fields[1], 32), asBytes(fields[2], 32), asBytes(fields[3], 32)];
  return grantId === null || kid === null || key === null ? null : { status, grantId, kid, key };
}
