/** BroadcastChannel between real tabs: what one page alone cannot show. */
import { expect, test, type Page } from '@playwright/test';
import { startStatic } from './support/static-server.js';

interface Tab {
  readonly told: readonly string[];
  readonly send: (text: string, to: readonly string[] | 'all') => Promise<void>;
  readonly self: () => string;
}

/** Opens the transport and leaves on the window what the test looks at. */
async function openTransport(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const { broadcastChannel } = await import('keeproom');
    const told: string[] = [];
    const link = broadcastChannel('tabs').open({
      frame: (bytes, from) => told.push(`${new TextDecoder().decode(bytes)} from ${from}`),
      peer: (address, change) => told.push(`${address} ${change}`),
      state: (state) => told.push(state),
    });
    const tab: Tab = {
      told,
      send: (text, to) => link.send(new TextEncoder().encode(text), to, { lossy: false }),
      self: () => link.self,
    };
    Object.assign(window, { tab });
  });
}

const self = (page: Page): Promise<string> => page.evaluate(() => (window as unknown as { tab: Tab }).tab.self());
const told = (page: Page): Promise<readonly string[]> =>
  page.evaluate(() => (window as unknown as { tab: Tab }).tab.told);
const send = (page: Page, text: string, to: readonly string[] | 'all'): Promise<void> =>
  page.evaluate(([text, to]) => (window as unknown as { tab: Tab }).tab.send(text, to), [text, to] as const);

test('two tabs meet, exchange frames, and a tab that is closed says goodbye; another context hears nothing', async ({
  browser,
}) => {
  const files = await startStatic();
  const shared = await browser.newContext();
  const apart = await browser.newContext();
  try {
    const [ada, bob, stranger] = [await shared.newPage(), await shared.newPage(), await apart.newPage()] as const;
    for (const page of [ada, bob, stranger]) {
      await page.goto(files.origin);
      await openTransport(page);
      await expect.poll(() => self(page)).not.toBe('');
    }
    const [a, b] = [await self(ada), await self(bob)];
    await expect.poll(() => told(ada)).toEqual(['up', `${b} here`]);
    await expect.poll(() => told(bob)).toEqual(['up', `${a} here`]);

    await send(ada, 'to all', 'all');
    await send(bob, 'to ada', [a]);
    await expect.poll(() => told(bob)).toEqual(['up', `${a} here`, `to all from ${a}`]);
    await expect.poll(() => told(ada)).toEqual(['up', `${b} here`, `to ada from ${b}`]);

    await bob.close();
    await expect.poll(() => told(ada)).toEqual(['up', `${b} here`, `to ada from ${b}`, `${b} gone`]);
    expect(await told(stranger)).toEqual(['up']);
  } finally {
    await Promise.all([shared.close(), apart.close()]);
    await files.close();
  }
});
