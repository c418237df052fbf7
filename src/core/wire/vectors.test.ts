import { expect, test } from 'vitest';
import { concatBytes, toHex } from '../base/index.js';
import { encodeValue } from '../codec/index.js';
import { sha256, signEd25519, verifyStrict } from '../crypto/index.js';
import { joinAnswerMessage, joinAskMessage } from '../invite/index.js';
import {
  decodeEnvelope,
  decodeHello,
  decodeJoinAnswer,
  encodeHello,
  envelopeHeader,
  frameSignedBytes,
  frameTypes,
  helloSignedBytes,
  joinAskInviteId,
  joinSigned,
  openEnvelope,
  openJoinAnswer,
  openJoinAsk,
  roomTagOf,
  sealEnvelope,
  sealJoinAnswer,
  sealJoinAsk,
} from './index.js';
import * as sample from './samples.kit.js';
import { wireVectors } from './vectors.kit.js';

const { bytes, hex } = sample;

test('[X4] HELLO: vector of the frame, of what is signed, and of the room tag', () => {
  expect(toHex(roomTagOf(sample.roomId))).toBe(wireVectors.roomTag);
  const unsigned = encodeHello(sample.hello);
  expect(toHex(unsigned)).toBe(wireVectors.helloUnsigned);
  const place = { roomId: sample.roomId, transportType: 'livekit', address: 'zoë' };
  const message = helloSignedBytes({ ...place, unsigned });
  expect(toHex(message)).toBe(wireVectors.helloSigned);
  expect(toHex(signEd25519(bytes(32, 1), message))).toBe(wireVectors.helloSig);
  const frame = joinSigned(unsigned, hex(wireVectors.helloSig));
  const decoded = decodeHello(frame);
  expect(decoded).toEqual({ ok: true, value: { hello: sample.hello, unsigned, sig: hex(wireVectors.helloSig) } });
});

test('[X4] a HELLO signed at one place says nothing at another', () => {
  const unsigned = hex(wireVectors.helloUnsigned);
  const verify = (transportType: string, address: string): boolean =>
    verifyStrict(
      sample.device,
      helloSignedBytes({ roomId: sample.roomId, transportType, address, unsigned }),
      hex(wireVectors.helloSig),
    );
  expect(verify('livekit', 'zoë')).toBe(true);
  expect(verify('livekit', 'zo')).toBe(false);
  expect(verify('livekitz', 'oë')).toBe(false);
  expect(verify('memory', 'zoë')).toBe(false);
});

test.each(sample.samples.map((one) => [one.name, one] as const))('[X6] %s: vector, both ways', (name, one) => {
  expect(toHex(one.encoded())).toBe(wireVectors[name]);
  expect(one.decode(hex(wireVectors[name]))).toEqual({ ok: true, value: one.value });
});

test('[X5] envelope: vector of the whole frame and of what a signed frame signs', () => {
  const key = { roomId: sample.roomId, kid: sample.kid, prk: sample.prk, sender: sample.device };
  const header = envelopeHeader({ type: frameTypes.syncReq, kid: sample.kid, stream: sample.stream, ctr: 258 });
  const body = bytes(40, 5);
  expect(toHex(sealEnvelope(key, { header, body, random32: sample.random32 }))).toBe(wireVectors.envelope);
  expect(toHex(frameSignedBytes({ roomId: sample.roomId, header, message: body }))).toBe(wireVectors.frameSigned);
  const decoded = decodeEnvelope(hex(wireVectors.envelope));
  if (!decoded.ok) expect.fail(decoded.fault.detail);
  const { type, kidTag, stream, ctr } = decoded.value;
  expect({ type, kidTag, stream, ctr }).toEqual({
    type: 0x0102,
    kidTag: bytes(8, 0x30),
    stream: sample.stream,
    ctr: 258,
  });
  expect(decoded.value.header).toEqual(header);
  expect(openEnvelope(decoded.value, key)).toEqual({ ok: true, value: body });
});

const ask = {
  requestId: bytes(16, 0x81),
  device: sample.device,
  x25519: hex(wireVectors.joinerX25519),
  bind: bytes(64, 0x13),
  joinerNonce: bytes(32, 0x41),
  profile: encodeValue({ name: 'Zoë' }),
  inviteSig: hex(wireVectors.inviteSig),
  deviceSig: hex(wireVectors.deviceSig),
};
const askKey = { roomId: sample.roomId, inviteId: hex(wireVectors.inviteId), psk: hex(wireVectors.psk) };

test('[X9] JOIN_ASK: vector, both ways, and its signatures', () => {
  const frame = sealJoinAsk(askKey, ask, sample.random32);
  expect(toHex(frame)).toBe(wireVectors.joinAsk);
  expect(joinAskInviteId(frame)).toEqual({ ok: true, value: askKey.inviteId });
  expect(openJoinAsk(frame, askKey)).toEqual({ ok: true, value: ask });
  const message = joinAskMessage({ ...askKey, ...ask, transportType: 'livekit', address: 'zoë' });
  expect(toHex(message)).toBe(wireVectors.joinAskMessage);
  expect(verifyStrict(hex(wireVectors.invitePublic), message, ask.inviteSig)).toBe(true);
  expect(verifyStrict(ask.device, message, ask.deviceSig)).toBe(true);
});

test('[X9] JOIN_ANSWER: vector, both ways, and what the admitter signs', () => {
  const askHash = sha256(hex(wireVectors.joinAsk));
  const key = { roomId: sample.roomId, askHash, psk: askKey.psk, shared: hex(wireVectors.shared) };
  const ephemeral = hex(wireVectors.ephemeral);
  const answer = { status: 'granted', grantId: bytes(32, 0x51), kid: sample.kid, key: bytes(32, 0x52) } as const;
  const admitter = sample.otherDevice;
  const unsigned = sealJoinAnswer(key, { ephemeral, admitter, answer, random32: sample.random32 });
  expect(toHex(unsigned)).toBe(wireVectors.joinAnswer);
  const message = joinAnswerMessage({ roomId: sample.roomId, askHash, unsigned });
  expect(toHex(message)).toBe(wireVectors.joinAnswerMessage);
  const sig = bytes(64, 9);
  const decoded = decodeJoinAnswer(concatBytes(unsigned, sig));
  expect(decoded).toEqual({ ok: true, value: { ephemeral, admitter, unsigned, sig } });
  if (decoded.ok) expect(openJoinAnswer(decoded.value, key)).toEqual({ ok: true, value: answer });
});
