/**
 * Two tabs of one device over the built package: one engine, and another when its tab goes, however it goes. (The same
 * over an engine that does nothing else, with the state of the disk in view: tabs-echo.spec.ts.)
 */
import { expect, test, type BrowserContext } from '@playwright/test';
import { launchOptions } from '../scripts/browsers.mjs';
import { attachSaid, openPage, peer, startHarness, type Peer } from './support/keeproom-page.js';
import type { StaticServer } from './support/static-server.js';

const inFlight = 20;
const dyingWorker = '/pages/dying-worker.js';
/** Stops everything in its thread when told to, for as long as told: the package's own handlers included. */
const dying = `
self.addEventListener('message', (event) => {
  const { stop, within } = event.data;
  if (stop === undefined) return;
  event.stopImmediatePropagation();
  const sleep = () => { const end = performance.now() + stop; while (performance.now() < end); };
  if (within === undefined) return sleep();
  const opening = indexedDB.open(within);
  opening.onsuccess = () => {
    const db = opening.result;
    const tx = db.transaction([...db.objectStoreNames], 'readwrite');
    tx.objectStore('packs').get(['nothing']).onsuccess = () => { sleep(); db.close(); };
  };
});
`;

let server: StaticServer;
let spaces = 0;

test.beforeAll(async () => {
  const script = `import './dying.js';\nimport '/dist/worker.js';\n`;
  server = await startHarness({ files: { '/pages/dying.js': dying, [dyingWorker]: script } });
});
test.afterAll(() => server.close());
test.afterEach(({ context }, info) => attachSaid(info, [context]));

interface TwoTabs {
  readonly namespace: string;
  readonly leader: Peer;
  readonly follower: Peer;
}

async function openTab(context: BrowserContext, namespace: string): Promise<Peer> {
  return peer(await openPage(context, server), 'tab', { namespace, worker: dyingWorker });
}

/** Two tabs that show the same room, each with a card of its own. */
async function openTwo(context: BrowserContext): Promise<TwoTabs> {
  const namespace = `tabs-${Date.now()}-${spaces++}`;
  const leader = await openTab(context, namespace);
  await leader.create({ key: 'board' });
  await leader.write('of the leader');
  const follower = await openTab(context, namespace);
  expect(await follower.open('board')).toBe(true);
  await follower.write('of the follower');
  for (const tab of [leader, follower]) await tab.shows(['of the leader', 'of the follower']);
  expect(await holders(leader, namespace)).toBe(1);
  expect((await follower.stats()).generation).toBe((await leader.stats()).generation);
  return { namespace, leader, follower };
}

/** How many hold the lock of the namespace. */
function holders({ page }: Peer, namespace: string): Promise<number> {
  return page.evaluate(
    async (name) => (await navigator.locks.query()).held?.filter((lock) => lock.name === name).length ?? 0,
    `keeproom/${namespace}`,
  );
}

interface Loss {
  readonly take: () => Promise<unknown>;
  /** The writes are asked for when the leader is gone already; otherwise it goes while it has them. */
  readonly askAfter?: boolean;
}

/** 20 transactions of the follower while the leader goes; gives the time until all are saved. */
async function failOver({ namespace, follower }: TwoTabs, { take, askAfter = false }: Loss): Promise<number> {
  const texts = Array.from({ length: inFlight }, (_, n) => `in flight ${n}`);
  const before = (await follower.stats()).generation;
  const write = (): Promise<number> => follower.write(...texts).then(() => Date.now());
  const early = askAfter ? null : write();
  const takenAtMs = Date.now();
  await take();
  const savedAtMs = await (early ?? write());
  // Perhaps all were saved before the leader was gone: then one more is what the next leader saves first.
  const generation = async (): Promise<number> => (await follower.stats()).generation;
  await expect.poll(generation, { intervals: [20] }).toBe(before + 1);
  await follower.write('and one more');
  const tookMs = (askAfter ? savedAtMs : Date.now()) - takenAtMs;
  expect(await holders(follower, namespace)).toBe(1);
  await showsAll(follower);
  return tookMs;
}

const allTexts = [
  'of the leader',
  'of the follower',
  ...Array.from({ length: inFlight }, (_, n) => `in flight ${n}`),
  'and one more',
];

/** Each write is there once, in order, and no entry was refused: a chain with a gap or a fork would be. */
async function showsAll(tab: Peer, more: readonly string[] = []): Promise<void> {
  await tab.shows([...allTexts, ...more]);
  expect(await tab.faults()).toEqual({});
  expect(await tab.rejected()).toEqual([]);
}

function report(what: string, tookMs: number, boundMs: number): void {
  console.log(`[S13] ${what}: ${tookMs} ms (bound ${boundMs} ms)`);
  expect(tookMs).toBeLessThanOrEqual(boundMs);
}

/** A third tab, opened from the disk after all others are gone, shows the same. */
async function lastsOnDisk(
  context: BrowserContext,
  { namespace, leader, follower }: TwoTabs,
  more: string[] = [],
): Promise<void> {
  await leader.page.close();
  await follower.page.close();
  const fresh = await openTab(context, namespace);
  expect(await fresh.open('board')).toBe(true);
  await showsAll(fresh, more);
}

