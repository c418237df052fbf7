/**
 * What the network can see, and what it can do: a spy with a valid token and no invite, somebody who takes a member's
 * identity on the server, and a member whose client sends whatever it likes.
 */
import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import { attachSaid, openPage, peer, startHarness, type Peer } from './support/keeproom-page.js';
import { startLivekit, type TestLivekit } from './support/livekit.js';
import type { StaticServer } from './support/static-server.js';

const callName = 'watched';
const canary = 'canary-7f3a-the-text-nobody-may-see';
/** Frames of each of the three attackers. */
const framesEach = 400;
let livekit: TestLivekit;
let server: StaticServer;

test.beforeAll(async () => {
  [livekit, server] = await Promise.all([startLivekit(), startHarness()]);
});
test.afterAll(async () => {
  await Promise.all([livekit.stop(), server.close()]);
});

declare global {
  interface Window {
    spy: {
      readonly heard: Uint8Array[];
      /** What the members' frames are sent under. */
      readonly topic: () => string;
      readonly send: (frames: readonly Uint8Array[]) => Promise<void>;
    };
    mutants: (count: number, from: readonly Uint8Array[]) => Uint8Array[];
  }
}

/** In the page: `count` frames made of recorded ones. Every tenth is as it was, the others are damaged in one of seven ways. */
function installMutants(): void {
  let state = 12_345;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state % below;
  };
  const ways: ((frame: Uint8Array) => Uint8Array)[] = [
    (frame) => {
      frame[next(frame.length)]! ^= 1 << next(8);
      return frame;
    },
    (frame) => frame.slice(0, next(frame.length)),
    (frame) => {
      const grown = new Uint8Array(frame.length + 1 + next(64));
      grown.set(frame);
      return grown;
    },
    (frame) => {
      frame[0] = 0x7f;
      return frame;
    },
    (frame) => {
      for (let i = 4; i < frame.length; i++) frame[i] = next(256);
      return frame;
    },
    () => Uint8Array.from({ length: 1 + next(300) }, () => next(256)),
    // A counter nobody has used: with it an old frame is no replay, and its seal has to catch it.
    (frame) => {
      if (frame.length > 26) frame.set([0x10, 0, next(256), next(256), next(256), next(256)], 20);
      return frame;
    },
  ];
  window.mutants = (count, from) =>
    Array.from({ length: count }, (_, i) => {
      const frame = from[next(from.length)]!.slice();
      return i % 10 === 0 ? frame : ways[i % ways.length]!(frame);
    });
}

/** Joins the call as an app of its own would, hears every broadcast, says what it is told to. */
async function startSpy(page: Page, token: string, on = ''): Promise<void> {
  await page.evaluate(
    async ([url, jwt, known]) => {
      const { Room, RoomEvent } = await import('livekit-client');
      const call = new Room();
      const heard: Uint8Array[] = [];
      let topic = known;
      call.on(RoomEvent.DataReceived, (payload: Uint8Array, _who: unknown, _kind: unknown, on?: string) => {
        heard.push(payload.slice());
        topic = on ?? topic;
      });
      await call.connect(url, jwt);
      window.spy = {
        heard,
        topic: () => topic,
        send: async (frames) => {
          for (const frame of frames)
            await call.localParticipant.publishData(frame as Uint8Array<ArrayBuffer>, { reliable: true, topic });
        },
      };
    },
    [livekit.url, token, on] as const,
  );
}

const secretsOf = (link: string): string[] => [
  canary,
  'Ada Lovelace',
  'Bob Brown',
  'Quarter plans',
  link.split('=').at(-1)!,
];
const fieldNames = ['"text"', 'votes', 'cards', 'collections', '$profiles'];

/** Which of the texts stand in any of the frames, as UTF-8 or base64. */
function findIn(frames: readonly string[], texts: readonly string[]): string[] {
  const bytes = frames.map((frame) => Buffer.from(frame, 'base64'));
  return texts.filter((text) =>
    bytes.some((frame) => frame.includes(text) || frame.includes(Buffer.from(text).toString('base64'))),
  );
}

const heardBy = (page: Page): Promise<string[]> =>
  page.evaluate(() => window.spy.heard.map((frame) => btoa(String.fromCharCode(...frame))));

async function faultsGrow(one: Peer, run: () => Promise<void>): Promise<Record<string, number>> {
  const before = await one.faults();
  await run();
  await expect
    .poll(async () => sum(await one.faults()) - sum(before), { timeout: 30_000, message: 'frames are judged' })
    .toBeGreaterThan(framesEach / 2);
  const after = await one.faults();
  return Object.fromEntries(Object.entries(after).map(([code, count]) => [code, count - (before[code] ?? 0)]));
}

