import { expect, test } from 'vitest';
import type { Bytes, Result } from '../base/index.js';
import { concatBytes } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { encodeValue } from '../codec/index.js';
import { aeadSeal, deriveKey, hkdfExtract, labels, sha256 } from '../crypto/index.js';
import type { JoinAnswer, JoinAsk, SealedJoinAnswer } from './index.js';
import {
  decodeJoinAnswer,
  joinAskInviteId,
  joinStatuses,
  maxJoinProfileBytes,
  openJoinAnswer,
  openJoinAsk,
  sealJoinAnswer,
  sealJoinAsk,
} from './index.js';
import { bytes, device, otherDevice, random32, roomId } from './samples.kit.js';

const askKey = { roomId, inviteId: bytes(16, 0x61), psk: bytes(32, 0x62) };
const ask: JoinAsk = {
  requestId: bytes(16, 1),
  device,
  x25519: bytes(32, 2),
  bind: bytes(64, 3),
  joinerNonce: bytes(32, 4),
  profile: encodeValue({ name: 'Zoë' }),
  inviteSig: bytes(64, 5),
  deviceSig: bytes(64, 6),
};
const askFrame = sealJoinAsk(askKey, ask, random32);
const answerKey = { roomId, askHash: sha256(askFrame), psk: askKey.psk, shared: bytes(32, 7) };
const granted: JoinAnswer = { status: 'granted', grantId: bytes(32, 8), kid: bytes(32, 9), key: bytes(32, 10) };

function answerFrame(answer: JoinAnswer, key = answerKey): Bytes {
  const unsigned = sealJoinAnswer(key, { ephemeral: bytes(32, 11), admitter: otherDevice, answer, random32 });
  return concatBytes(unsigned, bytes(64, 12));
}

function sealedOf(frame: Bytes): SealedJoinAnswer {
  const decoded = decodeJoinAnswer(frame);
  if (!decoded.ok) throw new TypeError(decoded.fault.detail);
  return decoded.value;
}

function codeOf(result: Result<unknown>): string | null {
  return result.ok ? null : result.fault.code;
}

test('[X9] JOIN_ASK: every bit counts, every truncation is typed', () => {
  for (let bit = 0; bit < askFrame.length * 8; bit += 7) {
    const bad = askFrame.slice();
    bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(openJoinAsk(bad, askKey).ok, `bit ${String(bit)}`).toBe(false);
  }
  for (let length = 0; length < askFrame.length; length++) {
    const code = codeOf(openJoinAsk(askFrame.slice(0, length), askKey));
    expect(code).toBe(length < 61 ? 'join/malformed' : 'join/bad-seal');
  }
  expect(codeOf(openJoinAsk(bytes(15_001, 0), askKey))).toBe('frame/oversized');
  expect(codeOf(joinAskInviteId(concatBytes(askFrame, new Uint8Array(3000))))).toBe('join/malformed');
});

test('[X9] JOIN_ASK: another link or room opens nothing, the largest profile fits', () => {
  expect(codeOf(openJoinAsk(askFrame, { ...askKey, psk: bytes(32, 1) }))).toBe('join/bad-seal');
  expect(codeOf(openJoinAsk(askFrame, { ...askKey, roomId: bytes(32, 1) }))).toBe('join/bad-seal');
  const largest = { ...ask, profile: bytes(maxJoinProfileBytes, 0) };
  expect(openJoinAsk(sealJoinAsk(askKey, largest, random32), askKey)).toEqual({ ok: true, value: largest });
  const bad = sealJoinAsk(askKey, { ...ask, profile: bytes(maxJoinProfileBytes + 1, 0) }, random32);
  expect(codeOf(openJoinAsk(bad, askKey))).toBe('join/malformed');
});

