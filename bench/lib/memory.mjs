/** Growth of all of a browser's processes while a page opens something and keeps it, at rest and at its highest. */
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectGarbage } from './threads.mjs';

const LOOK_EVERY_MS = 250;

/** @returns the sample, with `grownBytes` and `peakBytes` among its metrics */
export async function watchMemory({ take, browser, page, restMs }) {
  await collect(browser, page, restMs);
  const before = browser.rssBytes();
  let peak = before;
  const looking = setInterval(() => (peak = Math.max(peak, browser.rssBytes())), LOOK_EVERY_MS);
  try {
    const result = await take();
    await collect(browser, page, restMs);
    const after = browser.rssBytes();
    const grown =
      before === undefined
        ? { grownBytes: Number.NaN, peakBytes: Number.NaN }
        : { grownBytes: after - before, peakBytes: Math.max(peak, after) - before };
    return { ...result, metrics: { ...result.metrics, ...grown } };
  } finally {
    clearInterval(looking);
  }
}

/** Waits until allocators and collectors have come to rest. */
async function collect(browser, page, restMs) {
  if (browser.name === 'chromium') await collectGarbage(page);
  await sleep(restMs);
}
