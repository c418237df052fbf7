import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Bytes, Result } from '../base/index.js';
import { concatBytes, createWriter } from '../base/index.js';
import { aeadSeal, deriveKey, labels, padme } from '../crypto/index.js';
import {
  decodeEnvelope,
  envelopeHeader,
  frameType,
  frameTypes,
  isSealedType,
  isSignedType,
  maxEnvelopeBodyBytes,
  maxFrameBytes,
  openEnvelope,
  sealEnvelope,
} from './index.js';
import { bytes, device, kid, otherDevice, prk, random32, roomId, stream } from './samples.kit.js';

const key = { roomId, kid, prk, sender: device };

function seal(body: Bytes, place: { type?: number; ctr?: number } = {}): Bytes {
  const header = envelopeHeader({ type: place.type ?? frameTypes.ack, kid, stream, ctr: place.ctr ?? 1 });
  return sealEnvelope(key, { header, body, random32 });
}

function open(frame: Bytes, with_: Partial<typeof key> = {}): Result<Bytes> {
  const decoded = decodeEnvelope(frame);
  return decoded.ok ? openEnvelope(decoded.value, { ...key, ...with_ }) : decoded;
}

function codeOf(result: Result<unknown>): string | null {
  return result.ok ? null : result.fault.code;
}

test('[X5] what is sealed opens again, at any length up to the largest, and fits a frame', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (body) => {
      expect(open(seal(Uint8Array.from(body)))).toEqual({ ok: true, value: Uint8Array.from(body) });
    }),
    { numRuns: 200 },
  );
  const largest = seal(bytes(maxEnvelopeBodyBytes, 3));
  expect(largest.length).toBeLessThanOrEqual(maxFrameBytes);
  expect(open(largest)).toEqual({ ok: true, value: bytes(maxEnvelopeBodyBytes, 3) });
  expect(() => seal(bytes(maxEnvelopeBodyBytes + 1, 3))).toThrow(/body.length: expected 0 to/);
}, 30_000);

test('[X5] lengths on the wire are those of PADMÉ: near lengths look alike', () => {
  const lengths = new Set(Array.from({ length: 16 }, (_, i) => seal(bytes(1005 + i, 0)).length));
  expect(lengths.size).toBeLessThanOrEqual(2);
});

test('[X5] every bit of an envelope is under the seal', () => {
  const frame = seal(bytes(10, 1));
  for (let bit = 0; bit < frame.length * 8; bit++) {
    const bad = frame.slice();
    bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(open(bad).ok, `bit ${String(bit)}`).toBe(false);
  }
}, 30_000);

test('[F15] another room, key, key id or sender opens nothing', () => {
  const frame = seal(bytes(10, 1));
  expect(codeOf(open(frame, { sender: otherDevice }))).toBe('frame/bad-seal');
  expect(codeOf(open(frame, { prk: bytes(32, 9) }))).toBe('frame/bad-seal');
  expect(codeOf(open(frame, { roomId: bytes(32, 9) }))).toBe('frame/bad-seal');
  expect(codeOf(open(frame, { kid: concatBytes(kid.slice(0, 31), bytes(1, 0)) }))).toBe('frame/bad-seal');
  expect(codeOf(open(frame, { kid: bytes(32, 9) }))).toBe('frame/unknown-key');
});

test('[X5] envelope: a table of malformed ones', () => {
  const frame = seal(bytes(10, 1));
  const changed = (at: number, value: number): Bytes => {
    const out = frame.slice();
    out[at] = value;
    return out;
  };
  expect(codeOf(decodeEnvelope(changed(2, 2)))).toBe('frame/malformed');
  expect(codeOf(decodeEnvelope(changed(3, 1)))).toBe('frame/malformed');
  expect(codeOf(decodeEnvelope(changed(26, 1)))).toBe('frame/malformed');
  expect(codeOf(decodeEnvelope(changed(27, 1)))).toBe('frame/malformed');
  expect(codeOf(decodeEnvelope(changed(0, 0x7f)))).toBe('frame/unknown-type');
  expect(codeOf(decodeEnvelope(frame.slice(0, 71)))).toBe('frame/malformed');
  expect(codeOf(decodeEnvelope(bytes(maxFrameBytes + 1, 1)))).toBe('frame/oversized');
  for (const type of [frameTypes.hello, frameTypes.fragment, frameTypes.joinAsk, frameTypes.joinAnswer, 0x0999]) {
    expect(codeOf(decodeEnvelope(seal(bytes(10, 1), { type })))).toBe('frame/unknown-type');
  }
});

test('[X5] a member who pads otherwise is refused: a body has one sealed length', () => {
  const sealRaw = (plaintext: Bytes): Bytes => {
    const header = envelopeHeader({ type: frameTypes.ack, kid, stream, ctr: 1 });
    const nonce = bytes(24, 7);
    const aad = concatBytes(labels.live, roomId, kid, device, header);
    return concatBytes(
      header,
      nonce,
      aeadSeal({ key: deriveKey(prk, labels.live, device, stream), nonce, aad, plaintext }),
    );
  };
  const withLength = (length: number, rest: Bytes): Bytes => concatBytes(createWriter(4).u32(length).done(), rest);
  const body = bytes(10, 1);
  const padding = new Uint8Array(padme(14) - 14);
  expect(open(sealRaw(concatBytes(withLength(10, body), padding)))).toEqual({ ok: true, value: body });
  const longer = new Uint8Array(padding.length + 64);
  expect(codeOf(open(sealRaw(concatBytes(withLength(10, body), longer))))).toBe('frame/malformed');
  expect(codeOf(open(sealRaw(withLength(11, body))))).toBe('frame/malformed');
  expect(codeOf(open(sealRaw(withLength(0xffffffff, body))))).toBe('frame/malformed');
  const dirty = new Uint8Array(padme(1004));
  dirty.set(withLength(1000, bytes(1000, 1)));
  expect(open(sealRaw(dirty)).ok).toBe(true);
  dirty[dirty.length - 1] = 1;
  expect(codeOf(open(sealRaw(dirty)))).toBe('frame/malformed');
});

test('[X6] which types are sealed, and which signed', () => {
  const sealed = Object.values(frameTypes).filter(isSealedType);
  const { beacon, syncReq, syncClaim, syncGrant, syncDone, ack, resume, live, error } = frameTypes;
  expect(new Set(sealed)).toEqual(new Set([beacon, syncReq, syncClaim, syncGrant, syncDone, ack, resume, live, error]));
  const signed = Object.values(frameTypes).filter(isSignedType);
  expect(new Set(signed)).toEqual(new Set([beacon, syncReq, syncClaim, syncGrant, syncDone, ack, resume]));
  expect(frameType(seal(bytes(1, 1)))).toBe(frameTypes.ack);
  expect(frameType(bytes(3, 0))).toBe(null);
});
