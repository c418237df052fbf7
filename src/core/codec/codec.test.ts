import { Decoder, Encoder } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { equalBytes, fromHex, toHex } from '../base/index.js';
import type { Value } from './index.js';
import { decodeValue, encodeValue, valueLimits } from './index.js';
import { readerSuite } from './reader.kit.js';
import { arbitraryValue } from './value.kit.js';

const bytesOf = (hex: string): Uint8Array<ArrayBuffer> => fromHex(hex.replaceAll(' ', '')) ?? new Uint8Array();

describe('round trip', () => {
  test('[F14] a value comes back, and its bytes are its only encoding', () => {
    fc.assert(
      fc.property(arbitraryValue, (value) => {
        const bytes = encodeValue(value);
        const read = decodeValue(bytes);
        expect(read).toEqual({ ok: true, value });
        if (read.ok) expect(toHex(encodeValue(read.value))).toBe(toHex(bytes));
      }),
      { numRuns: 1500 },
    );
  });

  test('[F14] an independent reader and writer agree', () => {
    const reader = new Decoder();
    const writer = new Encoder({ initialBufferSize: 1024 });
    fc.assert(
      fc.property(arbitraryValue, (value) => {
        // It drops a leading U+FEFF of texts above 200 bytes.
        if (JSON.stringify(value).includes('\ufeff')) return;
        expect(reader.decode(encodeValue(value))).toEqual(value);
        // Its maps keep the object's own order, so scalars and arrays are what it can be compared on.
        if (typeof value !== 'object' || value instanceof Uint8Array || value === null) {
          expect(equalBytes(encodeValue(value), writer.encode(value))).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('[F14] keys are ordered by UTF-8 bytes, not by UTF-16 and not as an object orders them', () => {
    const value = { '\u{1f600}': 1, '\uffff': 2, '10': 3, '9': 4, b: 5, a: 6 };
    const hex = '86 a2 3130 03 a1 39 04 a1 61 06 a1 62 05 a3 efbfbf 02 a4 f09f9880 01';
    expect(toHex(encodeValue(value))).toBe(hex.replaceAll(' ', ''));
    expect(decodeValue(bytesOf(hex))).toEqual({ ok: true, value });
  });

  test.each([
    [0, '00'],
    [-0, '00'],
    [127, '7f'],
    [128, 'cc80'],
    [255, 'ccff'],
    [256, 'cd0100'],
    [65_535, 'cdffff'],
    [65_536, 'ce00010000'],
    [2 ** 32 - 1, 'ceffffffff'],
    [2 ** 32, 'cf0000000100000000'],
    [2 ** 53 - 1, 'cf001fffffffffffff'],
    [-1, 'ff'],
    [-32, 'e0'],
    [-33, 'd0df'],
    [-128, 'd080'],
    [-129, 'd1ff7f'],
    [-32_768, 'd18000'],
    [-32_769, 'd2ffff7fff'],
    [-(2 ** 31), 'd280000000'],
    [-(2 ** 31) - 1, 'd3ffffffff7fffffff'],
    [-(2 ** 53) + 1, 'd3ffe0000000000001'],
    [0.5, 'cb3fe0000000000000'],
    [-1.5, 'cbbff8000000000000'],
    [5e-324, 'cb0000000000000001'],
  ])('[F14] %d is %s', (value, hex) => {
    expect(toHex(encodeValue(value))).toBe(hex);
    const read = decodeValue(bytesOf(hex));
    expect(read.ok && Object.is(read.value, value === 0 ? 0 : value)).toBe(true);
  });

  test('lengths take the shortest head at each border', () => {
    const heads = (count: number, of: (count: number) => Value): string => toHex(encodeValue(of(count)).subarray(0, 5));
    const text = (n: number): Value => 'x'.repeat(n);
    const list = (n: number): Value => Array.from({ length: n }, () => 0);
    const map = (n: number): Value =>
      Object.fromEntries(Array.from({ length: n }, (_, i) => [String(i).padStart(5, '0'), 0]));
    expect([31, 32, 255, 256, 65_535, 65_536].map((n) => heads(n, text))).toEqual([
      'bf78787878',
      'd920787878',
      'd9ff787878',
      'da01007878',
      'daffff7878',
      'db00010000',
    ]);
    expect([255, 256, 65_535, 65_536].map((n) => heads(n, (count) => new Uint8Array(count)))).toEqual([
      'c4ff000000',
      'c501000000',
      'c5ffff0000',
      'c600010000',
    ]);
    expect([15, 16, 65_535].map((n) => heads(n, list))).toEqual(['9f00000000', 'dc00100000', 'dcffff0000']);
    expect([15, 16].map((n) => heads(n, map))).toEqual(['8fa5303030', 'de0010a530']);
    const wide = { ...valueLimits, maxBytes: 2 ** 20, maxNodes: 2 ** 17 };
    for (const value of [list(65_536), map(65_536)]) {
      const bytes = encodeValue(value, wide);
      expect(toHex(bytes.subarray(0, 5))).toBe(Array.isArray(value) ? 'dd00010000' : 'df00010000');
      expect(decodeValue(bytes, wide)).toEqual({ ok: true, value });
    }
  });

  test('what is read stands on its own buffer and carries no prototype tricks', () => {
    const bytes = encodeValue({ constructor: 1, data: Uint8Array.of(1, 2, 3), toString: 'x' });
    const read = decodeValue(bytes);
    bytes.fill(0);
    if (!read.ok || read.value === null || typeof read.value !== 'object') throw new Error('expected a map');
    expect(Object.entries(read.value)).toEqual([
      ['constructor', 1],
      ['data', Uint8Array.of(1, 2, 3)],
      ['toString', 'x'],
    ]);
    expect(Object.getPrototypeOf(read.value)).toBe(Object.prototype);
    expect(Object.hasOwn({}, 'data')).toBe(false);
    const data = Object.entries(read.value)[1]?.[1];
    expect(data instanceof Uint8Array && data.buffer.byteLength).toBe(3);
  });
});

describe('what the writer refuses', () => {
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  test.each<[name: string, value: unknown, error: typeof TypeError | typeof RangeError, words: string]>([
    ['NaN', { a: [1, NaN] }, RangeError, 'value["a"][1]: expected a finite number, got NaN'],
    ['an infinity', [-Infinity], RangeError, 'value[0]: expected a finite number'],
    ['an unsafe integer', { n: 2 ** 53 }, RangeError, 'value["n"]: expected an integer within ±(2^53 - 1)'],
    ['a huge integer', 1e300, RangeError, 'no longer holds every integer'],
    ['a lone surrogate', { t: 'a\ud800' }, TypeError, 'value["t"]: expected well-formed text'],
    ['a lone surrogate in a key', { '\udc00': 1 }, TypeError, 'expected well-formed text'],
    ['undefined', { a: undefined }, TypeError, 'value["a"]: expected a value, got undefined'],
    ['a hole', new Array(1), TypeError, 'value[0]: expected a value, got undefined'],
    ['a function', [() => 1], TypeError, 'got function'],
    ['a bigint', [1n], TypeError, 'got bigint'],
    ['a date', [new Date(0)], TypeError, 'got [object Date]'],
    ['a map object', [new Map()], TypeError, 'got [object Map]'],
    ['other typed arrays', [new Uint16Array(1)], TypeError, 'got [object Uint16Array]'],
    ['__proto__', JSON.parse('{"__proto__": 1}'), TypeError, 'this key is not allowed'],
    ['a cycle', cyclic, RangeError, 'nested deeper than 32'],
  ])('[F14] %s', (_, value, error, words) => {
    const write = (): unknown => encodeValue(value as Value);
    expect(write).toThrow(error);
    expect(write).toThrow(words);
  });

  test('what is beyond the limits, so that its own output is always read', () => {
    const nest = (depth: number): Value => (depth === 0 ? 0 : [nest(depth - 1)]);
    expect(decodeValue(encodeValue(nest(32))).ok).toBe(true);
    expect(() => encodeValue(nest(33))).toThrow(RangeError);
    const list = (count: number): Value => new Array<number>(count).fill(0);
    expect(decodeValue(encodeValue(list(valueLimits.maxNodes - 1))).ok).toBe(true);
    expect(() => encodeValue(list(valueLimits.maxNodes))).toThrow('more than 65536 values');
    expect(decodeValue(encodeValue(new Uint8Array(valueLimits.maxBytes - 5))).ok).toBe(true);
    expect(() => encodeValue(new Uint8Array(valueLimits.maxBytes - 4))).toThrow('more than 262144 bytes');
  });

  test('plain objects of another realm and without prototype are plain', () => {
    const bare: Record<string, Value> = Object.assign(Object.create(null), { a: 1 });
    expect(toHex(encodeValue(bare))).toBe('81a16101');
    expect(toHex(encodeValue(structuredClone({ a: 1 })))).toBe('81a16101');
  });
});

describe('what the reader refuses', readerSuite);
