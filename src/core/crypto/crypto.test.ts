import { createHash } from 'node:crypto';
import { Point } from '@noble/ed25519';
import { hmac as nobleHmac } from '@noble/hashes/hmac.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, equalBytes, toHex } from '../base/index.js';
import {
  aeadOpen,
  aeadSeal,
  deriveKey,
  ed25519PublicKey,
  epochPrk,
  hasStrictSignatureForm,
  hedgedNonce,
  hkdfExpand,
  hkdfExtract,
  hmacSha256,
  hmacWith,
  isAdmissiblePublicKey,
  isLowOrderX25519,
  kidOf,
  labelNames,
  labels,
  openAtRest,
  padme,
  sealAtRest,
  sha256,
  sha256After,
  signEd25519,
  strictVectors,
  verifyAdmitted,
  verifyStrict,
  x25519PublicKey,
  x25519Shared,
} from './index.js';
import { vectorFiles as files } from './vector-files.kit.js';
import { expectHkdf, expectVerdicts, expectX25519, expectXChaCha, hex, signatureCases } from './vectors.kit.js';

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const filled = (length: number, byte: number): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(byte);
const bytes = (o: { min?: number; max?: number }): fc.Arbitrary<Uint8Array<ArrayBuffer>> =>
  fc.uint8Array({ minLength: o.min ?? 0, maxLength: o.max ?? 200 }).map((b) => new Uint8Array(b));

describe('labels', () => {
  test('each is 16 printable ASCII bytes and used once', () => {
    const texts = labelNames.map((name) => String.fromCharCode(...labels[name]));
    for (const text of texts) expect(text).toMatch(/^keeproom\/[a-z0-9/]{7}$/);
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts).toEqual([
      'keeproom/entry/1',
      'keeproom/head/01',
      'keeproom/kid/001',
      'keeproom/commit1',
      'keeproom/pack/01',
      'keeproom/nonce/1',
      'keeproom/live/01',
      'keeproom/bind/01',
      'keeproom/link/01',
      'keeproom/rtag/01',
      'keeproom/hello01',
      'keeproom/fram/01',
      'keeproom/invid01',
      'keeproom/invsg01',
      'keeproom/invpk01',
      'keeproom/join/01',
      'keeproom/join/02',
      'keeproom/wrap/01',
      'keeproom/root/01',
      'keeproom/sum/001',
      'keeproom/rank/01',
      'keeproom/rest/01',
      'keeproom/yjs/001',
    ]);
  });

  test('a caller can change only its own copy', () => {
    labels.entry.fill(0);
    expect(String.fromCharCode(...labels.entry)).toBe('keeproom/entry/1');
    expect(() => Object.assign(labels, { entry: filled(16, 0) })).toThrow(TypeError);
  });
});

