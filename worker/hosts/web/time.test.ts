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

test('a delay below zero or no number at all is none', () => {
  const run = vi.fn();
  for (const delayMs of [-1, Number.NaN, Number.NEGATIVE_INFINITY]) browserTime.after(delayMs, run);
  vi.advanceTimersByTime(0);
  expect(run).toHaveBeenCalledTimes(3);
  expect(browserTime.now()).toBe(Date.now());
});
