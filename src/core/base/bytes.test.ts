import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromBase64Url, toBase64Url } from './bytes.js';

test('base64url: what was written is read again, and nothing but its one form', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const text = toBase64Url(bytes);
      expect(text).toBe(Buffer.from(bytes).toString('base64url'));
      expect(fromBase64Url(text)).toEqual(bytes.slice());
    }),
  );
  const piece = fc.constantFrom('A', 'Q', 'b', '7', '-', '_', '+', '/', '=', ' ', '\n', 'ü', '\u{1f600}');
  fc.assert(
    fc.property(fc.string({ unit: piece, maxLength: 9 }), (text) => {
      const isItsForm = Buffer.from(text, 'base64url').toString('base64url') === text;
      expect(fromBase64Url(text)?.length ?? null).toBe(isItsForm ? Buffer.from(text, 'base64url').length : null);
    }),
    { numRuns: 5_000 },
  );
});
