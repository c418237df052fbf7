import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../base/index.js';
import { concatBytes, copyBytes, toHex } from '../base/index.js';
import { deriveKey, ed25519PublicKey, hmacSha256, labels, sha256, signEd25519, verifyStrict } from '../crypto/index.js';
import type { EntryBody, EntryPlace } from './index.js';
import { commitKey, commitment, entryId, entryKinds, entryPreimage, headMessage, maxDeps } from './index.js';

const filled = (length: number, fill: number): Bytes => new Uint8Array(length).fill(fill);

const place: EntryPlace = {
  roomId: filled(32, 1),
  domainId: filled(32, 2),
  author: filled(32, 3),
  seq: 0x0102_0304_0506,
  prev: filled(32, 4),
};
const body: EntryBody = {
  kind: entryKinds.data,
  boot: filled(8, 5),
  cap: filled(32, 6),
  kid: filled(32, 7),
  hlcMs: 0x0708_090a_0b0c,
  hlcCtr: 0x0d0e,
  deps: [filled(32, 8), filled(32, 9)],
  payload: filled(3, 10),
  commit: filled(32, 11),
};

describe('[ENT-1] the preimage', () => {
  test('[ENT-1] every field lies at its offset', () => {
    const bytes = entryPreimage(place, body);
    const at = (from: number, to: number): string => toHex(bytes.subarray(from, to));
    expect(bytes.length).toBe(272 + 2 * 32);
    expect(new TextDecoder().decode(bytes.subarray(0, 16))).toBe('keeproom/entry/1');
    expect(at(16, 24)).toBe('0101000000000000');
    expect(at(24, 32)).toBe('05'.repeat(8));
    for (const [from, fill] of [
      [32, '01'],
      [64, '02'],
      [96, '03'],
      [128, '06'],
      [160, '07'],
      [192, '04'],
      [224, '0b'],
    ] as const) {
      expect(at(from, from + 32)).toBe(fill.repeat(32));
    }
    expect(at(256, 262)).toBe('010203040506');
    expect(at(262, 268)).toBe('0708090a0b0c');
    expect(at(268, 270)).toBe('0d0e');
    expect(at(270, 272)).toBe('0002');
    expect(at(272, 336)).toBe('08'.repeat(32) + '09'.repeat(32));
  });

  test('[ENT-1] the id is its SHA-256, and every field changes it but the payload, which only the commitment names', () => {
    const id = entryId(place, body);
    expect(id).toEqual(sha256(entryPreimage(place, body)));
    expect(entryId(place, { ...body, payload: null })).toEqual(id);
    const others = [
      entryId({ ...place, roomId: filled(32, 99) }, body),
      entryId({ ...place, domainId: filled(32, 99) }, body),
      entryId({ ...place, author: filled(32, 99) }, body),
      entryId({ ...place, seq: 1 }, body),
      entryId({ ...place, prev: filled(32, 99) }, body),
      entryId(place, { ...body, kind: entryKinds.grant }),
      entryId(place, { ...body, boot: filled(8, 99) }),
      entryId(place, { ...body, cap: filled(32, 99) }),
      entryId(place, { ...body, kid: filled(32, 99) }),
      entryId(place, { ...body, hlcMs: 1 }),
      entryId(place, { ...body, hlcCtr: 1 }),
      entryId(place, { ...body, deps: [filled(32, 8)] }),
      entryId(place, { ...body, deps: [] }),
      entryId(place, { ...body, commit: filled(32, 99) }),
    ].map(toHex);
    expect(new Set([...others, toHex(id)]).size).toBe(others.length + 1);
  });

  test('[ENT-3] as many dependencies as there may be have room, at the largest seq and time', () => {
    const deps = Array.from({ length: maxDeps }, (_, i) => filled(32, i + 1));
    const bytes = entryPreimage({ ...place, seq: 2 ** 48 - 1 }, { ...body, deps, hlcMs: 2 ** 48 - 1, hlcCtr: 0xffff });
    expect(bytes.length).toBe(272 + 32 * 32);
    expect(toHex(bytes.subarray(256, 272))).toBe('ff'.repeat(14) + '0020');
  });

  test('[ENT-1] is written anew each time: nobody holds the bytes of another', () => {
    const bytes = entryPreimage(place, body);
    bytes.fill(0);
    expect(entryPreimage(place, body)[0]).toBe('k'.charCodeAt(0));
  });
});

describe('[F3] the head signature', () => {
  test('[F3] covers label, room, domain, seq as u64, and id', () => {
    const id = entryId(place, body);
    const message = headMessage(place.roomId, place.domainId, { seq: place.seq, id });
    expect(toHex(message)).toBe(
      toHex(labels.head) + toHex(place.roomId) + toHex(place.domainId) + '0000010203040506' + toHex(id),
    );
  });

  test('[F3] a head is checked without any key, and says nothing of another room, domain, place or entry', () => {
    const seed = filled(32, 42);
    const id = entryId(place, body);
    const device = ed25519PublicKey(seed);
    const signature = signEd25519(seed, headMessage(place.roomId, place.domainId, { seq: 7, id }));
    const isGood = (room: Bytes, domain: Bytes, head: { seq: number; id: Bytes }): boolean =>
      verifyStrict(device, headMessage(room, domain, head), signature);
    expect(isGood(place.roomId, place.domainId, { seq: 7, id })).toBe(true);
    expect(isGood(filled(32, 9), place.domainId, { seq: 7, id })).toBe(false);
    expect(isGood(place.roomId, filled(32, 9), { seq: 7, id })).toBe(false);
    expect(isGood(place.roomId, place.domainId, { seq: 8, id })).toBe(false);
    expect(isGood(place.roomId, place.domainId, { seq: 7, id: filled(32, 9) })).toBe(false);
  });
});

describe('[ENT-4] the commitment', () => {
  const prk = filled(32, 20);

  test('[ENT-4] is a keyed hash of seq and payload under a key of (domain, author); in control under zeros', () => {
    const key = commitKey(prk, place.domainId, place.author);
    expect(key).toEqual(deriveKey(prk, labels.commit, place.domainId, place.author));
    expect(commitKey(null, place.domainId, place.author)).toEqual(filled(32, 0));
    const payload = filled(5, 1);
    const seq = Uint8Array.of(0, 0, 0, 1, 0, 2);
    expect(commitment(key, 0x1_0002, payload)).toEqual(hmacSha256(key, concatBytes(seq, payload)));
  });

  test('[ENT-4] nothing can be moved: another payload, place, author, domain or epoch has another commitment', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.uint8Array({ maxLength: 60 }),
        fc.nat(9),
        fc.nat(9),
        (a, b, i, j) => {
          const key = commitKey(prk, place.domainId, place.author);
          const same = toHex(a) === toHex(b) && i === j;
          expect(toHex(commitment(key, i, copyBytes(a))) === toHex(commitment(key, j, copyBytes(b)))).toBe(same);
        },
      ),
    );
    const keys = [
      commitKey(prk, place.domainId, place.author),
      commitKey(filled(32, 21), place.domainId, place.author),
      commitKey(prk, filled(32, 99), place.author),
      commitKey(prk, place.domainId, filled(32, 99)),
    ].map(toHex);
    expect(new Set(keys).size).toBe(4);
  });
});

test('[F19] the numbers of the kinds are fixed', () => {
  expect(entryKinds).toEqual({
    data: 0,
    genesis: 1,
    grant: 2,
    revoke: 3,
    adopt: 4,
    epoch: 5,
    wrap: 6,
    domain: 7,
    group: 8,
    invite: 9,
    fold: 11,
    redact: 12,
    ruleset: 13,
  });
});
