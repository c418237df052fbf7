/** Nothing but the browser: what was written without server and peers is there after the browser was closed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, expect, firefox, test, type BrowserContext, type Page } from '@playwright/test';
import { launchOptions } from '../scripts/browsers.mjs';
import { openPage, peer, startHarness, type Peer } from './support/keeproom-page.js';

const count = 100;

/** A device whose worker has come from the server: nothing is fetched from here on. */
async function started(page: Page): Promise<Peer> {
  const ada = await peer(page, 'ada');
  const storage = (): Promise<string> => page.evaluate(() => window.kr.devices['ada']!.client.status.value.storage);
  await expect.poll(storage).not.toBe('starting');
  return ada;
}

test('[S05] 100 writes without server and peers survive the end of the browser, in order', async ({ browserName }) => {
  const server = await startHarness();
  const profile = await mkdtemp(join(tmpdir(), 'keeproom-s05-'));
  const launch = (): Promise<BrowserContext> => {
    const name = browserName === 'firefox' ? 'firefox' : 'chromium';
    return { chromium, firefox }[name].launchPersistentContext(profile, launchOptions(name));
  };
  const texts = Array.from({ length: count }, (_, n) => `written offline ${n}`);
  let context = await launch();
  try {
    const ada = await started(await openPage(context, server));
    await context.setOffline(true);
    const room = await ada.create({ key: 'board' });
    await ada.write(...texts);
    expect(await ada.texts()).toEqual(texts);
    // One more: what the room says of itself (title, profile, schema) is an entry too.
    expect(await ada.status()).toEqual({ network: 'offline', unsaved: 0, undelivered: count + 1 });
    await context.close();

    context = await launch();
    const again = await started(await openPage(context, server));
    await context.setOffline(true);
    const openedAtMs = Date.now();
    expect(await again.open('board')).toBe(true);
    const openMs = Date.now() - openedAtMs;
    expect(await again.texts()).toEqual(texts);
    expect(await again.page.evaluate(() => window.kr.room('ada').id)).toBe(room);
    expect(await again.faults()).toEqual({});
    await again.write('and one more');
    expect(await again.texts()).toEqual([...texts, 'and one more']);
    console.log(
      `[S05] ${browserName}: ${count} of ${count} there and in order after the restart, opened in ${openMs} ms`,
    );
  } finally {
    await context.close();
    await server.close();
    await rm(profile, { recursive: true, force: true });
  }
});
