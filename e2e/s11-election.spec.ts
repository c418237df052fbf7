/** Elections and catching up over a real livekit-server: who serves, how often anybody claims in vain, and what is sent. */
import { expect, test, type Page } from '@playwright/test';
import { bundle } from './support/bundle.js';
import { attachSaid, openPage, peer, startHarness, type Peer } from './support/keeproom-page.js';
import { startLivekit, type TestLivekit } from './support/livekit.js';
import type { StaticServer } from './support/static-server.js';

const runs = 20;
const servers = 5;
let livekit: TestLivekit;
let server: StaticServer;

test.beforeAll(async () => {
  const cold = await bundle('worker/hosts/web/cold-worker.kit.ts');
  [livekit, server] = await Promise.all([startLivekit(), startHarness({ files: { '/cold-worker.js': cold } })]);
});
test.afterAll(async () => {
  await Promise.all([livekit.stop(), server.close()]);
});

const via = async (room: string, identity: string) =>
  [{ via: 'livekit', url: livekit.url, token: await livekit.token(room, identity) }] as const;

type Counters = Readonly<Record<string, number>>;
const countersOf = async (one: Peer): Promise<Counters> => Object.values((await one.stats()).counters)[0] ?? {};
const total = (all: readonly Counters[], name: string): number => all.reduce((sum, one) => sum + (one[name] ?? 0), 0);

async function upToDate(peers: readonly Peer[], texts: number): Promise<void> {
  for (const one of peers)
    await expect
      .poll(async () => (await one.texts()).length, {
        timeout: 60_000,
        intervals: [100],
        message: `${one.name}'s cards`,
      })
      .toBe(texts);
}

/** The last of the peers goes away and comes back without a network: `attach` and `detachAll` are its going on and off. */
async function goOffline(peers: readonly Peer[], worker?: string): Promise<Peer> {
  const last = peers.at(-1)!;
  const id = await last.page.evaluate((who) => window.kr.room(who).id, last.name);
  await last.close();
  const again = await peer(last.page, last.name, worker === undefined ? {} : { worker });
  expect(await again.open(id)).toBe(true);
  return again;
}

/** A room with `count` peers besides its maker, all members, all on the call. */
async function gather(page: Page, o: { room: string; count: number; worker?: string }): Promise<Peer[]> {
  const options = o.worker === undefined ? {} : { worker: o.worker };
  const first = await peer(page, `${o.room}0`, options);
  await first.create({ networks: await via(o.room, 'p0') });
  const { link } = await first.invite({ role: 'editor' });
  const peers = [first];
  for (let i = 1; i <= o.count; i++) {
    const one = await peer(page, `${o.room}${i}`, options);
    await one.join(link, await via(o.room, `p${i}`));
    expect((await one.joined(60_000)).ok, one.name).toBe(true);
    peers.push(one);
  }
  return peers;
}

test('[S11] @chromium five peers and a newcomer, without beacons and preference: one grant each, hardly a claim too many', async ({
  browser,
}, info) => {
  test.setTimeout(300_000);
  const context = await browser.newContext();
  try {
    const peers = await gather(await openPage(context, server), {
      room: 'cold',
      count: servers,
      worker: '/cold-worker.js',
    });
    const first = peers[0]!;
    const others = peers.slice(0, -1);
    const newcomer = await goOffline(peers, '/cold-worker.js');
    await upToDate(others, 0);
    let written = 0;
    const before = await Promise.all(others.map(countersOf));
    const ofNewcomer = await countersOf(newcomer);
    for (let run = 0; run < runs; run++) {
      await newcomer.detachAll();
      await expect.poll(async () => (await newcomer.status()).network).toBe('offline');
      await first.write(`run ${run} a`, `run ${run} b`);
      written += 2;
      await upToDate(others, written);
      await newcomer.attach((await via('cold', `p${servers}`))[0]);
      await upToDate([newcomer], written);
    }
    const after = await Promise.all(others.map(countersOf));
    const claims = total(after, 'claimsSent') - total(before, 'claimsSent');
    const now = await countersOf(newcomer);
    const grants = total([now], 'grantsSent') - total([ofNewcomer], 'grantsSent');
    // A source that says nothing for 400 ms is replaced (ELE-3). On a machine that stood still so long, that may be an honest one.
    const unanswered = total([now], 'grantsUnanswered') - total([ofNewcomer], 'grantsUnanswered');
    const extra = (claims - runs) / runs;
    console.log(
      `[S11] ${runs} runs: ${grants} grants (${unanswered} unanswered in time), ${claims} claims, ${extra.toFixed(2)} extra claims each`,
    );
    expect(grants - unanswered).toBe(runs);
    expect(unanswered).toBeLessThanOrEqual(2);
    expect(extra).toBeLessThanOrEqual(1);
  } finally {
    await attachSaid(info, [context]);
    await context.close();
  }
});

