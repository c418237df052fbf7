import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Bytes } from '../base/index.js';
import { equalBytes } from '../base/index.js';
import { createSeededNumbers } from '../codec/mutate.kit.js';
import { entryKinds } from '../entry/index.js';
import { createMutator } from '../wire/mutate.kit.js';
import { decodeControl, encodeControl } from './index.js';
import { arbitraryControl, controlKinds } from './payload.kit.js';

const inputs = 100_000;
const seed = 20_260_104;

test.each(controlKinds)(
  '[S04] control %s: 100,000 mutated payloads, no throw, what is accepted is written back byte-equal',
  (kind) => {
    const corpus = fc.sample(arbitraryControl[kind], { seed, numRuns: 40 }).map((payload) => encodeControl(payload));
    const mutated = createMutator(corpus, createSeededNumbers(seed));
    const started = performance.now();
    const counts = { accepted: 0, refused: 0, unsupported: 0 };
    let slowest = { input: new Uint8Array(), ms: 0 };
    for (let i = 0; i < inputs; i++) {
      const input = mutated();
      const before = performance.now();
      const read = decodeControl(entryKinds[kind], input);
      const ms = performance.now() - before;
      if (ms > slowest.ms) slowest = { input, ms };
      if (read === null) counts.refused++;
      else if (read === 'unsupported') counts.unsupported++;
      else {
        counts.accepted++;
        if (!equalBytes(encodeControl(read), input)) expect.fail(`input ${String(i)} of seed ${String(seed)}`);
      }
    }
    const slowestMs = leastMs(slowest.input, kind);
    const ms = (performance.now() - started).toFixed(0);
    console.log(
      `[S04] control ${kind}: ${String(inputs)} inputs in ${ms} ms, slowest ${slowestMs.toFixed(2)} ms, ${JSON.stringify(counts)}`,
    );
    expect(counts.accepted).toBeGreaterThan(100);
    expect(counts.refused).toBeGreaterThan(10_000);
    expect(slowestMs).toBeLessThan(20);
  },
  60_000,
);

/** Of five runs the fastest: the others may have been interrupted. */
function leastMs(input: Bytes, kind: keyof typeof entryKinds): number {
  const times = Array.from({ length: 5 }, () => {
    const before = performance.now();
    decodeControl(entryKinds[kind], input);
    return performance.now() - before;
  });
  return Math.min(...times);
}
