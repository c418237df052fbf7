import { expect, test } from 'vitest';
import type { Bytes, FaultCode, Result } from '../base/index.js';
import { concatBytes, createWriter } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { decodeValue, encodeValue } from '../codec/index.js';
import { decodeFragment, decodeHello, decodeLive, encodeHello, joinSigned, splitSigned } from './index.js';
import type { Sample } from './samples.kit.js';
import { boot, bytes, controlDomain, dataDomain, hello, hex, otherDevice, reqId, samples } from './samples.kit.js';
import { wireVectors } from './vectors.kit.js';

function codeOf(result: Result<unknown>): FaultCode | null {
  return result.ok ? null : result.fault.code;
}

function sampleOf(name: Sample['name']): Sample {
  const found = samples.find((one) => one.name === name);
  if (found === undefined) throw new TypeError(`no sample ${name}`);
  return found;
}

/** The vector's message with one field (a path of indices) replaced. */
function withField(name: Sample['name'], path: readonly number[], field: Value): Bytes {
  const decoded = decodeValue(hex(wireVectors[name]));
  if (!decoded.ok) throw new TypeError(name);
  return encodeValue(replaceAt(decoded.value, path, field));
}

function replaceAt(value: Value, path: readonly number[], field: Value): Value {
  const [first, ...rest] = path;
  if (first === undefined) return field;
  if (!Array.isArray(value)) throw new TypeError('no list at this path');
  return value.map((item: Value, i) => (i === first ? replaceAt(item, rest, field) : item));
}

const oneHead = [dataDomain, 1, bytes(32, 1), bytes(64, 1), boot];
const fields: readonly (readonly [Sample['name'], readonly number[], Value, string])[] = [
  ['beacon', [0], null, 'domains missing'],
  ['beacon', [0, 0, 0], bytes(31, 0), 'short domain'],
  ['beacon', [0, 1, 0], controlDomain, 'one domain twice'],
  ['beacon', [0, 0, 0], bytes(32, 0x21), 'domains not ascending'],
  ['beacon', [0, 0, 2], -1, 'negative count'],
  ['beacon', [0, 0, 2], 2 ** 48, 'count above u48'],
  ['beacon', [1], 4, 'unknown flag'],
  ['beacon', [0], Array.from({ length: 181 }, () => [controlDomain, bytes(32, 1), 1]), 'too many domains'],
  ['syncReq', [0], bytes(15, 0), 'short request id'],
  ['syncReq', [1], 256, 'attempt above u8'],
  ['syncReq', [2], 0, 'wants nothing'],
  ['syncReq', [2], 9, 'wants too many'],
  ['syncReq', [3], false, 'prefer is no device'],
  ['syncReq', [4], Array.from({ length: 9 }, () => otherDevice), 'excludes too many'],
  ['syncReq', [5], 0, 'controlOnly is no boolean'],
  ['syncReq', [6], 1, 'transfer is no base'],
  ['syncReq', [6], 2 ** 32, 'transfer above u32'],
  ['syncReq', [7, 1, 0], controlDomain, 'one domain twice'],
  ['syncReq', [7, 0, 3, 0, 0], bytes(15, 0), 'short author'],
  ['syncReq', [7, 0, 3, 0, 1], 0, 'an author without entries'],
  ['syncReq', [7, 0, 3, 0, 2], bytes(9, 0), 'long head'],
  ['syncReq', [7, 0, 4], bytes(17, 0), 'window is no prefix'],
  ['syncReq', [7, 0], [controlDomain, bytes(32, 1), 3, [], null], 'a field missing in a domain'],
  ['syncReq', [8, 0, 2], 'x', 'held seq is no number'],
  ['syncClaim', [1], bytes(33, 0), 'long requester'],
  ['syncClaim', [2], 256, 'coverage above u8'],
  ['syncClaim', [3], null, 'entries missing'],
  ['syncGrant', [2], 7, 'transfer is no base'],
  ['syncGrant', [3, 0, 3], 10, 'empty range'],
  ['syncGrant', [3], Array.from({ length: 97 }, () => [dataDomain, otherDevice, 0, 1]), 'too many ranges'],
  ['syncGrant', [4], null, 'floors missing'],
  ['syncGrant', [4], Array.from({ length: 65 }, () => [dataDomain, otherDevice, 0]), 'too many floors'],
  ['syncDone', [2], 65_537, 'more packs than a grant carries'],
  ['syncDone', [4], 1, 'complete is no boolean'],
  ['syncDone', [5, 1, 0], controlDomain, 'one domain twice'],
  ['ack', [0, 0, 3], null, 'head id missing'],
  ['ack', [0], Array.from({ length: 121 }, () => [dataDomain, otherDevice, 0, otherDevice]), 'too many heads'],
  ['ack', [1, 0], -1, 'negative transfer'],
  ['ack', [1], Array.from({ length: 65 }, () => 0), 'too many transfers'],
  ['resume', [0], null, 'no addressee'],
  ['resume', [1], bytes(8, 0), 'short session'],
  ['resume', [2], [oneHead, oneHead], 'one domain twice'],
  ['resume', [2, 0, 3], bytes(63, 0), 'short signature'],
  ['resume', [2, 0, 4], bytes(9, 0), 'long boot'],
  ['syncError', [0], 'no code', 'not a code'],
  ['syncError', [0], 'Frame/bad', 'not a code'],
  ['syncError', [0], `a/${'b'.repeat(50)}`, 'long code'],
  ['syncError', [1], reqId.slice(1), 'short request id'],
  ['syncError', [2], 3_600_001, 'waits too long'],
];

