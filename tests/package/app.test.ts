/** The packed tarball at work: a fresh Vite 8 app (dev server, build) and a page with no bundler under a strict policy. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, firefox, type Browser, type BrowserContext, type Page } from 'playwright';
import { build, createServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startStatic } from '../../e2e/support/static-server.js';
import { launchOptions } from '../../scripts/browsers.mjs';
import { install, pack, type Packed } from './pack.kit.js';

const policy = "default-src 'self'; connect-src 'self' ws: wss:; worker-src 'self'";
const WORKER_ERROR_WITHIN_MS = 5_000;

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>fresh app</title>
    <link rel="icon" href="/icon.svg" />
  </head>
  <body>
    <input id="text" /><button id="add">Add</button>
    <p id="cards"></p>
    <p id="problem"></p>
    <script type="module" src="/app.js"></script>
  </body>
</html>
`;
const icon = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>';

/** One room per device, by its key; every card of every tab is shown. */
const appText = (from: string) => `import { createClient, collection, defineSchema, s } from '${from}';

const schema = defineSchema({ app: 'fresh', data: { cards: collection({ text: s.string() }) } });
const startedMs = performance.now();
try {
  const client = createClient({ profile: { name: 'Ada' } });
  const room = await client.createRoom({ schema, key: 'fresh' });
  room.data.cards.subscribe((cards) => {
    document.querySelector('#cards').textContent = cards.map((card) => card.text).sort().join(', ');
  });
  document.querySelector('#add').addEventListener('click', () => {
    void room.data.cards
      .insert({ text: document.querySelector('#text').value })
      .saved()
      .then(() => document.body.setAttribute('data-saved', 'yes'));
  });
  document.body.setAttribute('data-state', 'ready');
} catch (error) {
  document.querySelector('#problem').textContent = \`\${error.code}: \${error.message}\`;
  document.body.setAttribute('data-state', \`failed after \${Math.round(performance.now() - startedMs)} ms\`);
}
`;

let packed: Packed;
let app: string;
const browsers: Browser[] = [];

beforeAll(async () => {
  packed = await pack();
  app = await install(packed, { 'index.html': page, 'app.js': appText('keeproom'), 'public/icon.svg': icon });
});

afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  await packed.remove();
});

describe.each([
  ['chromium', chromium],
  ['firefox', firefox],
] as const)('%s', (name, type) => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await type.launch(launchOptions(name));
    browsers.push(browser);
  });

  test(`[S17] two tabs work in a fresh Vite app, on its dev server, also where the platform lacks the curves (${name})`, async () => {
    const server = await createServer({
      root: app,
      configFile: false,
      logLevel: 'error',
      server: { host: '127.0.0.1' },
    });
    try {
      await server.listen();
      await twoTabsWork(browser, portOf(server.httpServer?.address()));
      expect(await worksWithoutCurves(browser, portOf(server.httpServer?.address()))).not.toEqual([]);
    } finally {
      await server.close();
    }
  });

  test(`[S17] two tabs work in a fresh Vite app, built, also where the platform lacks the curves (${name})`, async () => {
    const outDir = join(app, `dist-${name}`);
    await build({ root: app, configFile: false, logLevel: 'error', build: { outDir } });
    const server = await preview({
      root: app,
      configFile: false,
      logLevel: 'error',
      build: { outDir },
      preview: { host: '127.0.0.1', port: 0 },
    });
    try {
      await twoTabsWork(browser, portOf(server.httpServer.address()));
      expect(await worksWithoutCurves(browser, portOf(server.httpServer.address()))).not.toEqual([]);
    } finally {
      await server.close();
    }
  });

  test(`[S17] two tabs work on a page with no bundler under a strict policy, also where the platform lacks the curves (${name})`, async () => {
    const files = { '/': page, '/app.js': appText('/keeproom/index.js'), '/icon.svg': icon };
    const folders = { '/keeproom/': join(app, 'node_modules/keeproom/dist') };
    const server = await startStatic({ csp: policy, files, folders });
    try {
      await twoTabsWork(browser, new URL(server.origin).port);
      expect(await worksWithoutCurves(browser, new URL(server.origin).port)).not.toEqual([]);
    } finally {
      await server.close();
    }
  });

  test(`[S17] a worker URL that does not load is a typed error, in time, naming the option (${name})`, async () => {
    const folder = join(app, `no-worker-${name}`);
    await cp(join(app, 'node_modules/keeproom/dist'), folder, {
      recursive: true,
      filter: (file) => !file.endsWith('worker.js'),
    });
    const files = { '/': page, '/app.js': appText('/keeproom/index.js'), '/icon.svg': icon };
    const server = await startStatic({ csp: policy, files, folders: { '/keeproom/': folder } });
    const context = await browser.newContext();
    try {
      const tab = await context.newPage();
      await tab.goto(server.origin);
      await tab.waitForSelector('body[data-state^="failed"]', { timeout: 2 * WORKER_ERROR_WITHIN_MS });
      const problem = (await tab.textContent('#problem')) ?? '';
      const state = (await tab.getAttribute('body', 'data-state')) ?? '';
      console.log(`${state}; ${problem}`);
      expect(problem).toMatch(/^worker\/not-started: .*\bworker\b/);
      expect(Number(/\d+/.exec(state)?.[0])).toBeLessThanOrEqual(WORKER_ERROR_WITHIN_MS);
    } finally {
      await context.close();
      await server.close();
    }
  });
});

