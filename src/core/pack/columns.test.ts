import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, copyBytes, equalBytes, type Bytes } from '../base/index.js';
import { createSeededNumbers, mutate } from '../codec/mutate.kit.js';
import { encodeValue } from '../codec/index.js';
import { arbitraryPayload } from '../op/op.kit.js';
import { decodePayload, encodePayload, type Op, type Payload } from '../op/index.js';
import { contentOf, maxContentBytes } from './content.js';
import { decodeBody, encodeBody, type BodyEntry } from './index.js';
import { filled } from './run.kit.js';

const entryOf = (payload: Bytes): BodyEntry => ({
  kind: 0,
  boot: filled(8, 5),
  cap: filled(32, 6),
  kid: filled(32, 7),
  hlcMs: 100,
  hlcCtr: 3,
  deps: [],
  payload,
  commit: null,
});

/** What a body of these payloads gives back. */
function throughBody(payloads: readonly Bytes[]): Bytes[] {
  const body = encodeBody(payloads.map(entryOf));
  const read = decodeBody(body, payloads.length);
  if (!read.ok) throw new Error('a good body was refused');
  const back = read.value.map(({ payload }) => payload ?? filled(0, 0));
  expect(equalBytes(encodeBody(back.map((bytes) => entryOf(copyBytes(bytes)))), body)).toBe(true);
  return back;
}

/** Bytes that nobody noted anything about, read by the strict reader. */
function readAnew(bytes: Bytes): Payload | null {
  const read = decodePayload(copyBytes(bytes));
  return read.ok ? read.value : null;
}

const id = (fill: number): Bytes => concatBytes(filled(12, fill), filled(16, 9));
const update = (fill: number, value: number | string): Op => ({
  kind: 'update',
  collection: 'cards',
  id: id(fill),
  fields: { text: value },
});
const schema = filled(8, 1);
const write = (...ops: Op[]): Bytes => encodePayload({ schema, ops });

/** Payloads of which some share ops, so that tables and runs come up. */
const arbitraryPayloads = fc
  .tuple(
    fc.array(arbitraryPayload, { minLength: 1, maxLength: 4 }),
    fc.array(fc.nat(), { minLength: 1, maxLength: 12 }),
  )
  .map(([some, picks]) => {
    const ops = some.flatMap((payload) => payload.ops);
    const shared = picks.map((pick) => ({ schema, ops: [ops[pick % ops.length], ops[(pick >> 4) % ops.length]] }));
    return [...some, ...(shared as Payload[])];
  });

