import { expect, test } from 'vitest';
import { runSeed } from './run.kit.js';

/** Seeds of the gate; `KEEPROOM_SEEDS` takes another number, for a longer night. */
const seedCount = Number(process.env['KEEPROOM_SEEDS'] ?? 500);
/** Files that share them, each a process of its own. */
const shares = 2;

/** The seeds of one share, one world after the other. What failed is printed with the seed that shows it again. */
export function registerSeeds(share: number): void {
  test(`[S15] seeds ${String(share)}, ${String(share + shares)}, … below ${String(seedCount)}: every honest device has the same, and nothing is lost`, async () => {
    const startMs = performance.now();
    const [failed, incidents, codes]: [string[], Map<string, number>, Map<string, number>] = [[], new Map(), new Map()];
    let [seeds, writes, crimes] = [0, 0, 0];
    for (let seed = share; seed < seedCount; seed += shares) {
      const report = await runSeed({ seed });
      seeds++;
      writes += report.writes;
      for (const count of report.crimes.values()) crimes += count;
      addAll(incidents, report.incidents);
      addAll(codes, report.codes);
      if (report.failures.length > 0) failed.push(`seed ${String(seed)}: ${report.failures.slice(0, 3).join('\n  ')}`);
    }
    const seconds = (performance.now() - startMs) / 1000;
    console.log(
      `[S15] ${String(seeds)} seeds, ${String(writes)} writes, ${String(crimes)} hostile acts, ${seconds.toFixed(1)} s; ${textOf(incidents)}\n  refused: ${textOf(codes)}`,
    );
    expect(failed).toEqual([]);
    expect(seeds).toBeGreaterThan(0);
  });
}

function addAll(sum: Map<string, number>, more: ReadonlyMap<string, number>): void {
  for (const [key, count] of more) sum.set(key, (sum.get(key) ?? 0) + count);
}

function textOf(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([key, count]) => `${key} ${String(count)}`)
    .join(', ');
}
