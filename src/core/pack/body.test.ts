import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes, Result } from '../base/index.js';
import { concatBytes, equalBytes, toHex } from '../base/index.js';
import type { BodyEntry } from './index.js';
import { decodeBody, encodeBody, maxUnitEntries } from './index.js';
import { arbitraryRun, bodyOf, filled } from './run.kit.js';
import { createByteSink, createByteSource } from './varint.js';

const entry: BodyEntry = {
  kind: 0,
  boot: filled(8, 5),
  cap: filled(32, 6),
  kid: filled(32, 7),
  hlcMs: 100,
  hlcCtr: 3,
  deps: [],
  payload: Uint8Array.of(1, 2, 3),
  commit: null,
};

function codeOf(result: Result<unknown>): string | null {
  return result.ok ? null : result.fault.code;
}

const run = (length: number, kind = 0): Bytes =>
  concatBytes(Uint8Array.of(length, kind), filled(8, 5), filled(32, 6), filled(32, 7));

describe('[PACK-3] columns of body version 2', () => {
  test('[PACK-3] what lies where', () => {
    const second = { ...entry, hlcMs: 98, deps: [filled(32, 1), filled(32, 2)], payload: null, commit: filled(32, 9) };
    const third = { ...entry, kind: 255, hlcMs: 98 + 300, hlcCtr: 200, payload: filled(130, 8) };
    const expected = concatBytes(
      Uint8Array.of(2),
      run(2),
      run(1, 255),
      Uint8Array.of(0xc8, 1, 3, 0xd8, 4), // +100, -2, +300
      Uint8Array.of(3, 3, 0xc8, 1),
      Uint8Array.of(0, 2, 0),
      filled(32, 1),
      filled(32, 2),
      Uint8Array.of(1, 2, 1),
      Uint8Array.of(3, 0x82, 1),
      Uint8Array.of(1, 2, 3),
      filled(32, 9),
      filled(130, 8),
    );
    expect(toHex(encodeBody([entry, second, third]))).toBe(toHex(expected));
    expect(decodeBody(expected, 3)).toEqual({ ok: true, value: [entry, second, third] });
  });

  test('[PACK-3] entries come back, and their bytes are their only encoding', () => {
    fc.assert(
      fc.property(arbitraryRun, ({ entries }) => {
        const bodies = entries.map(bodyOf);
        const bytes = encodeBody(bodies);
        const read = decodeBody(bytes, bodies.length);
        expect(read).toEqual({ ok: true, value: bodies });
        expect(read.ok && equalBytes(encodeBody(read.value), bytes)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('[PACK-3] a full unit; nothing of the result aliases the input', () => {
    const bodies = Array.from({ length: maxUnitEntries }, (_, i) => ({
      ...entry,
      hlcMs: 1_700_000_000_000 + 16 * i,
      payload: filled(3, i & 255),
    }));
    const bytes = encodeBody(bodies);
    const read = decodeBody(bytes, maxUnitEntries);
    bytes.fill(0xee);
    expect(read).toEqual({ ok: true, value: bodies });
    expect(bytes.length / maxUnitEntries).toBeLessThan(10);
  });

  test('[PACK-3] an entry without payload and commitment has no encoding', () => {
    expect(() => encodeBody([{ ...entry, payload: null }])).toThrow(/needs a payload or its commitment/);
  });

  const clock = Uint8Array.of(0xc8, 1, 3, 0);
  const payload = Uint8Array.of(1, 1, 9);
  const latest = Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f);
  const withDeps = (...deps: Bytes[]): Bytes =>
    concatBytes(Uint8Array.of(2), run(1), Uint8Array.of(2, 0, deps.length), ...deps, payload);

  test('[PACK-3] the good bodies that the table is made from', () => {
    expect(decodeBody(concatBytes(Uint8Array.of(2), run(1), clock, payload), 1).ok).toBe(true);
    expect(decodeBody(withDeps(filled(32, 1), filled(32, 2)), 1).ok).toBe(true);
    const atLast = concatBytes(Uint8Array.of(2), run(2), latest, Uint8Array.of(0, 0, 0, 0, 0, 1, 1, 0, 0));
    expect(decodeBody(atLast, 2)).toMatchObject({ ok: true, value: [{ hlcMs: 2 ** 48 - 1 }, { hlcMs: 2 ** 48 - 1 }] });
  });

  test.each([
    ['another body version', 1, concatBytes(Uint8Array.of(1), run(1), clock, payload)],
    ['nothing', 1, filled(0, 0)],
    ['a run of none', 1, concatBytes(Uint8Array.of(2), run(0), run(1), clock, payload)],
    ['a run that is longer than the unit', 1, concatBytes(Uint8Array.of(2), run(2), clock, payload)],
    [
      'two runs that are one',
      2,
      concatBytes(Uint8Array.of(2), run(1), run(1), Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 1, 0, 0)),
    ],
    ['fewer entries than the header says', 2, concatBytes(Uint8Array.of(2), run(1), clock, payload)],
    ['a time before 1970', 1, concatBytes(Uint8Array.of(2), run(1), Uint8Array.of(1, 0, 0), payload)],
    [
      'a time beyond 48 bits',
      2,
      concatBytes(Uint8Array.of(2), run(2), latest, Uint8Array.of(2, 0, 0, 0, 0, 1, 1, 0, 0)),
    ],
    ['a counter beyond 16 bits', 1, concatBytes(Uint8Array.of(2), run(1), Uint8Array.of(0, 0x80, 0x80, 4, 0), payload)],
    ['33 dependencies', 1, withDeps(...Array.from({ length: 33 }, (_, i) => filled(32, i)))],
    ['dependencies out of order', 1, withDeps(filled(32, 2), filled(32, 1))],
    ['a dependency twice', 1, withDeps(filled(32, 2), filled(32, 2))],
    ['columns without a content', 1, concatBytes(Uint8Array.of(2), run(1), clock, Uint8Array.of(0, 1, 9))],
    ['mode 3', 1, concatBytes(Uint8Array.of(2), run(1), clock, Uint8Array.of(3), filled(32, 9))],
    ['a payload longer than the body', 1, concatBytes(Uint8Array.of(2), run(1), clock, Uint8Array.of(1, 2, 9))],
    ['a length in a longer form', 1, concatBytes(Uint8Array.of(2), run(1), clock, Uint8Array.of(1, 0x81, 0, 9))],
    ['trailing bytes', 1, concatBytes(Uint8Array.of(2), run(1), clock, payload, filled(1, 0))],
  ])('[PACK-3] %s is a bad body', (_, count, bytes) => {
    expect(codeOf(decodeBody(bytes, count))).toBe('pack/bad-body');
  });

  test('[PACK-3] every truncation is a bad body', () => {
    const bytes = encodeBody([
      entry,
      { ...entry, kind: 255, deps: [filled(32, 1)] },
      { ...entry, payload: null, commit: filled(32, 9) },
    ]);
    for (let length = 0; length < bytes.length; length++)
      expect(codeOf(decodeBody(bytes.slice(0, length), 3))).toBe('pack/bad-body');
  });
});

describe('[PACK-4] numbers', () => {
  const write = (value: number): Bytes => {
    const sink = createByteSink();
    sink.uint(value);
    return sink.take();
  };
  const read = (...bytes: number[]): number | null => createByteSource(Uint8Array.from(bytes)).uint();

  test('[PACK-4] little-endian groups of 7 bits, up to 2^49 - 1 in 7 bytes', () => {
    expect(toHex(write(0))).toBe('00');
    expect(toHex(write(127))).toBe('7f');
    expect(toHex(write(128))).toBe('8001');
    expect(toHex(write(300))).toBe('ac02');
    expect(toHex(write(2 ** 49 - 1))).toBe('ffffffffffff7f');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 49 - 1 }), (value) => {
        expect(read(...write(value))).toBe(value);
      }),
    );
  });

  test('[PACK-4] the widest step in time there is has a form', () => {
    for (const times of [
      [2 ** 48 - 1, 0],
      [0, 2 ** 48 - 1, 0, 2 ** 47],
    ]) {
      const bodies = times.map((hlcMs) => ({ ...entry, hlcMs }));
      expect(decodeBody(encodeBody(bodies), bodies.length)).toEqual({ ok: true, value: bodies });
    }
  });

  test('[PACK-4] a longer form, an eighth group and an end before the end are no numbers', () => {
    expect(read(0x80, 0)).toBeNull();
    expect(read(0xff, 0x80, 0)).toBeNull();
    expect(read(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1)).toBeNull();
    expect(read(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)).toBeNull();
    expect(read(...filled(200, 0x80), 1)).toBeNull(); // beyond what a double holds
    expect(read(0x80)).toBeNull();
    expect(read()).toBeNull();
  });

  test('[PACK-4] after one end every read gives nothing', () => {
    const source = createByteSource(Uint8Array.of(1, 2));
    expect(source.bytes(3)).toBeNull();
    expect(source.byte()).toBeNull();
    expect(source.bytes(1)).toBeNull();
    expect(source.uint()).toBeNull();
    expect(source.atEnd()).toBe(false);
  });
});
