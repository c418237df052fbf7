import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes, equalBytes } from '../base/index.js';
import { decodeValue, encodeValue } from './index.js';
import { createSeededNumbers, mutate } from './mutate.kit.js';
import { arbitraryValue } from './value.kit.js';

const inputs = 100_000;
// Times are of a shared machine: the bound tells a runaway input from a pause.
const seed = 20_260_101;

test('[S04] 100,000 mutated values: no throw, what is accepted is written back byte-equal, time and memory bounded', () => {
  const corpus = fc
    .sample(arbitraryValue, { seed, numRuns: 400 })
    .map((value) => encodeValue(value))
    .filter((bytes) => bytes.length <= 2_048);
  const next = createSeededNumbers(seed);
  const heapBefore = process.memoryUsage().heapUsed;
  const started = performance.now();
  let accepted = 0;
  let slowestMs = 0;
  const codes = new Map<string, number>();
  for (let i = 0; i < inputs; i++) {
    const input = mutate(corpus, next);
    const before = performance.now();
    const read = decodeValue(input);
    slowestMs = Math.max(slowestMs, performance.now() - before);
    if (!read.ok) {
      codes.set(read.fault.code, (codes.get(read.fault.code) ?? 0) + 1);
      continue;
    }
    accepted++;
    if (!equalBytes(encodeValue(read.value), input)) expect.fail(`input ${String(i)} of seed ${String(seed)}`);
  }
  const totalMs = performance.now() - started;
  const heapMiB = (process.memoryUsage().heapUsed - heapBefore) / 2 ** 20;
  console.log(
    `[S04] values: ${String(inputs)} inputs from ${String(corpus.length)} in ${totalMs.toFixed(0)} ms, ` +
      `slowest ${slowestMs.toFixed(1)} ms, heap +${heapMiB.toFixed(0)} MiB, ${String(accepted)} accepted, ` +
      JSON.stringify(Object.fromEntries(codes)),
  );
  expect(accepted).toBeGreaterThan(1_000);
  expect(codes.get('value/malformed')).toBeGreaterThan(1_000);
  expect(slowestMs).toBeLessThan(2_000);
  expect(heapMiB).toBeLessThan(256);
}, 60_000);

test('[S04] inputs made to be dear end within the limits', () => {
  const size = 262_144;
  const filled = (...unit: number[]): Uint8Array<ArrayBuffer> =>
    Uint8Array.from({ length: size }, (_, i) => unit[i % unit.length] ?? 0);
  const withHead = (head: number[], rest: Uint8Array): Uint8Array<ArrayBuffer> =>
    concatBytes(Uint8Array.from(head), rest.subarray(head.length));
  const cases = {
    'nested arrays': filled(0x91),
    'nested maps': filled(0x81, 0xa0),
    'arrays of arrays': filled(0x9f),
    'empty maps': withHead([0xdd, 0, 3, 255, 250], filled(0x80)),
    'array of 2^32 - 1': withHead([0xdd, 255, 255, 255, 255], filled(0)),
    'map of 2^31': withHead([0xdf, 128, 0, 0, 0], filled(0xa0, 0)),
    'text of lone continuations': withHead([0xdb, 0, 3, 255, 251], filled(0x80)),
  };
  for (const [name, input] of Object.entries(cases)) {
    const before = performance.now();
    const read = decodeValue(input);
    const ms = performance.now() - before;
    expect(read.ok, name).toBe(false);
    expect(ms, name).toBeLessThan(2_000);
  }
});
