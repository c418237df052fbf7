/** Two and three people over a real livekit-server: joining, converging, the server's absence, and relayed history. */
import { expect, test, firefox, type BrowserContext } from '@playwright/test';
import { launchOptions } from '../scripts/browsers.mjs';
import { attachSaid, openPage, peer, startHarness, type Peer } from './support/keeproom-page.js';
import { startLivekit, type TestLivekit } from './support/livekit.js';
import type { StaticServer } from './support/static-server.js';
import type { Via } from './pages/room.js';

const callName = 'standup';
const isRestarted = 30_000;
let livekit: TestLivekit;
let server: StaticServer;

test.beforeAll(async () => {
  [livekit, server] = await Promise.all([startLivekit(), startHarness()]);
});
test.afterAll(async () => {
  await Promise.all([livekit.stop(), server.close()]);
});

const viaOf = async (identity: string, via: 'livekit' | 'call' = 'livekit', room = callName): Promise<Via> => ({
  via,
  url: livekit.url,
  token: await livekit.token(room, identity),
});

interface Pair {
  readonly ada: Peer;
  readonly bob: Peer;
  readonly id: string;
}

/** Ada makes a room, Bob joins by invite over the network named. */
async function pairUp(contexts: readonly BrowserContext[], via: 'livekit' | 'call', room = callName): Promise<Pair> {
  const [first, second = first] = contexts;
  const ada = await peer(await openPage(first!, server), 'ada');
  const bob = await peer(await openPage(second!, server), 'bob');
  const id = await ada.create({ title: 'Stand-up', networks: [await viaOf(`${room}-a`, via, room)] });
  const { link } = await ada.invite({ role: 'editor' });
  await bob.join(link, [await viaOf(`${room}-b`, via, room)]);
  expect(await bob.joined()).toEqual({ ok: true, value: id });
  return { ada, bob, id };
}

const byText = (texts: readonly string[]): readonly string[] => [...texts].sort();

async function converges(peers: readonly Peer[], wanted: readonly string[], timeout = 20_000): Promise<void> {
  for (const one of peers)
    await expect
      .poll(async () => byText(await one.texts()), { timeout, intervals: [50], message: `${one.name}'s cards` })
      .toEqual(byText(wanted));
}

async function isUpToDate(one: Peer): Promise<void> {
  await expect.poll(async () => (await one.status()).network, { timeout: 20_000, intervals: [100] }).toBe('up-to-date');
}

test.describe('@chromium', () => {
  test('[S07] two people over a real livekit-server, which stops and comes back', async ({ browser }, info) => {
    test.setTimeout(120_000);
    const contexts = [await browser.newContext(), await browser.newContext()];
    try {
      const { ada, bob } = await pairUp(contexts, 'livekit');
      expect(await livekit.participants(callName)).toEqual([`${callName}-a`, `${callName}-b`]);
      await ada.write('from Ada');
      await bob.write('from Bob');
      await converges([ada, bob], ['from Ada', 'from Bob']);
      await Promise.all([isUpToDate(ada), isUpToDate(bob)]);

      await livekit.kill();
      await Promise.all([ada.write('Ada alone'), bob.write('Bob alone')]);
      await expect.poll(async () => (await ada.status()).network, { timeout: 20_000 }).toBe('connecting');
      expect(byText(await ada.texts())).toEqual(byText(['from Ada', 'from Bob', 'Ada alone']));
      expect(byText(await bob.texts())).toEqual(byText(['from Ada', 'from Bob', 'Bob alone']));
      const from = Date.now();
      await livekit.start();
      await converges([ada, bob], ['from Ada', 'from Bob', 'Ada alone', 'Bob alone'], isRestarted);
      console.log(`[S07] converged ${Date.now() - from} ms after the server was started again`);
      expect(await ada.faults()).toEqual({});
      expect(await bob.faults()).toEqual({});
    } finally {
      await attachSaid(info, contexts);
      for (const context of contexts) await context.close();
    }
  });

  test('[S07] a borrowed call carries the room; one whose SDK does not come back shows stalled', async ({
    browser,
  }, info) => {
    test.setTimeout(150_000);
    const contexts = [await browser.newContext(), await browser.newContext()];
    try {
      const { ada, bob } = await pairUp(contexts, 'call', 'borrowed');
      await ada.write('over the call');
      await converges([ada, bob], ['over the call']);
      await livekit.kill();
      const errors = (): Promise<readonly string[]> => ada.page.evaluate(() => window.kr.devices['ada']!.errors);
      await expect.poll(errors, { timeout: 90_000, intervals: [500] }).toContain('transport/stalled');
      await ada.write('kept meanwhile');
      expect((await ada.status()).unsaved).toBe(0);
    } finally {
      await attachSaid(info, contexts);
      for (const context of contexts) await context.close();
      await livekit.start().catch(() => undefined);
    }
  });

  test('[S08] Chromium and Firefox in one room', async ({ browser }, info) => {
    test.setTimeout(120_000);
    const other = await firefox.launch(launchOptions('firefox'));
    const contexts = [await browser.newContext(), await other.newContext()];
    try {
      const { ada, bob } = await pairUp(contexts, 'livekit', 'mixed');
      await Promise.all([ada.write('from Chromium'), bob.write('from Firefox')]);
      await converges([ada, bob], ['from Chromium', 'from Firefox']);
      expect(await ada.faults()).toEqual({});
      expect(await bob.faults()).toEqual({});
    } finally {
      await attachSaid(info, contexts);
      for (const context of contexts) await context.close();
      await other.close();
    }
  });

  test('[S08] what Ada wrote reaches Cyd through Bob, verified as Ada’s; they are never online together', async ({
    browser,
  }, info) => {
    test.setTimeout(120_000);
    const contexts = [await browser.newContext(), await browser.newContext(), await browser.newContext()];
    try {
      const { ada, bob, id } = await pairUp(contexts.slice(0, 2), 'livekit', 'relay');
      const { link } = await ada.invite({ role: 'viewer' });
      await ada.write('Ada was here');
      await converges([bob], ['Ada was here']);
      await expect.poll(async () => (await ada.status()).undelivered, { timeout: 20_000 }).toBe(0);
      await ada.close();
      await expect.poll(() => livekit.participants('relay'), { timeout: 30_000 }).toEqual(['relay-b']);

      const cyd = await peer(await openPage(contexts[2]!, server), 'cyd');
      // An editor admits nobody who is not strictly junior; a viewer is.
      await cyd.join(link, [await viaOf('relay-c', 'livekit', 'relay')]);
      expect(await cyd.joined()).toEqual({ ok: true, value: id });
      await converges([cyd], ['Ada was here']);
      const author = await cyd.page.evaluate(() => {
        const room = window.kr.room('cyd');
        const card = room.data.cards.value[0]!;
        const creator = room.data.cards.meta(card.id)?.createdBy;
        return room.members.value.find((member) => member.id === creator)?.profile.name;
      });
      expect(author).toBe('ada');
      // What waits for another entry, or overtakes a HELLO, is no fault of anybody; nothing else may have happened.
      const grave = Object.keys(await cyd.faults()).filter((code) => !/^entry\/missing-|^frame\/unbound/.test(code));
      expect(grave).toEqual([]);
    } finally {
      await attachSaid(info, contexts);
      for (const context of contexts) await context.close();
    }
  });
});