test.each(fields)('[X6] %s with field %j = …: frame/malformed (%#)', (name, path, field, why) => {
  expect(codeOf(sampleOf(name).decode(withField(name, path, field))), why).toBe('frame/malformed');
});

test.each(samples.map((one) => [one.name, one] as const))('[X6] %s: every truncation and a longer one', (name, one) => {
  const whole = hex(wireVectors[name]);
  const isOpaqueAtEnd = name === 'live' || name === 'fragment';
  const shortest = name === 'live' ? 105 : 13;
  for (let length = 0; length < (isOpaqueAtEnd ? shortest : whole.length); length++) {
    expect(codeOf(one.decode(whole.slice(0, length))), String(length)).toBe('frame/malformed');
  }
  if (!isOpaqueAtEnd) expect(codeOf(one.decode(concatBytes(whole, bytes(1, 0))))).toBe('frame/malformed');
});

test.each(samples.map((one) => [one.name, one] as const))('[X6] %s: another type in its place', (_, one) => {
  for (const value of [null, 0, 'text', {}, [], [[]], bytes(100, 0)]) {
    expect(codeOf(one.decode(encodeValue(value)))).toBe('frame/malformed');
  }
});

const signedHello = joinSigned(encodeHello(hello), bytes(64, 1));

function helloWith(at: number, ...values: number[]): Bytes {
  const out = signedHello.slice();
  out.set(values, at);
  return out;
}

test('[X4] HELLO: a table of malformed ones', () => {
  const capsAt = 99 + 16 + 2;
  const withCaps = (caps: Bytes): Bytes =>
    concatBytes(signedHello.slice(0, capsAt - 2), createWriter(2).u16(caps.length).done(), caps, bytes(16 + 64, 1));
  const deep = encodeValue({ a: [[[[1]]]] });
  const cases: readonly (readonly [string, Bytes, FaultCode])[] = [
    ['empty', bytes(0, 0), 'hello/malformed'],
    ['other type', helloWith(0, 1, 1), 'hello/malformed'],
    ['other version', helloWith(2, 2), 'hello/malformed'],
    ['flag set', helloWith(3, 1), 'hello/malformed'],
    ['five key tags', helloWith(98, 5), 'hello/malformed'],
    ['255 key tags', helloWith(98, 255), 'hello/malformed'],
    ['one key tag less than counted', helloWith(98, 1), 'hello/malformed'],
    ['capabilities longer than the frame', helloWith(capsAt - 2, 255, 255), 'hello/malformed'],
    ['a question with a sum', helloWith(60, ...new Uint8Array(16)), 'hello/malformed'],
    ['an answer without a sum', concatBytes(signedHello.slice(0, -80), bytes(64, 1)), 'hello/malformed'],
    ['one byte cut', signedHello.slice(0, -1), 'hello/malformed'],
    ['one byte more', concatBytes(signedHello, bytes(1, 0)), 'hello/malformed'],
    ['capabilities are a list', withCaps(encodeValue([])), 'hello/malformed'],
    ['capabilities are garbage', withCaps(bytes(9, 0xc1)), 'hello/malformed'],
    ['no capabilities', withCaps(bytes(0, 0)), 'hello/malformed'],
    ['capabilities nested deep', withCaps(deep), 'hello/malformed'],
    ['capabilities above 1 KiB', withCaps(encodeValue({ a: bytes(1025, 0) })), 'hello/malformed'],
    ['longer than any frame', bytes(15_001, 0), 'frame/oversized'],
  ];
  for (const [name, frame, code] of cases) expect(codeOf(decodeHello(frame)), name).toBe(code);
  for (let length = 0; length < signedHello.length; length++) {
    expect(codeOf(decodeHello(signedHello.slice(0, length))), String(length)).toBe('hello/malformed');
  }
  expect(decodeHello(withCaps(encodeValue({}))).ok).toBe(true);
});