describe('hashes', () => {
  test('SHA-256 and HMAC-SHA-256 of known texts, in any split', () => {
    expect(toHex(sha256(utf8('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(toHex(sha256())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    // RFC 4231 test 2
    expect(toHex(hmacSha256(utf8('Jefe'), utf8('what do ya want '), utf8('for nothing?')))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
    fc.assert(
      fc.property(bytes({}), bytes({}), bytes({}), (a, b, c) => {
        const whole = concatBytes(a, b, c);
        expect(sha256(a, b, c)).toEqual(sha256(whole));
        expect(hmacSha256(a, b, c)).toEqual(hmacSha256(a, concatBytes(b, c)));
        expect(sha256(whole)).toEqual(nobleSha256(whole));
        expect(hmacSha256(a, b, c)).toEqual(nobleHmac(nobleSha256, a, concatBytes(b, c)));
        const start = filled(128, a.length);
        const after = sha256After(start);
        expect([after(b, c), after(c)]).toEqual([sha256(start, b, c), sha256(start, c)]);
        const hmac = hmacWith(a);
        expect([hmac(b), hmac(c), hmac(b)]).toEqual([hmacSha256(a, b), hmacSha256(a, c), hmacSha256(a, b)]);
      }),
    );
    expect(() => sha256After(filled(65, 0))).toThrow(RangeError);
  });

  test('SHA-256 of every length around its blocks, of a long text, and of more than 2^32 bits in one state', () => {
    for (let length = 0; length <= 200; length++) {
      const text = filled(length, length);
      expect(sha256(text.subarray(0, length >> 1), text.subarray(length >> 1))).toEqual(nobleSha256(text));
    }
    const part = filled(1 << 20, 7);
    const parts = Array.from({ length: 513 }, () => part);
    const whole = createHash('sha256');
    for (const one of parts) whole.update(one);
    expect(toHex(sha256(...parts))).toBe(whole.digest('hex'));
  });

  test('HKDF of RFC 5869, cases 1 and 3, and Wycheproof where present', () => {
    const prk = hkdfExtract(hex('000102030405060708090a0b0c'), filled(22, 0x0b));
    expect(toHex(prk)).toBe('077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5');
    expect(toHex(hkdfExpand(prk, hex('f0f1f2f3f4f5f6f7f8f9'), 42))).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    );
    expect(toHex(hkdfExpand(hkdfExtract(filled(0, 0), filled(22, 0x0b)), filled(0, 0), 42))).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    );
    expect(expectHkdf(files)).toBe(files.has('wycheproof_hkdf_sha256_test') ? 86 : 0);
  });
});

describe('AEAD', () => {
  const context = {
    key: hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f'),
    nonce: hex('404142434445464748494a4b4c4d4e4f5051525354555657'),
    aad: hex('50515253c0c1c2c3c4c5c6c7'),
  };

  test('the example of draft-irtf-cfrg-xchacha-03 A.3.1, and Wycheproof where present', () => {
    const plaintext = utf8(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    );
    const ciphertext = hex(`
      bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39
      ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9
      21f9664c97637da9768812f615c68b13b52e c0875924c1c7987947deafd8780acf49`);
    expect(aeadSeal({ ...context, plaintext })).toEqual(ciphertext);
    expect(aeadOpen({ ...context, ciphertext })).toEqual(plaintext);
    expect(expectXChaCha(files)).toBe(files.has('wycheproof_xchacha20_poly1305_test') ? 306 : 0);
  });

  test('opens only what was sealed under the same key, nonce and aad', () => {
    fc.assert(
      fc.property(bytes({}), bytes({ max: 40 }), fc.nat(), (plaintext, aad, at) => {
        const sealed = aeadSeal({ ...context, aad, plaintext });
        expect(aeadOpen({ ...context, aad, ciphertext: sealed })).toEqual(plaintext);
        const flipped = sealed.slice();
        flipped[at % sealed.length] = (flipped[at % sealed.length] ?? 0) ^ (1 << (at % 8));
        expect(aeadOpen({ ...context, aad, ciphertext: flipped })).toBeNull();
        expect(aeadOpen({ ...context, aad: concatBytes(aad, filled(1, 0)), ciphertext: sealed })).toBeNull();
        expect(aeadOpen({ ...context, aad, key: filled(32, 1), ciphertext: sealed })).toBeNull();
        expect(aeadOpen({ ...context, aad, nonce: filled(24, 1), ciphertext: sealed })).toBeNull();
        expect(aeadOpen({ ...context, aad, ciphertext: sealed.slice(0, at % sealed.length) })).toBeNull();
      }),
    );
  });

  test('a key or nonce of another length is our own mistake', () => {
    expect(() => aeadOpen({ ...context, key: filled(16, 0), ciphertext: filled(20, 0) })).toThrow('key: expected 32');
    expect(() => aeadSeal({ ...context, nonce: filled(12, 0), plaintext: filled(1, 0) })).toThrow('nonce: expected 24');
  });

  test('a hedged nonce differs with everything that goes in, also when the randomness repeats', () => {
    const o = { key: filled(32, 1), random32: filled(32, 2), aad: filled(3, 3), plaintext: filled(4, 4) };
    const nonces = [
      o,
      { ...o, key: filled(32, 9) },
      { ...o, random32: filled(32, 9) },
      { ...o, aad: filled(3, 9) },
      { ...o, plaintext: filled(4, 9) },
      { ...o, aad: filled(4, 3), plaintext: filled(3, 4) },
    ].map((each) => toHex(hedgedNonce(each)));
    expect(new Set(nonces).size).toBe(nonces.length);
    expect(nonces[0]).toBe(toHex(hmacSha256(o.key, o.random32, sha256(o.aad), sha256(o.plaintext))).slice(0, 48));
    expect(() => hedgedNonce({ ...o, random32: filled(31, 0) })).toThrow('random32: expected 32 bytes, got 31');
  });
});

describe('derivation', () => {
  const roomId = filled(32, 1);
  const scope = filled(32, 2);
  const key = filled(32, 3);

  test('a key id commits to room, scope and key', () => {
    const kid = kidOf(roomId, scope, key);
    expect(kid).toEqual(sha256(utf8('keeproom/kid/001'), roomId, scope, key));
    for (const other of [kidOf(scope, scope, key), kidOf(roomId, roomId, key), kidOf(roomId, scope, roomId)]) {
      expect(equalBytes(other, kid)).toBe(false);
    }
  });

  test('derived keys are the formula of the format, one per label and info', () => {
    const kid = kidOf(roomId, scope, key);
    const prk = epochPrk(roomId, kid, key);
    expect(prk).toEqual(hkdfExtract(concatBytes(roomId, kid), key));
    expect(deriveKey(prk, labels.pack, scope)).toEqual(
      hkdfExpand(prk, concatBytes(utf8('keeproom/pack/01'), scope), 32),
    );
    expect(deriveKey(prk, labels.commit, roomId, scope)).toEqual(
      deriveKey(prk, labels.commit, concatBytes(roomId, scope)),
    );
    const keys = labelNames.map((name) => toHex(deriveKey(prk, labels[name], scope)));
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('[X10] a row at rest opens for its use and data key only', () => {
    const o = { dataKey: filled(32, 7), use: 'draft', random32: filled(32, 8), plaintext: utf8('a secret') };
    const sealed = sealAtRest(o);
    const read = { dataKey: o.dataKey, use: o.use, sealed };
    expect(openAtRest(read)).toEqual(o.plaintext);
    expect(openAtRest({ ...read, use: 'snapshot' })).toBeNull();
    expect(openAtRest({ ...read, dataKey: filled(32, 9) })).toBeNull();
    for (let at = 0; at < sealed.length; at++) {
      const damaged = sealed.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(openAtRest({ ...read, sealed: damaged })).toBeNull();
      expect(openAtRest({ ...read, sealed: sealed.slice(0, at) })).toBeNull();
    }
  });
});

test('PADMÉ: a length of the ladder, at most 12 % more, never less', () => {
  expect([0, 1, 2, 3, 7, 8, 9, 16, 17, 100, 255, 1000, 65_537].map(padme)).toEqual([
    0, 1, 2, 3, 7, 8, 10, 16, 18, 104, 256, 1024, 67_584,
  ]);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (length) => {
      const padded = padme(length);
      expect(padded).toBeGreaterThanOrEqual(length);
      expect(padded).toBeLessThanOrEqual(length * 1.12 + 1);
      expect(padme(padded)).toBe(padded);
    }),
  );
  expect(() => padme(-1)).toThrow(RangeError);
  expect(() => padme(0.5)).toThrow(RangeError);
  expect(() => padme(2 ** 32)).toThrow(RangeError);
});

describe('X25519', () => {
  test('RFC 7748, and Wycheproof where present', () => {
    expect(expectX25519(files)).toBe(files.has('wycheproof_x25519_test') ? 520 : 2);
    const alice = hex('77076d0a7318a57d3c16c17251b26645df1f0e2a0d3b0f1f2ac7d0d3c1b0a1ff');
    const bob = filled(32, 5);
    expect(x25519Shared(alice, x25519PublicKey(bob))).toEqual(x25519Shared(bob, x25519PublicKey(alice)));
  });

  test('RFC 7748 §5.2, the first round', () => {
    const base = hex('0900000000000000000000000000000000000000000000000000000000000000');
    expect(x25519Shared(base, base)).toEqual(hex('422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079'));
    expect(x25519PublicKey(base)).toEqual(x25519Shared(base, base));
  });

  test('points of low order, in every encoding, give null', () => {
    const lowOrder = [
      '0000000000000000000000000000000000000000000000000000000000000000',
      '0100000000000000000000000000000000000000000000000000000000000000',
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    ];
    for (const point of lowOrder) {
      expect(x25519Shared(filled(32, 5), hex(point)), point).toBeNull();
      expect(isLowOrderX25519(hex(point)), point).toBe(true);
    }
    expect(() => x25519Shared(filled(31, 5), filled(32, 9))).toThrow('secret: expected 32 bytes, got 31');
    expect(() => x25519Shared(filled(32, 5), filled(33, 9))).toThrow('publicKey: expected 32 bytes, got 33');
  });
});

describe('ED25519-STRICT-1', () => {
  test('[S04] the reference gives every verdict of the vectors', async () => {
    const cases = signatureCases(files);
    await expectVerdicts(cases, async (jobs) =>
      Promise.resolve(jobs.map((job) => verifyStrict(job.publicKey, job.message, job.signature))),
    );
    console.log(`[S04] signatures: ${String(cases.length)} vectors on the reference`);
    expect(cases.length).toBe(30 + (files.size === 0 ? 0 : 175));
  });

  test('RFC 8032: keys and signatures of known seeds', () => {
    const seed = hex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
    expect(toHex(ed25519PublicKey(seed))).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    expect(toHex(signEd25519(seed, filled(0, 0)))).toBe(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    );
    expect(() => signEd25519(filled(64, 1), filled(0, 0))).toThrow('seed: expected 32 bytes, got 64');
  });

  test('what is signed verifies; any changed bit does not', () => {
    fc.assert(
      fc.property(bytes({ min: 32, max: 32 }), bytes({}), fc.nat(), (seed, message, at) => {
        const publicKey = ed25519PublicKey(seed);
        const signature = signEd25519(seed, message);
        expect(verifyStrict(publicKey, message, signature)).toBe(true);
        expect(isAdmissiblePublicKey(publicKey)).toBe(true);
        signature[at % 64] = (signature[at % 64] ?? 0) ^ (1 << (at % 8));
        expect(verifyAdmitted(publicKey, message, signature)).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  test('[SIG-1] key admission is the library’s: on the curve, in the prime-order subgroup, not neutral', () => {
    const byTheLibrary = (key: Uint8Array): boolean => {
      try {
        const point = Point.fromBytes(key, false);
        return !point.isSmallOrder() && point.isTorsionFree();
      } catch {
        return false;
      }
    };
    // Of order 8: its multiples are all points of small order.
    const eighth = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
    const small = Array.from({ length: 8 }, (_, i) => eighth.multiply(BigInt(i), false));
    expect(new Set(small.map((point) => point.toHex())).size).toBe(8);
    const seen = { yes: 0, no: 0 };
    const judge = (key: Uint8Array): void => {
      const expected = byTheLibrary(key);
      seen[expected ? 'yes' : 'no']++;
      expect(isAdmissiblePublicKey(key), toHex(key)).toBe(expected);
    };
    for (const point of small) judge(point.toBytes());
    fc.assert(
      fc.property(bytes({ min: 32, max: 32 }), fc.nat(7), (seed, i) => {
        judge(seed);
        judge(
          Point.fromBytes(ed25519PublicKey(seed))
            .add(small[i] ?? Point.ZERO)
            .toBytes(),
        );
        judge(ed25519PublicKey(seed));
      }),
      { numRuns: 60 },
    );
    expect(seen.yes).toBeGreaterThan(60);
    expect(seen.no).toBeGreaterThan(60);
  });

  test('each case is refused where its name says', () => {
    const of = (name: string): { key: boolean; form: boolean } => {
      const vector = strictVectors.find((v) => v.name.startsWith(name));
      if (vector === undefined) throw new Error(name);
      return { key: isAdmissiblePublicKey(hex(vector.publicKey)), form: hasStrictSignatureForm(hex(vector.signature)) };
    };
    expect(of('good')).toEqual({ key: true, form: true });
    expect(of('X1')).toEqual({ key: true, form: true });
    expect(of('X2')).toEqual({ key: true, form: false });
    expect(of('X3')).toEqual({ key: true, form: false });
    expect(of('X4')).toEqual({ key: false, form: true });
  });

  test('keys that are no keys', () => {
    const p = 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f';
    const refused = {
      identity: '0100000000000000000000000000000000000000000000000000000000000000',
      'identity with a sign': '0100000000000000000000000000000000000000000000000000000000000080',
      'order 2': 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'order 4': '0000000000000000000000000000000000000000000000000000000000000000',
      'order 8': 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
      'y = p': p,
      'y = p + 1': `ee${p.slice(2)}`,
      'y = 2^255 - 1': `ff${p.slice(2)}`,
      'not on the curve': '0200000000000000000000000000000000000000000000000000000000000000',
      '31 bytes': '00'.repeat(31),
      '33 bytes': '01'.repeat(33),
    };
    for (const [name, key] of Object.entries(refused)) expect(isAdmissiblePublicKey(hex(key)), name).toBe(false);
  });

  test('signatures in no strict form', () => {
    const good = signEd25519(filled(32, 1), filled(1, 1));
    const withR = (r: string): Uint8Array => concatBytes(hex(r), good.subarray(32));
    const order = hex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');
    expect(hasStrictSignatureForm(good)).toBe(true);
    const refused = {
      'S = L': concatBytes(good.subarray(0, 32), order),
      'S = 2^256 - 1': concatBytes(good.subarray(0, 32), filled(32, 255)),
      'R = p': withR('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'),
      'R = p + 1 with a sign': withR('eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'),
      'R = identity': withR('0100000000000000000000000000000000000000000000000000000000000000'),
      'R = identity with a sign': withR('0100000000000000000000000000000000000000000000000000000000000080'),
      'R of order 2': withR('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'),
      '63 bytes': good.subarray(0, 63),
      '65 bytes': concatBytes(good, filled(1, 0)),
    };
    for (const [name, signature] of Object.entries(refused))
      expect(hasStrictSignatureForm(signature), name).toBe(false);
  });
});