const endings: Readonly<Record<string, (tabs: TwoTabs) => Promise<unknown>>> = {
  closed: ({ leader }) => leader.page.close(),
  reloaded: ({ leader }) => leader.page.reload(),
  // Firefox keeps tabs of one site in one process, which would take the follower along.
  'killed @chromium': ({ leader }) => {
    const crashed = new Promise((resolve) => leader.page.once('crash', resolve));
    void leader.page.goto('chrome://crash').catch(() => undefined);
    return crashed;
  },
};

for (const [ending, take] of Object.entries(endings)) {
  test(`[S13] leader ${ending}: the follower writes again within 2 s, each write once`, async ({
    context,
    browserName,
  }) => {
    const tabs = await openTwo(context);
    report(`${browserName}, leader ${ending}`, await failOver(tabs, { take: () => take(tabs) }), 2_000);
    await lastsOnDisk(context, tabs);
  });
}

/**
 * Chromium keeps a page that was left, unless somebody asks for a lock that it holds: a leader that is frozen before it
 * has let go is thrown away and comes back as a new page. Firefox keeps none with a worker.
 */
test('[S13] leader put away with its events: 2 s; brought back it follows', async ({ browserName, playwright }) => {
  const engine = browserName === 'firefox' ? 'firefox' : 'chromium';
  // What keeps a page that was left, so that going back shows it as it was; Playwright switches it off in Chromium.
  const ignoreDefaultArgs = ['--disable-back-forward-cache'];
  const browser = await playwright[engine].launch({ ...launchOptions(engine), ignoreDefaultArgs });
  const tabs = await openTwo(await browser.newContext());
  const { leader, follower, namespace } = tabs;
  /** Null while it comes, goes, or is another page: one that is thrown away may show for a moment. */
  const devices = (): Promise<number | null> => {
    const look = async (): Promise<number | null> => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return 'kr' in window ? Object.keys(window.kr.devices).length : null;
    };
    return leader.page.evaluate(look).catch(() => null);
  };
  const leave = () => leader.page.evaluate((elsewhere) => location.assign(elsewhere), `${server.otherOrigin}/`);
  report(`${browserName}, leader put away`, await failOver(tabs, { take: leave }), 2_000);
  await expect.poll(devices).toBe(null);
  await leader.page.evaluate(() => history.back());
  await expect.poll(devices).not.toBe(null);
  const isKept = (await devices()) === 1;
  console.log(`[S13] ${browserName}: it came back ${isKept ? 'as it was' : 'as a new page'}`);
  const back = isKept ? leader : await peer(leader.page, 'tab', { namespace, worker: dyingWorker });
  if (!isKept) expect(await back.open('board')).toBe(true);
  await back.write('back again');
  for (const tab of [back, follower]) await showsAll(tab, ['back again']);
  expect((await back.stats()).generation).toBe((await follower.stats()).generation);
  await browser.close();
});

test('[S13] leader stopped without any event: 6 s; awake again it writes nothing by itself and follows', async ({
  context,
  browserName,
}) => {
  const tabs = await openTwo(context);
  const stop = () => tabs.leader.page.evaluate(() => window.kr.devices['tab']!.worker!.postMessage({ stop: 7_000 }));
  report(`${browserName}, leader stopped`, await failOver(tabs, { take: stop, askAfter: true }), 6_000);
  // Asked while it sleeps: the write waits in the tab, not in the dead engine.
  await tabs.leader.write('back again');
  for (const tab of [tabs.leader, tabs.follower]) await showsAll(tab, ['back again']);
  expect((await tabs.leader.stats()).generation).toBe((await tabs.follower.stats()).generation);
  await lastsOnDisk(context, tabs, ['back again']);
});

test('[S13] leader stopped inside a write transaction: a typed status, and all is saved when it wakes', async ({
  context,
  browserName,
}) => {
  const tabs = await openTwo(context);
  const { leader, follower } = tabs;
  const stopMs = 7_000;
  const message = { stop: stopMs, within: `keeproom/${tabs.namespace}` };
  const texts = [...Array.from({ length: inFlight }, (_, n) => `in flight ${n}`), 'and one more'];
  const takenAtMs = Date.now();
  await leader.page.evaluate((what) => window.kr.devices['tab']!.worker!.postMessage(what), message);
  // Whoever waits for the disk is told at once; the writes stay and are saved when it goes on.
  const told = follower.page.evaluate((all) => window.kr.attempt(() => window.kr.write('tab', all)), texts);
  expect(await told).toMatchObject({ ok: false, code: 'storage/blocked' });
  report(`${browserName}, stopped in a transaction: typed status`, Date.now() - takenAtMs, 6_000);
  await expect.poll(async () => (await follower.status()).unsaved, { timeout: stopMs, intervals: [50] }).toBe(0);
  const savedMs = Date.now() - takenAtMs;
  report(`${browserName}, stopped in a transaction for ${stopMs} ms: saved`, savedMs, stopMs + 3_000);
  for (const tab of [follower, leader]) await showsAll(tab);
  expect(await follower.page.evaluate(() => window.kr.devices['tab']!.client.status.value.storage)).not.toBe('broken');
  await lastsOnDisk(context, tabs);
});
