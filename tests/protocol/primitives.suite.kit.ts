/** Rules of docs/protocol.md §3, for Node and browsers. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/core/base/index.js';
import { fromHex, toHex } from '../../src/core/base/index.js';
import {
  ed25519PublicKey,
  hasStrictSignatureForm,
  isAdmissiblePublicKey,
  labelNames,
  labels,
  padme,
  signEd25519,
  strictVectors,
  verifyStrict,
  x25519Shared,
} from '../../src/core/crypto/index.js';
import document from '../../docs/protocol.md?raw';
import { tableOf } from './document.kit.js';
import { chance } from './story.kit.js';

function hex(text: string): Bytes {
  const bytes = fromHex(text);
  if (bytes === null) throw new TypeError('expected hexadecimal');
  return bytes;
}

const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n;
const fieldPrime = 2n ** 255n - 19n;

function littleEndian(value: bigint): Bytes {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

function toBigInt(bytes: Uint8Array): bigint {
  return [...bytes].reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** Points of order 1, 2, 4 and 8, and encodings with y not below p: no key of anybody. */
const badKeys = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
];

/** u-coordinates of low order (RFC 7748 §7). */
const lowOrder = [
  littleEndian(0n),
  littleEndian(1n),
  hex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'),
  hex('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'),
  littleEndian(fieldPrime - 1n),
  littleEndian(fieldPrime),
  littleEndian(fieldPrime + 1n),
];

/** Registers the suite. */
export function primitiveSuite(): void {
  describe('[SIG-1] ED25519-STRICT-1', () => {
    const seed = chance('strict seed');
    const key = ed25519PublicKey(seed);
    const message = chance('strict message');
    const signature = signEd25519(seed, message);

    test('[SIG-1] every embedded vector gets its verdict', () => {
      const verdicts = strictVectors.map(({ name, publicKey, message: text, signature: sig }) => [
        name,
        verifyStrict(hex(publicKey), hex(text), hex(sig)),
      ]);
      expect(verdicts).toEqual(strictVectors.map(({ name, isValid }) => [name, isValid]));
      expect(new Set(strictVectors.map(({ isValid }) => isValid))).toEqual(new Set([true, false]));
    });

    test('[SIG-1] one signature has one form: S below L, R canonical and no point with x = 0', () => {
      expect(verifyStrict(key, message, signature)).toBe(true);
      const [r, s] = [signature.slice(0, 32), signature.slice(32)];
      const withS = (value: bigint): Bytes => Uint8Array.from([...r, ...littleEndian(value)]);
      const withR = (bytes: Bytes): Bytes => Uint8Array.from([...bytes, ...s]);
      expect(verifyStrict(key, message, withS(toBigInt(s) + groupOrder))).toBe(false);
      expect(hasStrictSignatureForm(withS(groupOrder))).toBe(false);
      expect(hasStrictSignatureForm(withS(groupOrder - 1n))).toBe(true);
      for (const bad of [
        littleEndian(1n),
        littleEndian(fieldPrime - 1n),
        littleEndian(fieldPrime),
        littleEndian(fieldPrime + 1n),
      ]) {
        expect(hasStrictSignatureForm(withR(bad))).toBe(false);
      }
      expect(hasStrictSignatureForm(signature.slice(0, 63))).toBe(false);
      expect(hasStrictSignatureForm(Uint8Array.from([...signature, 0]))).toBe(false);
    });

    test('[SIG-1] keys of small order and other encodings are nobody’s', () => {
      expect(isAdmissiblePublicKey(key)).toBe(true);
      for (const bad of badKeys) expect(isAdmissiblePublicKey(hex(bad)), bad).toBe(false);
      expect(isAdmissiblePublicKey(key.slice(0, 31))).toBe(false);
    });
  });

  test('[KEY-4] PADMÉ is what the document says, adds at most 12 %, and never shortens', () => {
    const byTheWords = (length: number): number => {
      if (length < 2) return length;
      const e = Math.floor(Math.log2(length));
      const step = 2 ** (e - (Math.floor(Math.log2(e)) + 1));
      return step <= 1 ? length : Math.ceil(length / step) * step;
    };
    expect([0, 1, 2, 9, 100, 1000, 1001, 15_000, 196_608].map(padme)).toEqual([
      0, 1, 2, 10, 104, 1024, 1024, 15_360, 196_608,
    ]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 26 }), (length) => {
        expect(padme(length)).toBe(byTheWords(length));
        expect(padme(length)).toBeGreaterThanOrEqual(length);
        expect(padme(length)).toBeLessThanOrEqual(Math.max(length + 1, length * 1.12));
        expect(padme(padme(length))).toBe(padme(length));
      }),
    );
  });

  test('[KEY-5] with a key of low order there is no shared secret', () => {
    for (const point of lowOrder) expect(x25519Shared(chance('x25519 secret'), point), toHex(point)).toBeNull();
    const twisted = lowOrder.map((point) => point.map((byte, i) => (i === 31 ? byte | 128 : byte)));
    for (const point of twisted) expect(x25519Shared(chance('x25519 secret'), point), toHex(point)).toBeNull();
  });

  test('[LAB-1] the labels are those of the table: 16 ASCII bytes each, each once', () => {
    const rows = tableOf(document, 'name | label | purpose').map(([name, label]) => [
      name,
      (label ?? '').replaceAll('`', ''),
    ]);
    expect(rows).toEqual(labelNames.map((name) => [name, String.fromCharCode(...labels[name])]));
    const texts = rows.map(([, label]) => label ?? '');
    expect(new Set(texts).size).toBe(texts.length);
    for (const text of texts) expect(text).toMatch(/^[ -~]{16}$/);
  });
}
