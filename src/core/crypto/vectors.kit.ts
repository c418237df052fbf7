/**
 * Suites over public vectors, for Node and browsers alike. The files of ../shared/vectors are data that a checkout may
 * lack; the caller loads them and hands over what it found. The embedded vectors always run.
 */
import { expect } from 'vitest';
import type { Bytes } from '../base/index.js';
import { fromHex } from '../base/index.js';
import type { VerifyJob } from '../../ports/index.js';
import { aeadOpen, aeadSeal, hkdfExpand, hkdfExtract, isLowOrderX25519, strictVectors, x25519Shared } from './index.js';

/** Files by name without extension; absent ones are not in the map. */
export type VectorFiles = ReadonlyMap<string, unknown>;

/** A signature with the verdict every verifier must give. */
export interface SignatureCase extends VerifyJob {
  readonly name: string;
  readonly isValid: boolean;
}

/** Bytes of hexadecimal that a test wrote itself. */
export function hex(text: string): Bytes {
  const bytes = fromHex(text.replaceAll(/\s/g, ''));
  if (bytes === null) throw new TypeError(`expected hexadecimal, got ${text}`);
  return bytes;
}

interface Wycheproof<Group, Test> {
  readonly testGroups: readonly (Group & { readonly tests: readonly Test[] })[];
}

function groups<Group, Test>(files: VectorFiles, name: string): Wycheproof<Group, Test>['testGroups'] {
  const file = files.get(name);
  return file === undefined ? [] : (file as Wycheproof<Group, Test>).testGroups;
}

// RFC 8032 §7.1, tests 1 to 3.
const rfc8032 = [
  [
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
] as const;

/** Every signature case at hand: embedded ones, then Wycheproof, speccheck and the edge cases where present. */
export function signatureCases(files: VectorFiles): readonly SignatureCase[] {
  const cases: SignatureCase[] = strictVectors.map((v) => ({
    name: v.name,
    publicKey: hex(v.publicKey),
    message: hex(v.message),
    signature: hex(v.signature),
    isValid: v.isValid,
  }));
  for (const [publicKey, message, signature] of rfc8032) {
    const job = { publicKey: hex(publicKey), message: hex(message), signature: hex(signature) };
    cases.push({ name: `RFC 8032 ${message}`, ...job, isValid: true });
    cases.push({ name: `RFC 8032 ${message}, longer`, ...job, message: hex(`${message}00`), isValid: false });
  }
  type Group = { publicKey: { pk: string } };
  type Test = { tcId: number; msg: string; sig: string; result: string };
  for (const group of groups<Group, Test>(files, 'wycheproof_ed25519_test')) {
    for (const test of group.tests) {
      cases.push({
        name: `wycheproof ${String(test.tcId)}`,
        publicKey: hex(group.publicKey.pk),
        message: hex(test.msg),
        signature: hex(test.sig),
        isValid: test.result === 'valid',
      });
    }
  }
  type Case = { message: string; pub_key: string; signature: string };
  for (const name of ['speccheck_cases', 'ed25519_edge_cases']) {
    for (const [i, test] of ((files.get(name) ?? []) as Case[]).entries()) {
      cases.push({
        name: `${name} ${String(i)}`,
        publicKey: hex(test.pub_key),
        message: hex(test.message),
        signature: hex(test.signature),
        isValid: false,
      });
    }
  }
  return cases;
}

/** A verifier against every case; names those it answers otherwise. */
export async function expectVerdicts(
  cases: readonly SignatureCase[],
  verify: (jobs: readonly VerifyJob[]) => Promise<readonly boolean[]>,
): Promise<void> {
  const verdicts = await verify(cases);
  expect(verdicts).toHaveLength(cases.length);
  expect(cases.filter((c, i) => verdicts[i] !== c.isValid).map((c) => c.name)).toEqual([]);
}

// RFC 7748 §5.2.
const rfc7748 = [
  [
    'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
    'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
    'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
  ],
  [
    '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
    'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
    '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
  ],
] as const;

/** X25519 against RFC 7748 and Wycheproof; returns how many were checked. */
export function expectX25519(files: VectorFiles): number {
  let checked = 0;
  for (const [secret, publicKey, shared] of rfc7748) {
    expect(x25519Shared(hex(secret), hex(publicKey))).toEqual(hex(shared));
    checked++;
  }
  type Test = { tcId: number; public: string; private: string; shared: string; result: string };
  for (const group of groups<object, Test>(files, 'wycheproof_x25519_test')) {
    for (const test of group.tests) {
      const shared = x25519Shared(hex(test.private), hex(test.public));
      const isZero = /^0*$/.test(test.shared);
      expect(shared, `wycheproof ${String(test.tcId)}`).toEqual(isZero ? null : hex(test.shared));
      expect(isLowOrderX25519(hex(test.public)), `wycheproof ${String(test.tcId)}`).toBe(isZero);
      checked++;
    }
  }
  return checked;
}

/** XChaCha20-Poly1305 against Wycheproof; returns how many were checked. */
export function expectXChaCha(files: VectorFiles): number {
  let checked = 0;
  type Group = { ivSize: number };
  type Test = {
    tcId: number;
    key: string;
    iv: string;
    aad: string;
    msg: string;
    ct: string;
    tag: string;
    result: string;
  };
  for (const group of groups<Group, Test>(files, 'wycheproof_xchacha20_poly1305_test')) {
    if (group.ivSize !== 192) continue;
    for (const test of group.tests) {
      const context = { key: hex(test.key), nonce: hex(test.iv), aad: hex(test.aad) };
      const ciphertext = hex(test.ct + test.tag);
      const opened = aeadOpen({ ...context, ciphertext });
      const name = `wycheproof ${String(test.tcId)}`;
      if (test.result === 'valid') {
        expect(opened, name).toEqual(hex(test.msg));
        expect(aeadSeal({ ...context, plaintext: hex(test.msg) }), name).toEqual(ciphertext);
      } else expect(opened, name).toBeNull();
      checked++;
    }
  }
  return checked;
}

/** HKDF-SHA-256 against Wycheproof; returns how many were checked. */
export function expectHkdf(files: VectorFiles): number {
  let checked = 0;
  type Test = { tcId: number; ikm: string; salt: string; info: string; size: number; okm: string; result: string };
  for (const group of groups<object, Test>(files, 'wycheproof_hkdf_sha256_test')) {
    for (const test of group.tests) {
      const derive = (): Bytes => hkdfExpand(hkdfExtract(hex(test.salt), hex(test.ikm)), hex(test.info), test.size);
      const name = `wycheproof ${String(test.tcId)}`;
      if (test.result === 'valid') expect(derive(), name).toEqual(hex(test.okm));
      else expect(derive, name).toThrow();
      checked++;
    }
  }
  return checked;
}