/** Put before the worker's own code: a platform of some years ago. */
const withoutCurves = `{
  const { subtle } = crypto;
  const names = (algorithm) => /^(Ed25519|X25519)$/.test(algorithm?.name ?? algorithm);
  for (const method of ['generateKey', 'importKey', 'sign', 'verify', 'deriveBits']) {
    const real = subtle[method].bind(subtle);
    subtle[method] = (...args) =>
      args.some(names) ? Promise.reject(new DOMException(method, 'NotSupportedError')) : real(...args);
  }
}
`;

/** The same on a platform without the curves; answers with the paths of what was fetched for them. */
async function worksWithoutCurves(browser: Browser, port: string | number): Promise<readonly string[]> {
  const fetched: string[] = [];
  let patched = 0;
  await twoTabsWork(browser, port, async (context) => {
    context.on('request', (request) => {
      const { pathname } = new URL(request.url());
      if (/\/curves\b/.test(pathname)) fetched.push(pathname);
    });
    await context.route(/\/worker\b[^/]*\.js/, async (route) => {
      const response = await route.fetch();
      patched++;
      await route.fulfill({ response, body: withoutCurves + (await response.text()) });
    });
  });
  expect(patched).toBeGreaterThan(0);
  return fetched;
}

async function twoTabsWork(
  browser: Browser,
  port: string | number,
  prepare?: (context: BrowserContext) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext();
  await prepare?.(context);
  const problems: string[] = [];
  try {
    const first = await openTab(context, port, problems);
    const second = await openTab(context, port, problems);
    await add(first, 'from the first');
    await add(second, 'from the second');
    for (const tab of [first, second]) {
      await tab.waitForFunction(
        () => document.querySelector('#cards')?.textContent === 'from the first, from the second',
        undefined,
        { timeout: 10_000 },
      );
    }
    // What was said to be saved is there again, with no tab of before to get it from.
    await first.close();
    await second.close();
    const third = await openTab(context, port, problems);
    await third.waitForFunction(() => document.querySelector('#cards')?.textContent !== '', undefined, {
      timeout: 10_000,
    });
    expect(await third.textContent('#cards')).toBe('from the first, from the second');
    // Where requests are intercepted, Chromium does not open the dev server's own socket to `localhost`.
    const isOfInterception = (problem: string) =>
      prepare !== undefined && problem.startsWith('[vite] failed to connect');
    expect(problems.filter((problem) => !isOfInterception(problem))).toEqual([]);
  } finally {
    await context.close();
  }
}

async function openTab(context: BrowserContext, port: string | number, problems: string[]): Promise<Page> {
  const tab = await context.newPage();
  tab.on('pageerror', (error) => problems.push(String(error)));
  tab.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await tab.goto(`http://localhost:${port}/`);
  await tab.waitForSelector('body[data-state]', { timeout: 15_000 });
  expect(await tab.textContent('#problem')).toBe('');
  return tab;
}

async function add(tab: Page, text: string): Promise<void> {
  await tab.fill('#text', text);
  await tab.click('#add');
  await tab.waitForSelector('body[data-saved="yes"]', { timeout: 10_000 });
}

function portOf(address: unknown): number {
  if (typeof address === 'object' && address !== null && 'port' in address && typeof address.port === 'number') {
    return address.port;
  }
  throw new Error('the server is not listening');
}