test('[X9] JOIN_ASK: contents of another form, from somebody with the link', () => {
  const fields: Value[] = [
    ask.requestId,
    ask.device,
    ask.x25519,
    ask.bind,
    ask.joinerNonce,
    ask.profile,
    ask.inviteSig,
    ask.deviceSig,
  ];
  const head = askFrame.slice(0, 20);
  const nonce = bytes(24, 1);
  const aad = concatBytes(labels.joinAsk, roomId, head);
  const frameOf = (plaintext: Bytes): Bytes =>
    concatBytes(head, nonce, aeadSeal({ key: askKey.psk, nonce, aad, plaintext }));
  expect(openJoinAsk(frameOf(encodeValue(fields)), askKey).ok).toBe(true);
  const others = [fields.slice(1), [...fields, null], null, {}, 'x'];
  for (let i = 0; i < fields.length; i++) {
    others.push(
      fields.with(i, null),
      fields.with(i, bytes(17, 0).subarray(0, i === 5 ? 0 : 17)),
      fields.with(i, 'text'),
    );
  }
  const codes = others.map((value) => codeOf(openJoinAsk(frameOf(encodeValue(value)), askKey)));
  // An empty profile is the one change that is still a request.
  expect(codes.filter((code) => code === null)).toHaveLength(1);
  expect(codes.filter((code) => code === 'join/malformed')).toHaveLength(others.length - 1);
  expect(codeOf(openJoinAsk(frameOf(bytes(40, 0xc1)), askKey))).toBe('join/malformed');
});

test('[X9] JOIN_ANSWER: every status, and only the one who asked reads it', () => {
  for (const status of joinStatuses) {
    const answer: JoinAnswer = status === 'granted' ? granted : { status };
    expect(openJoinAnswer(sealedOf(answerFrame(answer)), answerKey)).toEqual({ ok: true, value: answer });
  }
  const sealed = sealedOf(answerFrame(granted));
  for (const other of [
    { ...answerKey, shared: bytes(32, 1) },
    { ...answerKey, psk: bytes(32, 1) },
    { ...answerKey, askHash: bytes(32, 1) },
    { ...answerKey, roomId: bytes(32, 1) },
  ]) {
    expect(codeOf(openJoinAnswer(sealed, other))).toBe('join/bad-seal');
  }
});

test('[X9] JOIN_ANSWER: nobody puts another admitter’s answer under a name of its own', () => {
  const frame = answerFrame(granted);
  const stolen = frame.slice();
  stolen.set(device, frame.length - 96);
  expect(codeOf(openJoinAnswer(sealedOf(stolen), answerKey))).toBe('join/bad-seal');
});

test('[X9] JOIN_ANSWER: malformed frames and contents', () => {
  const frame = answerFrame(granted);
  for (let length = 0; length < 173; length++)
    expect(codeOf(decodeJoinAnswer(frame.slice(0, length)))).toBe('join/malformed');
  expect(codeOf(decodeJoinAnswer(bytes(15_001, 0)))).toBe('frame/oversized');
  expect(codeOf(decodeJoinAnswer(concatBytes(frame, bytes(200, 0))))).toBe('join/malformed');
  expect(codeOf(decodeJoinAnswer(concatBytes(bytes(2, 0), frame.slice(2))))).toBe('join/malformed');
  const id = bytes(32, 8);
  const contents: Value[] = [
    [0, null, null, null],
    [0, id, id, null],
    [1, id, null, null],
    [5, null, null, id],
    [6, null, null, null],
    [0, id, id],
    [0, id, id, bytes(31, 0)],
    ['granted', id, id, id],
    null,
  ];
  const prk = hkdfExtract(answerKey.askHash, concatBytes(answerKey.shared, answerKey.psk));
  const head = frame.slice(0, 36);
  const nonce = bytes(24, 1);
  const aad = concatBytes(labels.joinAnswer, roomId, answerKey.askHash, otherDevice, head);
  for (const value of contents) {
    const plaintext = encodeValue(value);
    const sealed = aeadSeal({ key: deriveKey(prk, labels.joinAnswer), nonce, aad, plaintext });
    const bad = concatBytes(head, nonce, sealed, otherDevice, bytes(64, 1));
    expect(codeOf(openJoinAnswer(sealedOf(bad), answerKey)), JSON.stringify(value)).toBe('join/malformed');
  }
});
