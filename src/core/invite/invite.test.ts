import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Bytes } from '../base/index.js';
import { concatBytes, toBase64Url, toHex } from '../base/index.js';
import { ed25519PublicKey, sha256 } from '../crypto/index.js';
import { wireVectors } from '../wire/vectors.kit.js';
import { decodeInviteCode, encodeInviteCode, inviteKeys, joinAskMessage, placeBytes } from './index.js';

function bytes(length: number, first: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => first + i);
}

const code = { roomId: bytes(32, 0x10), secret: bytes(16, 0x61) };
const text = wireVectors.inviteCode;

test('[X9] link: vector of an independent implementation, both ways', () => {
  expect(encodeInviteCode(code)).toBe(text);
  expect(decodeInviteCode(text)).toEqual({ ok: true, value: code });
});

test('[X9] keys of a link: vectors of an independent implementation', () => {
  const { inviteId, seed, psk } = inviteKeys(code);
  const publicKey = ed25519PublicKey(seed);
  expect([inviteId, seed, publicKey, psk].map(toHex)).toEqual([
    wireVectors.inviteId,
    wireVectors.inviteSeed,
    wireVectors.invitePublic,
    wireVectors.psk,
  ]);
  expect(inviteKeys({ ...code, roomId: bytes(32, 0x11) }).psk).not.toEqual(psk);
});

test('[X9] a code is read from whatever people paste', () => {
  const pasted = [
    `https://example.com/call#keeproom=${text}`,
    `https://example.com/call?x=1#room=7&keeproom=${text}&y=2`,
    `  #keeproom=${text}\n`,
    `keeproom=${text}`,
    `Join us: https://example.com/#keeproom=${text}.`,
    `<https://example.com/#keeproom=${text}>`,
    ` ${text} `,
  ];
  for (const one of pasted) expect(decodeInviteCode(one), one).toEqual({ ok: true, value: code });
});

test('[X9] everything else is malformed, and the fault does not repeat the secret', () => {
  const swapped = text.slice(0, 60) + (text.at(60) === 'A' ? 'B' : 'A') + text.slice(61);
  const cases = [
    '',
    'https://example.com/',
    '#keeproom=',
    text.slice(1),
    text.slice(0, -1),
    `${text}A`,
    `#keeproom=${text}A`,
    `#notkeeproom=${text}`,
    `?keeproom=${text}`,
    text.replace('A', '+'),
    swapped,
    'x'.repeat(100_000),
    `${'#keeproom='.repeat(800)}${text}${'A'.repeat(300)}`,
  ];
  for (const one of cases) {
    const result = decodeInviteCode(one);
    expect(result.ok ? 'accepted' : result.fault.code, one.slice(0, 100)).toBe('join/malformed');
    expect(JSON.stringify(result)).not.toContain(text.slice(45, 60));
  }
});

test('[X9] a code of another version is not read, though its check is right', () => {
  const body = concatBytes(Uint8Array.of(2), code.roomId, code.secret);
  const other = toBase64Url(concatBytes(body, sha256(body).slice(0, 4)));
  const result = decodeInviteCode(other);
  expect(result.ok ? null : result.fault).toEqual({
    code: 'join/malformed',
    detail: 'the invite code is of an unknown version',
  });
});

test('[X9] any link survives; any one changed character does not', () => {
  const part = (length: number): fc.Arbitrary<Bytes> =>
    fc.uint8Array({ minLength: length, maxLength: length }).map((one) => Uint8Array.from(one));
  fc.assert(
    fc.property(part(32), part(16), fc.nat(70), fc.nat(62), (roomId, secret, at, shift) => {
      const link = encodeInviteCode({ roomId, secret });
      expect(decodeInviteCode(link)).toEqual({ ok: true, value: { roomId, secret } });
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const other = alphabet[(alphabet.indexOf(link.charAt(at)) + 1 + shift) % 64] ?? '';
      expect(decodeInviteCode(link.slice(0, at) + other + link.slice(at + 1)).ok).toBe(false);
    }),
    { numRuns: 300 },
  );
  expect(() => encodeInviteCode({ ...code, secret: bytes(15, 0) })).toThrow(/secret: expected 16/);
  expect(() => encodeInviteCode({ ...code, roomId: bytes(31, 0) })).toThrow(/roomId: expected 32/);
});

test('[X9] every part of a proof is in what is signed, and two texts cannot be cut elsewhere', () => {
  const proof = {
    roomId: bytes(32, 1),
    inviteId: bytes(16, 2),
    requestId: bytes(16, 3),
    device: bytes(32, 4),
    x25519: bytes(32, 5),
    joinerNonce: bytes(32, 6),
    transportType: 'livekit',
    address: 'zoë',
  };
  const messages = new Set([toHex(joinAskMessage(proof))]);
  for (const name of ['roomId', 'inviteId', 'requestId', 'device', 'x25519', 'joinerNonce'] as const) {
    const changed = proof[name].slice();
    changed[7] = (changed[7] ?? 0) ^ 1;
    messages.add(toHex(joinAskMessage({ ...proof, [name]: changed })));
  }
  messages.add(toHex(joinAskMessage({ ...proof, transportType: 'livekitz', address: 'oë' })));
  messages.add(toHex(joinAskMessage({ ...proof, address: 'zoe' })));
  expect(messages.size).toBe(9);
  expect(() => placeBytes('livekit', '\ud800')).toThrow(TypeError);
  expect(() => placeBytes('livekit', 'x'.repeat(65_536))).toThrow(/address: expected 0 to 65535/);
});
