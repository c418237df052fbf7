import { expect, test } from 'vitest';
import { repository, tool } from './pack.kit.js';

interface Measure {
  readonly name: string;
  readonly size: number;
  readonly sizeLimit: number;
}

/** Where the worker is meant to be, and where it is: it grew by columns, compaction, snapshots and what reviews found. */
const worker = { goalBytes: 60_000, reachedBytes: 99_600 };

test('[S20] what a user downloads, everything bundled, minified, gzip: the page within its limits, the worker no larger than is known', async () => {
  const { output } = await tool('../scripts/size.mjs', ['--json'], repository);
  const measures = JSON.parse(output) as Measure[];
  for (const { name, size, sizeLimit } of measures) console.log(`${name}: ${size} B of ${sizeLimit} B`);
  console.log(`[S20] the worker's goal of ${worker.goalBytes} B is not reached yet`);
  expect(Object.fromEntries(measures.map(({ name, sizeLimit }) => [name, sizeLimit]))).toEqual({
    keeproom: 14_000,
    worker: worker.reachedBytes,
    'keeproom/livekit': 4_000,
    'curves, where the platform lacks them': 10_000,
  });
  expect(measures.filter(({ size, sizeLimit }) => size > sizeLimit)).toEqual([]);
});
