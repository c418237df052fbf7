import { expect, test } from 'vitest';
import type { Weakness } from '../engine/index.js';
import { runSeed } from './run.kit.js';

test('[S15] the same seed gives the same run, frame by frame', async () => {
  for (const seed of [3, 17]) {
    const [a, b] = [await runSeed({ seed }), await runSeed({ seed })];
    expect(a.failures).toEqual([]);
    expect(b.traceHash).toBe(a.traceHash);
    expect(b.events).toBe(a.events);
  }
  expect((await runSeed({ seed: 8 })).traceHash).not.toBe((await runSeed({ seed: 9 })).traceHash);
});

/** Each defence, and the seed to begin with: one that failed without it when this was written. */
const weaknesses: Readonly<Record<Weakness, number>> = {
  signature: 11,
  prev: 135,
  commitment: 7,
  permission: 31,
  replay: 3,
  dedupe: 0,
  fence: 102,
  'resume-probe': 236,
};
/** So many seeds are tried; with all defences none of them fails. */
const maxTries = 24;

test('[S15] without any one of the defences some seed fails', async () => {
  const table: string[] = [];
  for (const [weakness, first] of Object.entries(weaknesses) as [Weakness, number][]) {
    const found = await firstFailure(weakness, first);
    table.push(`${weakness.padEnd(13)} ${found ?? 'no seed fails'}`);
  }
  console.log(`[S15] switched off  seed  what failed\n${table.join('\n')}`);
  expect(table.filter((line) => line.endsWith('no seed fails'))).toEqual([]);
});

async function firstFailure(weakness: Weakness, first: number): Promise<string | null> {
  for (let seed = first; seed < first + maxTries; seed++) {
    const { failures } = await runSeed({ seed, weaknesses: [weakness] });
    const [failure] = failures;
    if (failure !== undefined) return `${String(seed).padStart(9)}  ${failure.split('\n', 1)[0]?.slice(0, 120) ?? ''}`;
  }
  return null;
}