const sum = (faults: Readonly<Record<string, number>>): number => Object.values(faults).reduce((a, b) => a + b, 0);

test('[S09] @chromium the network sees no word, and hostile frames change nothing', async ({ browser }, info) => {
  test.setTimeout(180_000);
  const contexts: BrowserContext[] = [
    await browser.newContext(),
    await browser.newContext(),
    await browser.newContext(),
  ];
  try {
    const pages = [];
    for (const context of contexts) pages.push(await openPage(context, server));
    const [adaPage, bobPage, spyPage] = pages as [Page, Page, Page];
    for (const page of pages) await page.evaluate(installMutants);
    await startSpy(spyPage, await livekit.token(callName, 'spy'));
    const via = async (identity: string) =>
      [{ via: 'livekit', url: livekit.url, token: await livekit.token(callName, identity) }] as const;
    const ada = await peer(adaPage, 'ada', { person: 'Ada Lovelace' });
    const bob = await peer(bobPage, 'bob', { person: 'Bob Brown' });
    await ada.create({ title: 'Quarter plans', networks: await via('ada') });
    const { link } = await ada.invite({ role: 'editor' });
    await bob.join(link, await via('bob'));
    expect((await bob.joined()).ok).toBe(true);
    await ada.write(canary, `${canary} again`);
    await bob.write(`${canary} from Bob`);
    for (const one of [ada, bob])
      await expect.poll(async () => (await one.texts()).length, { timeout: 20_000 }).toBe(3);

    const broadcasts = await heardBy(spyPage);
    const unicasts = [...(await ada.frames()), ...(await bob.frames())].map(({ base64 }) => base64);
    const texts = [...secretsOf(link), ...fieldNames];
    expect(broadcasts.length).toBeGreaterThan(3);
    expect(findIn([...broadcasts, ...unicasts], texts)).toEqual([]);
    console.log(`[S09] ${broadcasts.length} broadcasts and ${unicasts.length} frames at the members: nothing readable`);

    const shown = await ada.texts();
    const bySpy = await faultsGrow(ada, () =>
      spyPage.evaluate((count) => window.spy.send(window.mutants(count, window.spy.heard)), framesEach),
    );
    expect(bySpy['frame/unbound-source']).toBeGreaterThan(0);
    expect(bySpy['frame/malformed']).toBeGreaterThan(0);
    expect(bySpy['frame/unknown-type']).toBeGreaterThan(0);
    console.log('[S09] by the spy', JSON.stringify(bySpy));

    const byMember = await faultsGrow(ada, () =>
      bobPage.evaluate(async (count) => {
        const [tap] = window.kr.devices['bob']!.taps;
        const own = tap!.frames.filter(({ way }) => way === 'out').map(({ bytes }) => bytes);
        for (const frame of window.mutants(count, own)) await tap!.send(frame, 'all');
      }, framesEach),
    );
    for (const code of ['frame/bad-seal', 'frame/replayed', 'frame/malformed', 'frame/unknown-type'])
      expect(byMember[code], code).toBeGreaterThan(0);
    console.log('[S09] by a member', JSON.stringify(byMember));

    const topic = await spyPage.evaluate(() => window.spy.topic());
    await spyPage.reload();
    await spyPage.evaluate(installMutants);
    const recorded = unicasts.slice(-200);
    await startSpy(spyPage, await livekit.token(callName, 'bob'), topic);
    const byThief = await faultsGrow(ada, () =>
      spyPage.evaluate(
        async ([count, frames]) => {
          const bytes = frames.map((frame) => Uint8Array.from(atob(frame), (char) => char.charCodeAt(0)));
          await window.spy.send(window.mutants(count, bytes));
        },
        [framesEach, recorded] as const,
      ),
    );
    console.log('[S09] by a thief of an identity', JSON.stringify(byThief));
    expect(byThief['frame/unbound-source'] ?? byThief['frame/replayed'] ?? 0).toBeGreaterThan(0);

    expect(await ada.texts()).toEqual(shown);
    expect(await ada.members()).toHaveLength(2);
    await ada.write('and life goes on');
    expect((await ada.status()).unsaved).toBe(0);
    const errors = await bobPage.evaluate(() => window.kr.devices['bob']!.errors);
    expect(errors).toContain('transport/identity-taken');
  } finally {
    await attachSaid(info, contexts);
    for (const context of contexts) await context.close();
  }
});
