/** Growth of all of a browser's processes while a page opens something and keeps it. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Until allocators and collectors have come to rest. */
const REST_MS = 1_500;

/** @returns the sample, with `grownBytes` among its metrics */
export async function watchMemory({ take, browser, page }) {
  await collect(browser, page);
  const before = browser.rssBytes();
  const result = await take();
  await collect(browser, page);
  const after = browser.rssBytes();
  return { ...result, metrics: { ...result.metrics, grownBytes: before === undefined ? Number.NaN : after - before } };
}

async function collect(browser, page) {
  if (browser.name === 'chromium') {
    const session = await page.context().newCDPSession(page);
    await session.send('HeapProfiler.collectGarbage');
    await session.detach();
  }
  await sleep(REST_MS);
}
