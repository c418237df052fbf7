import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Bytes } from '../base/index.js';
import { fromHex, toHex } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { encodeValue, valueLimits } from '../codec/index.js';
import type { Op, Payload } from './index.js';
import {
  decodePayload,
  encodePayload,
  isName,
  isWellFormed,
  maxNameBytes,
  maxOpCode,
  maxOpFields,
  maxPayloadBytes,
  maxPayloadOps,
} from './index.js';
import { arbitraryPayload } from './op.kit.js';

// Thousands of generated cases on a machine that may be busy: a hang is found anyway.
vi.setConfig({ testTimeout: 60_000 });

const schema = fromHex('0123456789abcdef') ?? new Uint8Array();
const id = Uint8Array.from({ length: 28 }, (_, i) => i);
const idHex = toHex(id);
const bytesOf = (hex: string): Bytes => fromHex(hex.replaceAll(' ', '')) ?? new Uint8Array();
/** A payload around one op, as somebody else may have written it. */
const around = (op: Value): Bytes => encodeValue([schema, [op]]);

describe('[X1] the wire form of ops', () => {
  const vectors: readonly (readonly [Op, string])[] = [
    [
      { kind: 'insert', collection: 'shapes', id, fields: { y: 20, x: 10 } },
      `94 00 a6736861706573 c41c${idHex} 82 a178 0a a179 14`,
    ],
    [
      { kind: 'update', collection: 'shapes', id, fields: { label: null } },
      `94 01 a6736861706573 c41c${idHex} 81 a56c6162656c c0`,
    ],
    [{ kind: 'delete', collection: 'shapes', id }, `93 02 a6736861706573 c41c${idHex}`],
    [
      { kind: 'increment', collection: 'shapes', id, field: 'votes', by: -1 },
      `95 03 a6736861706573 c41c${idHex} a5766f746573 ff`,
    ],
    [{ kind: 'opaque', code: 4, rest: ['later', [1]] }, '93 04 a56c61746572 91 01'],
  ];
  test.each(vectors)('[X1] vector of %o', (op, hex) => {
    const bytes = bytesOf(`92 c4080123456789abcdef 91 ${hex}`);
    expect(toHex(encodePayload({ schema, ops: [op] }))).toBe(toHex(bytes));
    expect(decodePayload(bytes)).toEqual({ ok: true, value: { schema, ops: [op] } });
  });

  test('[F14] a payload comes back, and its bytes are its only encoding', () => {
    fc.assert(
      fc.property(arbitraryPayload, (payload) => {
        const bytes = encodePayload(payload);
        const read = decodePayload(bytes);
        expect(read).toEqual({ ok: true, value: payload });
        if (read.ok) expect(toHex(encodePayload(read.value))).toBe(toHex(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  test('[F19] an op of an unknown code is kept as it came, also beside known ones', () => {
    const bytes = encodeValue([schema, [[2, 'a', id], [maxOpCode], [4, { any: [null, 1.5] }], [2, 'b', id]]]);
    const read = decodePayload(bytes);
    expect(read.ok && read.value.ops.map((op) => op.kind)).toEqual(['delete', 'opaque', 'opaque', 'delete']);
    if (read.ok) expect(toHex(encodePayload(read.value))).toBe(toHex(bytes));
  });

  test('[X1] the bytes of a payload are not kept alive or shared by what it decodes to', () => {
    const bytes = around([2, 'a', id]);
    const read = decodePayload(bytes);
    bytes.fill(0);
    expect(read).toEqual({ ok: true, value: { schema, ops: [{ kind: 'delete', collection: 'a', id }] } });
  });
});

describe('[X1] malformed payloads', () => {
  const longName = 'n'.repeat(maxNameBytes + 1);
  const manyFields = Object.fromEntries(Array.from({ length: maxOpFields + 1 }, (_, i) => [`f${String(i)}`, i]));
  const cases: Record<string, Value> = {
    'not a list': 7,
    'no ops': [schema, []],
    'ops not a list': [schema, { a: 1 }],
    'short schema prefix': [schema.slice(1), [[2, 'a', id]]],
    'long schema prefix': [Uint8Array.of(...schema, 0), [[2, 'a', id]]],
    'text for a prefix': ['01234567', [[2, 'a', id]]],
    'a third item': [schema, [[2, 'a', id]], null],
    'too many ops': [schema, Array.from({ length: maxPayloadOps + 1 }, () => [4])],
    'op not a list': [schema, ['delete']],
    'op without code': [schema, [[]]],
    'code as text': [schema, [['0', 'a', id, {}]]],
    'negative code': [schema, [[-1, 'a', id]]],
    'fractional code': [schema, [[0.5]]],
    'code too large': [schema, [[maxOpCode + 1]]],
    'collection missing': [schema, [[2]]],
    'collection empty': [schema, [[2, '', id]]],
    'collection too long': [schema, [[2, longName, id]]],
    'collection too long in bytes only': [schema, [[2, 'é'.repeat(33), id]]],
    'collection not a text': [schema, [[2, 5, id]]],
    'collection __proto__': [schema, [[2, '__proto__', id]]],
    'id missing': [schema, [[2, 'a']]],
    'id short': [schema, [[2, 'a', id.slice(1)]]],
    'id as text': [schema, [[2, 'a', 'x'.repeat(28)]]],
    'delete with more': [schema, [[2, 'a', id, null]]],
    'insert without fields': [schema, [[0, 'a', id]]],
    'insert with a list': [schema, [[0, 'a', id, []]]],
    'insert with bytes': [schema, [[0, 'a', id, id]]],
    'insert with null': [schema, [[0, 'a', id, null]]],
    'insert with more': [schema, [[0, 'a', id, {}, 1]]],
    'insert with too many fields': [schema, [[0, 'a', id, manyFields]]],
    'update with an empty field name': [schema, [[1, 'a', id, { '': 1 }]]],
    'update with a long field name': [schema, [[1, 'a', id, { [longName]: 1 }]]],
    'increment by 0': [schema, [[3, 'a', id, 'v', 0]]],
    'increment by a fraction': [schema, [[3, 'a', id, 'v', 0.5]]],
    'increment by text': [schema, [[3, 'a', id, 'v', '1']]],
    'increment without delta': [schema, [[3, 'a', id, 'v']]],
    'increment of no name': [schema, [[3, 'a', id, 5, 1]]],
    'increment with more': [schema, [[3, 'a', id, 'v', 1, 1]]],
    'a bad op after a good one': [schema, [[2, 'a', id], [2]]],
  };
  test.each(Object.entries(cases))('[X1] %s', (_, value) => {
    expect(decodePayload(encodeValue(value))).toMatchObject({ ok: false, fault: { code: 'entry/payload' } });
  });

  test.each([
    ['nothing', ''],
    ['a lie about length', '92 c408'],
    ['trailing bytes', `${toHex(around([2, 'a', id]))}00`],
    ['a longer integer form', `92 c4080123456789abcdef 91 93 cc02 a161 c41c${idHex}`],
    ['fields out of order', `92 c4080123456789abcdef 91 94 00 a161 c41c${idHex} 82 a162 01 a161 01`],
    ['a field twice', `92 c4080123456789abcdef 91 94 00 a161 c41c${idHex} 82 a161 01 a161 01`],
    ['field __proto__', `92 c4080123456789abcdef 91 94 00 a161 c41c${idHex} 81 a95f5f70726f746f5f5f 01`],
    ['an integral double', `92 c4080123456789abcdef 91 94 00 a161 c41c${idHex} 81 a161 cb4000000000000000`],
  ])('[F14] %s', (_, hex) => {
    expect(decodePayload(bytesOf(hex))).toMatchObject({ ok: false, fault: { code: 'entry/payload' } });
  });

  test('[X1] a payload above its byte limit, and one at it', () => {
    const fields = (length: number): Bytes =>
      encodeValue([schema, [[0, 'a', id, { text: 'x'.repeat(length) }]]], { ...valueLimits, maxBytes: 2 ** 20 });
    const atLimit = maxPayloadBytes - fields(100_000).length + 100_000;
    expect(fields(atLimit).length).toBe(maxPayloadBytes);
    expect(decodePayload(fields(atLimit)).ok).toBe(true);
    expect(decodePayload(fields(atLimit + 1))).toMatchObject({ ok: false, fault: { code: 'entry/payload' } });
  });
});

describe('misuse by our own caller', () => {
  const remove: Op = { kind: 'delete', collection: 'a', id };
  const increment = { kind: 'increment', collection: 'a', id, field: 'v' } as const;
  const cases: Record<string, readonly [Payload, RegExp]> = {
    'no ops': [{ schema, ops: [] }, /^ops.length: expected 1 to 4096, got 0$/],
    'too many ops': [
      { schema, ops: Array.from({ length: maxPayloadOps + 1 }, () => remove) },
      /^ops.length: .* got 4097$/,
    ],
    'short schema': [{ schema: schema.slice(1), ops: [remove] }, /^schema: expected 8 bytes, got 7$/],
    'short id': [{ schema, ops: [remove, { ...remove, id: id.slice(1) }] }, /^ops\[1\]: expected a record id/],
    'empty name': [{ schema, ops: [{ ...remove, collection: '' }] }, /^ops\[0\]: expected the name of a collection/],
    'lone surrogate': [{ schema, ops: [{ ...remove, collection: '\ud800' }] }, /^ops\[0\]: expected the name/],
    'increment 0': [{ schema, ops: [{ ...increment, by: 0 }] }, /^ops\[0\]: increment: expected a safe integer/],
    'increment NaN': [{ schema, ops: [{ ...increment, by: NaN }] }, /^ops\[0\]: increment: expected a safe integer/],
    'increment 2^53': [{ schema, ops: [{ ...increment, by: 2 ** 53 }] }, /^ops\[0\]: increment: expected a safe/],
    'an opaque op of a known code': [
      { schema, ops: [{ kind: 'opaque', code: 2, rest: ['a', id] }] },
      /^ops\[0\]: expected an op code from 4$/,
    ],
    'an opaque op without code': [
      { schema, ops: [{ kind: 'opaque', code: NaN, rest: [] }] },
      /^ops\[0\]: expected an op/,
    ],
    'a value without encoding': [
      { schema, ops: [{ kind: 'insert', collection: 'a', id, fields: { x: NaN } }] },
      /finite number/,
    ],
    'too large': [
      { schema, ops: [{ kind: 'insert', collection: 'a', id, fields: { x: 'x'.repeat(maxPayloadBytes) } }] },
      /bytes/,
    ],
  };
  test.each(Object.entries(cases))('[X1] encoding %s throws', (_, [payload, message]) => {
    expect(() => encodePayload(payload)).toThrow(message);
    expect(() => encodePayload(payload)).toThrow(/^(?!.*xxx)/);
  });
});

describe('names', () => {
  test.each(['a', '$room', 'constructor', 'größe', '😀', 'n'.repeat(64), 'é'.repeat(32), '😀'.repeat(16), ' ', '\0'])(
    '[X1] %j is one',
    (name) => {
      expect(isName(name)).toBe(true);
    },
  );
  test.each([
    '',
    '__proto__',
    'n'.repeat(65),
    'é'.repeat(33),
    '😀'.repeat(17),
    '\ud800',
    'a\udc00',
    5,
    null,
    undefined,
  ])('[X1] %j is none', (name) => {
    expect(isName(name)).toBe(false);
  });
  test('[F14] a lone surrogate has no UTF-8 form', () => {
    expect(['', 'a😀b', '\ud83d\ude00'].every(isWellFormed)).toBe(true);
    expect(['\ud83d', '\ude00\ud83d', 'a\ud800b'].some(isWellFormed)).toBe(false);
  });
});