test('[S11] @chromium the granted peer dies in the middle: another finishes, and nothing stored is fetched again', async ({
  browser,
}, info) => {
  test.setTimeout(180_000);
  const entries = 3_000;
  const context = await browser.newContext();
  try {
    const page = await openPage(context, server);
    const peers = await gather(page, { room: 'killed', count: 3 });
    const first = peers[0]!;
    const newcomer = await goOffline(peers);

    await first.page.evaluate(
      async ([who, count]) => {
        const noise = (): string => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(225))));
        const { cards } = window.kr.room(who).data;
        for (let i = 0; i < count; i += 100)
          await Promise.all(Array.from({ length: 100 }, () => cards.insert({ text: noise() }).saved()));
      },
      [first.name, entries] as const,
    );
    await upToDate(peers.slice(0, -1), entries);
    const before = (await countersOf(newcomer))['entriesFetched'] ?? 0;
    await newcomer.attach((await via('killed', 'p3'))[0]);
    // The first fragments show who serves; its worker is gone before the transfer is half done.
    const killed = await page.evaluate(async (who) => {
      const tap = window.kr.devices[who]!.taps.at(-1)!;
      return new Promise<string>((resolve) => {
        let fragments = 0;
        tap.filter = ({ way, bytes, from }) => {
          if (way === 'in' && bytes[0] === 1 && bytes[1] === 5 && ++fragments === 12) {
            const source = Object.entries(window.kr.devices).find(([, device]) =>
              device.taps.some((one) => one.self() === from),
            );
            source?.[1].worker?.terminate();
            resolve(source?.[0] ?? 'nobody');
          }
          return true;
        };
      });
    }, newcomer.name);
    expect(killed).toMatch(/^killed[012]$/);
    await upToDate([newcomer], entries);
    const fetched = ((await countersOf(newcomer))['entriesFetched'] ?? 0) - before;
    console.log(`[S11] ${killed} died after 12 fragments; ${fetched} entries fetched for ${entries} missing`);
    expect(fetched).toBe(entries);
  } finally {
    await attachSaid(info, [context]);
    await context.close();
  }
});

test('[S12] @chromium ten missing entries cost the same whether the history is 1,000 or 10,000', async ({
  browser,
}, info) => {
  test.setTimeout(240_000);
  const context = await browser.newContext();
  try {
    const page = await openPage(context, server);
    const sizes: number[] = [];
    for (const history of [1_000, 10_000]) {
      const room = `h${history}`;
      const peers = await gather(page, { room, count: 1 });
      const first = peers[0]!;
      const second = await goOffline(peers);
      await second.attach((await via(room, 'p1'))[0]);
      const write = (count: number): Promise<void> =>
        first.page.evaluate(
          async ([who, total]) => {
            const { cards } = window.kr.room(who).data;
            for (let i = 0; i < total; i += 250)
              await Promise.all(
                Array.from({ length: Math.min(250, total - i) }, (_, k) =>
                  cards.insert({ text: `card ${i + k}` }).saved(),
                ),
              );
          },
          [first.name, count] as const,
        );
      await write(history);
      await upToDate([second], history);
      await second.detachAll();
      await write(10);
      const before = await countersOf(second);
      await second.attach((await via(room, 'p1'))[0]);
      await upToDate([second], history + 10);
      await expect.poll(async () => (await second.status()).network).toBe('up-to-date');
      const after = await countersOf(second);
      sizes.push((after['packBytesIn'] ?? 0) - (before['packBytesIn'] ?? 0));
      await first.close();
      await second.close();
    }
    const [small, large] = sizes as [number, number];
    console.log(`[S12] ten entries: ${small} B of packs after 1,000, ${large} B after 10,000`);
    expect(small).toBeGreaterThan(0);
    expect(Math.abs(large / small - 1)).toBeLessThanOrEqual(0.05);
  } finally {
    await attachSaid(info, [context]);
    await context.close();
  }
});
