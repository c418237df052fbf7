import { expect, test } from 'vitest';
import { runSeed } from './run.kit.js';

test('[S15] the same seed gives the same run, frame by frame', async () => {
  for (const seed of [3, 7]) {
    const [a, b] = [await runSeed({ seed }), await runSeed({ seed })];
    expect(a.failures).toEqual([]);
    expect(b.traceHash).toBe(a.traceHash);
    expect(b.events).toBe(a.events);
  }
  expect((await runSeed({ seed: 8 })).traceHash).not.toBe((await runSeed({ seed: 9 })).traceHash);
});