describe('[PACK-6] contents as columns', () => {
  test('[PACK-6] any transactions come back as the very bytes, with the ops that the bytes say', () => {
    fc.assert(
      fc.property(arbitraryPayloads, (payloads) => {
        const written = payloads.map(encodePayload);
        const back = throughBody(written);
        expect(back).toEqual(written);
        for (const bytes of back) expect(decodePayload(bytes)).toEqual({ ok: true, value: readAnew(bytes) });
      }),
      { numRuns: 300 },
    );
  });

  test('[PACK-6] from any entry on it is what it is in all', () => {
    const odd = fc.constantFrom(filled(3, 1), encodeValue([schema, [[7, 'later', null]]]));
    const mixed = fc.tuple(arbitraryPayloads, fc.array(fc.tuple(fc.nat(20), odd), { maxLength: 4 }), fc.nat(40));
    fc.assert(
      fc.property(mixed, ([payloads, others, pick]) => {
        const written = payloads.map(encodePayload);
        for (const [at, bytes] of others) written.splice(at % (written.length + 1), 0, bytes);
        const [body, from] = [encodeBody(written.map(entryOf)), pick % (written.length + 1)];
        const [all, end] = [decodeBody(body, written.length), decodeBody(body, written.length, from)];
        if (!all.ok || !end.ok) throw new Error('a good body was refused');
        expect(end.value).toEqual(all.value.slice(from));
        for (const { payload } of end.value)
          expect(decodePayload(payload ?? filled(0, 0))).toEqual(decodePayload(copyBytes(payload ?? filled(0, 0))));
      }),
      { numRuns: 300 },
    );
  });

  test('[F14] what is no payload, or has an op of an unknown code, travels as it is', () => {
    const odd = encodeValue([schema, [[7, 'later', null]]]);
    const payloads = [
      Uint8Array.of(1, 2, 3),
      odd,
      write(update(1, 'a')),
      concatBytes(write(update(1, 'a')), filled(1, 0)),
    ];
    expect(payloads.map((bytes) => contentOf(bytes) !== null)).toEqual([false, false, true, false]);
    expect(throughBody(payloads)).toEqual(payloads);
  });

  test('[PACK-6] 1,000 updates of one field cost a few bytes each', () => {
    const numbers = createSeededNumbers(1);
    const payloads = Array.from({ length: 1000 }, (_, i) => write(update(i % 50, Math.floor(numbers() * 1000))));
    expect(throughBody(payloads)).toEqual(payloads);
    const bytes = encodeBody(payloads.map(entryOf)).length;
    console.log(`[PACK-6] ${String(bytes)} bytes before deflate, ${String(payloads.length)} entries`);
    expect(bytes).toBeLessThan(12_000);
  });

  const good = encodeBody([entryOf(write(update(1, 5), update(2, 6)))]);
  test.each([
    [
      'a payload as it is that has columns',
      (): Bytes => {
        const payload = write(update(1, 5));
        return concatBytes(
          encodeBody([entryOf(filled(3, 1))]).subarray(0, -5),
          Uint8Array.of(1, payload.length),
          payload,
        );
      },
    ],
    ['an op without an end', (): Bytes => good.subarray(0, -1)],
    ['trailing bytes', (): Bytes => concatBytes(good, filled(1, 0))],
  ])('[PACK-6] %s is a bad body', (_, make) => {
    expect(decodeBody(make(), 1)).toMatchObject({ ok: false, fault: { code: 'pack/bad-body' } });
  });

  test('[F24] columns that stand for more than a body may hold are a bad body, whatever they weigh', () => {
    const text = 'x'.repeat(60_000);
    const few = Array.from({ length: 16 }, () => write(update(1, text)));
    expect(decodeBody(encodeBody(few.map(entryOf)), 16).ok).toBe(true);
    const many = Array.from({ length: 20 }, () => write(update(1, text)));
    expect(20 * text.length).toBeGreaterThan(maxContentBytes);
    expect(decodeBody(encodeBody(many.map(entryOf)), 20).ok).toBe(false);
    // A run of nulls weighs nothing.
    const nulls = Array.from({ length: 4096 }, () => ({ ...update(1, 1), fields: { text: null } }));
    const payloads = Array.from({ length: 10 }, () => encodePayload({ schema, ops: nulls.slice(0, 2500) }));
    const bomb = encodeBody(payloads.map(entryOf));
    expect(bomb.length).toBeLessThan(100_000);
    expect(decodeBody(bomb, 10).ok).toBe(false);
  });

  test('[S04] 100,000 mutated columns: no throw, and what is accepted says what its bytes say', () => {
    const samples = fc.sample(arbitraryPayloads, { seed: 7, numRuns: 60 });
    const corpus = samples.map((payloads) => encodeBody(payloads.map((payload) => entryOf(encodePayload(payload)))));
    const next = createSeededNumbers(20_260_105);
    const counts = samples.map((payloads) => payloads.length);
    let accepted = 0;
    for (let i = 0; i < 100_000; i++) {
      const input = mutate(corpus, next);
      const count = counts[Math.floor(next() * counts.length)] ?? 1;
      const read = decodeBody(input, count);
      if (!read.ok) continue;
      accepted++;
      expect(equalBytes(encodeBody(read.value), input)).toBe(true);
      for (const { payload } of read.value)
        if (payload !== null && contentOf(payload) !== null) expect(contentOf(payload)).toEqual(readAnew(payload));
    }
    console.log(`[S04] columns: ${String(accepted)} of 100,000 accepted`);
    expect(accepted).toBeGreaterThan(100);
  }, 120_000);
});
