import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createProgress } from './progress.js';

/** Takes packs of 1,024 entries up to 100,000 from sources that say so much; gives what was shown after each. */
function shown(said: (pack: number) => number | null): number[] {
  const progress = createProgress();
  return Array.from({ length: 98 }, (_, pack) => {
    progress.took(1024, { have: 1024 * (pack + 1), said: said(pack) });
    return progress.value();
  });
}

function expectForward(values: readonly number[]): void {
  expect(values).toEqual([...values].sort((a, b) => a - b));
  for (const value of values) expect(value >= 0 && value <= 0.99).toBe(true);
}

test('[B08] with one source progress is the part of what it says that is here, and begins anew with the next catch-up', () => {
  const values = shown(() => 98 * 1024);
  expectForward(values);
  expect(new Set(values).size).toBeGreaterThan(90);
  expect(values[48]).toBe(0.5);
  expect(values.at(-1)).toBe(0.99);
  const progress = createProgress();
  progress.took(1, { have: 1, said: 2 });
  progress.took(0, { have: 0, said: 0 });
  expect(progress.value()).toBe(0.5);
  progress.restart();
  expect(progress.value()).toBe(0);
});

test.each([
  ['2^48 entries', 2 ** 48 - 1],
  ['more than a number holds', 180 * (2 ** 48 - 1)],
  ['nothing', null],
  ['less than it gave', 7],
])('[B08] a source that says to hold %s does not keep progress from moving', (_what, said) => {
  const values = shown(() => said);
  expectForward(values);
  expect(new Set(values).size).toBeGreaterThanOrEqual(10);
});

test('[B08] after somebody who says too much or too little, an honest source shows what is left as a straight line', () => {
  const honest = 98 * 1024;
  for (const lie of [2 ** 20, 2 ** 48, 2048, 0]) {
    const values = shown((pack) => (pack < 10 ? lie : honest));
    expectForward(values);
    expect(values.at(-1)).toBe(0.99);
    if (lie === 2 ** 20) expect(values[53]! - values[9]!).toBeCloseTo((1 - values[9]!) / 2, 1);
  }
});

test('[B08] whatever is said, progress is a number that never goes back', () => {
  const pack = fc.record({
    count: fc.nat(1024),
    have: fc.nat(2 ** 40),
    said: fc.option(fc.oneof(fc.nat(), fc.constantFrom(2 ** 48, 2 ** 53, Infinity))),
  });
  fc.assert(
    fc.property(fc.array(pack), (packs) => {
      const progress = createProgress();
      expectForward(
        packs.map(({ count, have, said }) => {
          progress.took(count, { have: have + count, said });
          return progress.value();
        }),
      );
    }),
  );
});
