import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { browserTime } from './time.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a delay longer than a timer can keep does not fire early', () => {
  const run = vi.fn();
  const year = 365 * 24 * 3_600_000;
  browserTime.after(year, run);
  vi.advanceTimersByTime(year - 1);
  expect(run).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(run).toHaveBeenCalledTimes(1);
});

test('a cancelled delay never fires, in whichever part of it', () => {
  const run = vi.fn();
  const cancels = [5, 2 ** 31 + 5].map((delayMs) => browserTime.after(delayMs, run));
  vi.advanceTimersByTime(4);
  cancels[0]?.();
  vi.advanceTimersByTime(2 ** 31);
  cancels[1]?.();
  vi.advanceTimersByTime(100);
  expect(run).not.toHaveBeenCalled();
});

test('a delay below zero or no number at all is none: its turn comes with the next tasks, in order, unless cancelled', async () => {
  vi.useRealTimers();
  const ran: number[] = [];
  const cancels = [-1, 0, Number.NaN, Number.NEGATIVE_INFINITY].map((delayMs, i) =>
    browserTime.after(delayMs, () => ran.push(i)),
  );
  cancels[1]?.();
  await Promise.resolve();
  expect(ran).toEqual([]);
  await new Promise<void>((resolve) => browserTime.after(0, resolve));
  expect(ran).toEqual([0, 2, 3]);
  expect(Math.abs(browserTime.now() - Date.now())).toBeLessThan(1_000);
});
