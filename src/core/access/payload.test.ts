import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../base/index.js';
import { equalBytes } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { decodeValue, encodeValue } from '../codec/index.js';
import { entryKinds } from '../entry/index.js';
import {
  controlKind,
  decodeControl,
  encodeControl,
  maxControlPayloadBytes,
  maxWrapRecipients,
  type ControlPayload,
} from './index.js';
import { arbitraryControl, controlKinds } from './payload.kit.js';

const bytes = (length: number, fill = 7): Bytes => new Uint8Array(length).fill(fill);

describe('[CTL-1] positional payloads', () => {
  test.each(controlKinds)('[CTL-1] %s comes back, and its bytes are its only encoding', (kind) => {
    fc.assert(
      fc.property(arbitraryControl[kind], (payload) => {
        const encoded = encodeControl(payload);
        const read = decodeControl(controlKind(payload), encoded);
        expect(read).toEqual(payload);
        expect(read !== null && read !== 'unsupported' && equalBytes(encodeControl(read), encoded)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('[CTL-1] a payload of one kind is no payload of another', () => {
    for (const kind of controlKinds) {
      for (const payload of fc.sample(arbitraryControl[kind], { seed: 1, numRuns: 20 })) {
        for (const other of controlKinds) {
          if (other === kind) continue;
          expect(decodeControl(entryKinds[other], encodeControl(payload)), `${kind} as ${other}`).toBeNull();
        }
      }
    }
  });
});

const id = bytes(32);
const grant: readonly Value[] = [
  id,
  id,
  bytes(64),
  bytes(0),
  id,
  20,
  0,
  7,
  null,
  [id, 0, bytes(16)],
  [[id, id, bytes(48)]],
];
const genesis: readonly Value[] = [1, id, id, bytes(64), bytes(0), [131_072, 32, 12_288, 16]];
const invite: readonly Value[] = [id, 20, 7, id, null, 1, 1000, 2, []];
const wrap: readonly Value[] = [id, id, [[id, bytes(48)]]];
const epoch: readonly Value[] = [id, id, 2, [id], [bytes(48)]];
const domain: readonly Value[] = [id, 1, bytes(16)];
const revoke: readonly Value[] = [3, id, false, []];

const good: readonly (readonly [kind: keyof typeof entryKinds, fields: readonly Value[]])[] = [
  ['genesis', genesis],
  ['grant', grant],
  ['invite', invite],
  ['wrap', wrap],
  ['epoch', epoch],
  ['domain', domain],
  ['revoke', revoke],
  ['fold', []],
];

/** [kind, good fields, position, what is put there]. */
const malformed: readonly (readonly [keyof typeof entryKinds, readonly Value[], number, Value])[] = [
  ['genesis', genesis, 0, -1],
  ['genesis', genesis, 0, 0x1_0000],
  ['genesis', genesis, 1, bytes(31)],
  ['genesis', genesis, 3, bytes(63)],
  ['genesis', genesis, 4, bytes(16)],
  ['genesis', genesis, 4, null],
  ['genesis', genesis, 5, [131_072, 32, 12_288]],
  ['genesis', genesis, 5, [2 ** 20 + 1, 32, 12_288, 16]],
  ['genesis', genesis, 5, [131_072, 33, 12_288, 16]],
  ['genesis', genesis, 5, [131_072, 32, 12_289, 16]],
  ['genesis', genesis, 5, [131_072, 32, 12_288, 257]],
  ['grant', grant, 0, bytes(33)],
  ['grant', grant, 3, bytes(1)],
  ['grant', grant, 5, 0x1_0000],
  ['grant', grant, 6, 256],
  ['grant', grant, 7, 128],
  ['grant', grant, 7, 1.5],
  ['grant', grant, 8, [bytes(32, 2), bytes(32, 1)]],
  ['grant', grant, 8, [bytes(32, 2), bytes(32, 2)]],
  ['grant', grant, 8, false],
  ['grant', grant, 9, [id, 0x1_0000, bytes(16)]],
  ['grant', grant, 9, [id, 0]],
  ['grant', grant, 9, false],
  ['grant', grant, 10, [[id, id, bytes(47)]]],
  ['grant', grant, 10, [[id, id]]],
  ['grant', grant, 10, null],
  ['invite', invite, 2, 128],
  ['invite', invite, 5, 0],
  ['invite', invite, 5, 0x1_0000],
  ['invite', invite, 6, 2 ** 48],
  ['invite', invite, 7, 4],
  ['invite', invite, 8, [bytes(31)]],
  [
    'wrap',
    wrap,
    2,
    [
      [bytes(32, 2), bytes(48)],
      [bytes(32, 1), bytes(48)],
    ],
  ],
  [
    'wrap',
    wrap,
    2,
    [
      [bytes(32, 2), bytes(48)],
      [bytes(32, 2), bytes(48)],
    ],
  ],
  ['wrap', wrap, 2, [[id, bytes(49)]]],
  ['wrap', wrap, 2, null],
  ['epoch', epoch, 2, 2 ** 32],
  ['epoch', epoch, 3, []],
  ['epoch', epoch, 4, [bytes(47)]],
  ['epoch', epoch, 4, []],
  ['domain', domain, 1, 2],
  ['domain', domain, 1, true],
  ['domain', domain, 2, bytes(15)],
  ['revoke', revoke, 0, 4],
  ['revoke', revoke, 1, bytes(16)],
  ['revoke', revoke, 2, 0],
  ['revoke', revoke, 3, null],
];

describe('[CTL-1] malformed payloads', () => {
  test.each(good)('[CTL-1] the good %s that the table is made from', (kind, fields) => {
    expect(decodeControl(entryKinds[kind], encodeValue(fields))).toMatchObject({ kind });
  });

  test.each(malformed)('[CTL-1] %s %j with field %i = %j is none', (kind, fields, at, value) => {
    expect(
      decodeControl(entryKinds[kind], encodeValue(fields.map((field, i) => (i === at ? value : field)))),
    ).toBeNull();
  });

  test.each(good)(
    '[CTL-1] %s: another number of fields, another shape, trailing bytes, every truncation',
    (kind, fields) => {
      const encoded = encodeValue(fields);
      const asKind = (input: Bytes): unknown => decodeControl(entryKinds[kind], input);
      expect(asKind(encodeValue([...fields, null]))).toBeNull();
      if (fields.length > 0) expect(asKind(encodeValue(fields.slice(1)))).toBeNull();
      for (const value of [null, 0, 'x', {}, bytes(3)]) expect(asKind(encodeValue(value))).toBeNull();
      expect(asKind(Uint8Array.from([...encoded, 0xc0]))).toBeNull();
      for (let length = 0; length < encoded.length; length++) expect(asKind(encoded.slice(0, length))).toBeNull();
    },
  );
});

test('[CTL-2] a payload above 12 KiB is none, and has no encoding', () => {
  const wraps = Array.from({ length: 104 }, () => ({ kid: id, epk: id, sealed: bytes(48) }));
  const large = (count: number): ControlPayload => {
    const [base] = fc.sample(arbitraryControl.grant, { seed: 3, numRuns: 1 });
    if (base?.kind !== 'grant') throw new TypeError('expected a grant');
    return { ...base, write: [], wraps: wraps.slice(0, count) };
  };
  expect(encodeControl(large(95)).length).toBeLessThanOrEqual(maxControlPayloadBytes);
  expect(() => encodeControl(large(104))).toThrow(/control payload: expected 0 to 12288, got/);
  const tooLong = encodeValue([...grant.slice(0, 10), wraps.map((one) => [one.kid, one.epk, one.sealed])]);
  expect(tooLong.length).toBeGreaterThan(maxControlPayloadBytes);
  expect(decodeValue(tooLong).ok).toBe(true);
  expect(decodeControl(entryKinds.grant, tooLong)).toBeNull();
});

test('[CTL-2] a wrap entry has at most 128 recipients', () => {
  const many = (count: number): Value[] =>
    Array.from({ length: count }, (_, i) => [
      Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? i >> 1 : (i & 1) * 9)),
      bytes(48),
    ]);
  expect(decodeControl(entryKinds.wrap, encodeValue([id, id, many(maxWrapRecipients)]))).toMatchObject({
    kind: 'wrap',
  });
  expect(decodeControl(entryKinds.wrap, encodeValue([id, id, many(maxWrapRecipients + 1)]))).toBeNull();
});

test('[CTL-3] kinds of later versions are told apart from malformed ones', () => {
  for (const kind of [
    entryKinds.data,
    entryKinds.adopt,
    entryKinds.group,
    entryKinds.redact,
    entryKinds.ruleset,
    10,
    14,
    255,
  ]) {
    expect(decodeControl(kind, bytes(3))).toBe('unsupported');
  }
  const pin: Value = [id, id, 4, id, bytes(64)];
  expect(decodeControl(entryKinds.revoke, encodeValue([0, id, true, [pin]]))).toBe('unsupported');
  expect(decodeControl(entryKinds.revoke, encodeValue([1, id, false, []]))).toBe('unsupported');
  expect(decodeControl(entryKinds.revoke, encodeValue([2, id, false, []]))).toBe('unsupported');
  expect(decodeControl(entryKinds.revoke, encodeValue([3, id, false, [pin]]))).toBe('unsupported');
  expect(decodeControl(entryKinds.revoke, encodeValue([3, id, false, Array<Value>(61).fill(pin)]))).toBeNull();
});
