import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { equalBytes } from '../base/index.js';
import { decodeValue, encodeValue } from './index.js';
import { readerSuite } from './reader.kit.js';
import { arbitraryValue } from './value.kit.js';

describe('what the reader refuses, in this browser', readerSuite);

test('[F14] a value comes back, and its bytes are its only encoding, in this browser', () => {
  fc.assert(
    fc.property(arbitraryValue, (value) => {
      const bytes = encodeValue(value);
      const read = decodeValue(bytes);
      expect(read).toEqual({ ok: true, value });
      expect(read.ok && equalBytes(encodeValue(read.value), bytes)).toBe(true);
    }),
    { numRuns: 300 },
  );
});