test('[X4] [SYN-5] a question has no sum, and an answer may say nothing by it', () => {
  const read = (one: Partial<typeof hello>): unknown => {
    const decoded = decodeHello(joinSigned(encodeHello({ ...hello, ...one }), bytes(64, 1)));
    return decoded.ok ? [decoded.value.hello.sum, decoded.value.unsigned.length] : decoded.fault.code;
  };
  const answerBytes = encodeHello(hello).length;
  expect(read({})).toEqual([hello.sum, answerBytes]);
  expect(read({ sum: null })).toEqual([null, answerBytes]);
  expect(read({ echo: new Uint8Array(16) })).toEqual([null, answerBytes - 16]);
});

test('[X4] a HELLO that has no form throws at its maker', () => {
  expect(() => encodeHello({ ...hello, kidTags: Array.from({ length: 5 }, () => bytes(8, 0)) })).toThrow(
    /kidTags.length: expected 0 to 4/,
  );
  expect(() => encodeHello({ ...hello, caps: { a: bytes(1100, 0) } })).toThrow(RangeError);
  expect(() => encodeHello({ ...hello, echo: bytes(15, 0) })).toThrow(RangeError);
  expect(() => encodeHello({ ...hello, sum: bytes(15, 1) })).toThrow(RangeError);
});

test('[X7] fragment: a table of malformed ones', () => {
  const good = hex(wireVectors.fragment);
  const cases: readonly (readonly [string, Bytes, FaultCode])[] = [
    ['other version', concatBytes(good.slice(0, 2), bytes(1, 2), good.slice(3)), 'frame/malformed'],
    ['flag', concatBytes(good.slice(0, 3), bytes(1, 1), good.slice(4)), 'frame/malformed'],
    ['no bytes', good.slice(0, 12), 'frame/malformed'],
    ['index = total', concatBytes(good.slice(0, 8), hex('00030003'), good.slice(12)), 'frame/malformed'],
    ['total 0', concatBytes(good.slice(0, 8), hex('00000000'), good.slice(12)), 'frame/malformed'],
    ['total above the largest pack', concatBytes(good.slice(0, 8), hex('00000011'), good.slice(12)), 'frame/malformed'],
    ['too many bytes', concatBytes(good.slice(0, 12), bytes(14_901, 0)), 'frame/malformed'],
    ['longer than any frame', concatBytes(good.slice(0, 12), bytes(14_989, 0)), 'frame/oversized'],
  ];
  for (const [name, frame, code] of cases) expect(codeOf(decodeFragment(frame)), name).toBe(code);
  expect(decodeFragment(concatBytes(good.slice(0, 12), bytes(14_900, 0))).ok).toBe(true);
});

test('[X6] live: count outside 1 to 1,024', () => {
  const good = hex(wireVectors.live);
  for (const count of ['0000', '0401', 'ffff']) {
    expect(codeOf(decodeLive(concatBytes(good.slice(0, 38), hex(count), good.slice(40))))).toBe('frame/malformed');
  }
});

test('[X5] a signed body without room for a signature', () => {
  expect(codeOf(splitSigned(bytes(64, 0)))).toBe('frame/malformed');
  expect(codeOf(splitSigned(bytes(0, 0)))).toBe('frame/malformed');
  expect(splitSigned(bytes(65, 0))).toEqual({ ok: true, value: { message: bytes(1, 0), sig: bytes(64, 1) } });
  expect(() => joinSigned(bytes(1, 0), bytes(63, 0))).toThrow(/64/);
});
