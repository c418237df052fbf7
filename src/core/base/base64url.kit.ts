/** Base64url as this platform reads it, for Node and browsers. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOfBase64Url, fromBase64Url, toBase64Url } from './bytes.js';

export function base64UrlSuite(): void {
  test('base64url: what was written is read again, and nothing but its one form', () => {
    const bytes = fc.uint8Array({ maxLength: 80 });
    fc.assert(
      fc.property(bytes, (one) => {
        expect(fromBase64Url(toBase64Url(one))).toEqual(one.slice());
      }),
    );
    const piece = fc.constantFrom('A', 'Q', 'b', '7', '-', '_', '+', '/', '=', ' ', '\n', 'ü', '\u{1f600}');
    fc.assert(
      fc.property(fc.string({ unit: piece, maxLength: 9 }), (text) => {
        const read = fromBase64Url(text);
        expect(read).toEqual(bytesOfBase64Url(text));
        if (read !== null) expect(toBase64Url(read)).toBe(text);
      }),
      { numRuns: 5_000 },
    );
  });
}
