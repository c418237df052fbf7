import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Value } from './index.js';
import {
  asArray,
  asBoolean,
  asBytes,
  asBytesUpTo,
  asList,
  asMap,
  asText,
  asUint,
  compareUtf8,
  readUtf8,
  utf8Bytes,
  utf8Length,
} from './index.js';
import { compareBytes } from '../base/index.js';
import { arbitraryValue } from './value.kit.js';

test('readers answer the value of their shape and null for every other', () => {
  const bytes = Uint8Array.of(1, 2);
  expect(asArray([1, 2], 2)).toEqual([1, 2]);
  expect(asArray([1, 2], 3)).toBeNull();
  expect(asList([1, 2], 2)).toEqual([1, 2]);
  expect(asList([1, 2], 1)).toBeNull();
  expect(asBytes(bytes, 2)).toBe(bytes);
  expect(asBytes(bytes, 3)).toBeNull();
  expect(asBytesUpTo(bytes, 2)).toBe(bytes);
  expect(asBytesUpTo(bytes, 1)).toBeNull();
  expect([asUint(5, 5), asUint(0, 5), asUint(6, 5), asUint(-1, 5), asUint(0.5, 5)]).toEqual([5, 0, null, null, null]);
  expect([asText('é', 2), asText('é', 1), asText('', 0)]).toEqual(['é', null, '']);
  expect([asBoolean(false), asBoolean(0)]).toEqual([false, null]);
  expect(asMap({ a: 1 })).toEqual({ a: 1 });
});

test('at most one reader of a kind takes a value, none throws', () => {
  const readers: ((value: Value | undefined) => unknown)[] = [
    (v) => asList(v, 1e9),
    (v) => asBytesUpTo(v, 1e9),
    (v) => asText(v, 1e9),
    asBoolean,
    asMap,
  ];
  fc.assert(
    fc.property(fc.option(arbitraryValue, { nil: undefined }), (value) => {
      const taken = readers.filter((read) => read(value) !== null).length;
      expect(taken).toBe(value === null || value === undefined || typeof value === 'number' ? 0 : 1);
    }),
  );
});

test('texts: length, order and bytes are those of UTF-8', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(utf8Length(a)).toBe(utf8Bytes(a).length);
      expect(readUtf8(utf8Bytes(a))).toBe(a);
      expect(Math.sign(compareUtf8(a, b))).toBe(Math.sign(compareBytes(utf8Bytes(a), utf8Bytes(b))));
    }),
    { numRuns: 500 },
  );
  expect(() => utf8Bytes('\udc00')).toThrow(TypeError);
});
