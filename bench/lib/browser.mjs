/** Real browsers on a profile of their own: IndexedDB must be on a disk, which a private window's is not. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, firefox } from 'playwright-core';
import { launchOptions } from '../../scripts/browsers.mjs';

const quietChromium = [
  '--no-sandbox',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/** Firefox makes timers of pages that nobody looks at slow; its clocks are coarse unless told. */
const patientFirefox = {
  'dom.min_background_timeout_value': 4,
  'dom.timeout.enable_budget_timer_throttling': false,
  'privacy.reduceTimerPrecision': false,
};

/**
 * @param {'chromium' | 'firefox'} name
 * @param {{ rtc?: boolean }} [options] `rtc`: peers on loopback must find each other
 */
export async function launchBrowser(name) {
  const profile = mkdtempSync(join(tmpdir(), 'keeproom-bench-'));
  const options = launchOptions(name);
  const context =
    name === 'firefox'
      ? await firefox.launchPersistentContext(profile, {
          ...options,
          firefoxUserPrefs: { ...options.firefoxUserPrefs, ...patientFirefox },
        })
      : await chromium.launchPersistentContext(profile, {
          ...options,
          args: [...new Set([...options.args, ...quietChromium])],
        });
  return {
    name,
    profile,
    context,
    /** Resident bytes of all of this browser's processes. */
    rssBytes: () => rssBytes(profile),
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** A page of a contestant with its module loaded; `role` says which part of it plays there. */
export async function openStation(browser, url, moduleName, role = 'main') {
  const page = await browser.context.newPage();
  const said = [];
  page.on('console', (message) => {
    if (message.type() === 'error') said.push(message.text());
  });
  page.on('pageerror', (error) => said.push(String(error)));
  const load = async () => {
    await page.goto(url);
    await page.locator('html[data-ready=yes]').waitFor({ state: 'attached' });
    return page.evaluate(([name, part]) => globalThis.bench.load(name, part), [moduleName, role]);
  };
  let steps = await load();
  return {
    page,
    has: (step) => steps.includes(step),
    /** What the page wrote to its console as an error, or threw. */
    said,
    /** The page as in a new process: what it held before is gone with the old one. */
    reload: async () => {
      await page.goto('about:blank');
      steps = await load();
    },
    call: (step, input, timeoutMs) =>
      within(
        timeoutMs,
        `${moduleName} ${step}`,
        page.evaluate(([name, given]) => globalThis.bench.call(name, given), [step, input]),
      ),
    close: () => page.close(),
  };
}

async function within(timeoutMs, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: no answer within ${timeoutMs / 1000} s`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Linux only: the tree of processes that the profile's folder names. Undefined elsewhere. */
function rssBytes(profile) {
  if (process.platform !== 'linux') return undefined;
  const all = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => describeProcess(pid));
  const mine = new Set(all.filter(({ command }) => command.includes(profile)).map(({ pid }) => pid));
  for (let before = -1; before !== mine.size;) {
    before = mine.size;
    for (const { pid, parent } of all) if (mine.has(parent)) mine.add(pid);
  }
  return all.filter(({ pid }) => mine.has(pid)).reduce((sum, { rss }) => sum + rss, 0);
}

function describeProcess(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    return [
      {
        pid,
        parent: String(field('PPid')),
        rss: field('VmRSS') * 1024,
        command: readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
      },
    ];
  } catch {
    // It has ended meanwhile.
    return [];
  }
}
