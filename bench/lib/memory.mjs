/** Growth of all of a browser's processes while a page opens something and keeps it. */
import { setTimeout as sleep } from 'node:timers/promises';

/** @returns the sample, with `grownBytes` among its metrics */
export async function watchMemory({ take, browser, page, restMs }) {
  await collect(browser, page, restMs);
  const before = browser.rssBytes();
  const result = await take();
  await collect(browser, page, restMs);
  const after = browser.rssBytes();
  return { ...result, metrics: { ...result.metrics, grownBytes: before === undefined ? Number.NaN : after - before } };
}

/** Waits until allocators and collectors have come to rest. */
async function collect(browser, page, restMs) {
  if (browser.name === 'chromium') {
    const session = await page.context().newCDPSession(page);
    await session.send('HeapProfiler.collectGarbage');
    await session.detach();
  }
  await sleep(restMs);
}
