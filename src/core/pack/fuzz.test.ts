import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Bytes, Result } from '../base/index.js';
import { concatBytes, createWriter, equalBytes, toHex } from '../base/index.js';
import { createSeededNumbers } from '../codec/mutate.kit.js';
import { aeadSeal, deriveKey, labels } from '../crypto/index.js';
import { createMutator } from '../wire/mutate.kit.js';
import { decodeBody, decodePack, encodeBody, maxUnitEntries, openPack } from './index.js';
import { arbitraryRun, bodyOf, filled, packOf, prks, readPack, roomId, sealer, sealKid } from './run.kit.js';

const inputs = 100_000;
const seed = 20_260_105;
const runs = fc.sample(arbitraryRun, { seed, numRuns: 60 });
const packs = runs.map((run) => packOf(run));
const prk = prks.get(toHex(sealKid)) ?? filled(32, 0);

interface Fuzz {
  readonly name: string;
  readonly count: number;
  readonly input: () => Bytes;
  readonly decode: (input: Bytes) => Result<unknown>;
  readonly accepted: (input: Bytes) => boolean;
}

/** Decodes `count` inputs; answers how often each outcome came. */
function fuzz({ name, count, input, decode, accepted }: Fuzz): Map<string, number> {
  const started = performance.now();
  const outcomes = new Map<string, number>();
  let slowest = { bytes: filled(0, 0), ms: 0 };
  for (let i = 0; i < count; i++) {
    const bytes = input();
    const before = performance.now();
    const read = decode(bytes);
    const ms = performance.now() - before;
    if (ms > slowest.ms) slowest = { bytes, ms };
    const outcome = read.ok ? 'accepted' : read.fault.code;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (read.ok && !accepted(bytes)) expect.fail(`${name}: input ${String(i)} of seed ${String(seed)}`);
  }
  const slowestMs = leastMs(() => decode(slowest.bytes));
  const shown = JSON.stringify(Object.fromEntries(outcomes));
  console.log(
    `[S04] ${name}: ${String(count)} inputs in ${(performance.now() - started).toFixed(0)} ms, slowest ${slowestMs.toFixed(2)} ms, ${shown}`,
  );
  expect(slowestMs).toBeLessThan(20);
  return outcomes;
}

/** Of five runs the fastest: the others may have been interrupted. */
function leastMs(run: () => unknown): number {
  const times = Array.from({ length: 5 }, () => {
    const before = performance.now();
    run();
    return performance.now() - before;
  });
  return Math.min(...times);
}

test('[S04] 100,000 mutated packs: no throw, what is accepted has the length it states', () => {
  const outcomes = fuzz({
    name: 'packs',
    count: inputs,
    input: createMutator(packs, createSeededNumbers(seed)),
    decode: decodePack,
    accepted: (input) => {
      const read = decodePack(input);
      return read.ok && read.value.sealedHead.length + 24 + read.value.body.length + 64 === input.length;
    },
  });
  expect(outcomes.get('accepted')).toBeGreaterThan(1_000);
  expect(outcomes.get('pack/malformed')).toBeGreaterThan(10_000);
}, 60_000);

test('[S04] 100,000 mutated bodies: no throw, what is accepted is written back byte-equal', () => {
  const corpus = runs.map((run) => encodeBody(run.entries.map(bodyOf)));
  const next = createSeededNumbers(seed);
  const counts = [...runs.map((run) => run.entries.length), maxUnitEntries];
  let count = 1;
  const mutated = createMutator(corpus, next);
  const outcomes = fuzz({
    name: 'bodies',
    count: inputs,
    input: () => {
      count = counts[Math.floor(next() * counts.length)] ?? 1;
      return mutated();
    },
    decode: (input) => decodeBody(input, count),
    accepted: (input) => {
      const read = decodeBody(input, count);
      return read.ok && equalBytes(encodeBody(read.value), input);
    },
  });
  expect(outcomes.get('accepted')).toBeGreaterThan(400);
  expect(outcomes.get('pack/bad-body')).toBeGreaterThan(10_000);
}, 60_000);

test('[S04] 100,000 bodies that a member sealed badly: a typed fault each, or exactly what was sealed', () => {
  const next = createSeededNumbers(seed);
  const small = runs.filter((run) => run.entries.length <= 2);
  const plaintexts = small.map((run) => {
    const columns = encodeBody(run.entries.map(bodyOf));
    return concatBytes(createWriter(8).u32(columns.length).u32(columns.length).done(), columns, filled(32, 0));
  });
  const mutated = createMutator(plaintexts, next);
  const [first] = packs;
  if (first === undefined) throw new TypeError('expected a pack');
  const key = deriveKey(prk, labels.pack, sealer);
  const nonce = filled(24, 1);
  const outcomes = fuzz({
    name: 'sealed bodies',
    count: inputs,
    input: mutated,
    decode: (plaintext) => {
      const head = concatBytes(
        first.subarray(0, 12),
        createWriter(4)
          .u32(plaintext.length + 16)
          .done(),
        first.subarray(16, 272),
      );
      head[2] = plaintext.length & 1;
      const pack = decodePack(
        concatBytes(head, nonce, aeadSeal({ key, nonce, aad: concatBytes(roomId, head), plaintext }), filled(64, 0)),
      );
      return pack.ok ? openPack(pack.value, { prk, roomId }) : pack;
    },
    accepted: () => true,
  });
  expect(outcomes.get('pack/bad-body')).toBeGreaterThan(10_000);
}, 120_000);

test('[S04] 3,000 mutated packs under the right key: nothing but the original opens', () => {
  const mutated = createMutator(packs.slice(0, 1), createSeededNumbers(seed));
  const signed = (bytes: Bytes): Bytes => bytes.subarray(0, bytes.length - 64);
  const [original] = packs;
  if (original === undefined) throw new TypeError('expected a pack');
  for (let i = 0; i < 3_000; i++) {
    const input = mutated();
    const isOriginal = input.length === original.length && equalBytes(signed(input), signed(original));
    expect(readPack(input).ok).toBe(isOriginal);
  }
}, 60_000);
