/** Where each tool may be, in the order it is looked for: environment variable, PATH, the system's usual place, our cache. */
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { versionOf } from './run.mjs';

export const LIVEKIT_VERSION = '1.13.5';

/** Outside the tree: a fresh clone on the same machine finds what an earlier one fetched. */
const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'keeproom');

const playwrightCache =
  process.env.PLAYWRIGHT_BROWSERS_PATH ||
  (process.platform === 'darwin'
    ? join(homedir(), 'Library', 'Caches', 'ms-playwright')
    : process.platform === 'win32'
      ? join(process.env.LOCALAPPDATA || homedir(), 'ms-playwright')
      : join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ms-playwright'));

/**
 * The tools, and what counts as good enough. The browsers' minimum is Ed25519 in WebCrypto without a flag;
 * livekit-server's is the first line with the behaviour our transport is written against.
 */
export const toolTable = {
  chromium: {
    title: 'Chromium',
    envName: 'KEEPROOM_CHROMIUM',
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    places: [
      '/usr/bin/chromium',
      '/usr/lib/chromium/chromium',
      '/opt/google/chrome/chrome',
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    ],
    vendor: { folder: /^chromium-\d+$/, file: /^(chrome|chrome\.exe|Chromium|Google Chrome for Testing)$/ },
    minimum: [137],
  },
  firefox: {
    title: 'Firefox',
    envName: 'KEEPROOM_FIREFOX',
    names: ['firefox', 'firefox-esr'],
    places: [
      '/usr/bin/firefox-esr',
      '/usr/lib/firefox-esr/firefox-esr',
      '/usr/lib/firefox/firefox',
      '/Applications/Firefox.app/Contents/MacOS/firefox',
    ],
    vendor: { folder: /^firefox-\d+$/, file: /^(firefox|firefox\.exe)$/ },
    minimum: [130],
  },
  livekit: {
    title: 'livekit-server',
    envName: 'LIVEKIT_SERVER',
    names: ['livekit-server'],
    places: ['/usr/local/bin/livekit-server', '/opt/homebrew/bin/livekit-server'],
    cached: () => join(cacheDir, `livekit-server-${LIVEKIT_VERSION}`, 'livekit-server'),
    minimum: [1, 13],
  },
};

/**
 * @param {'chromium' | 'firefox' | 'livekit'} name
 * @returns {{ tool?: { path: string, version: string, from: string, channel?: string }, tried: string[] }}
 *   `tried` says in words what was looked at and why it did not do.
 * @throws Error when the environment variable is set and what it names does not run: a wish is not passed over.
 */
export function findTool(name) {
  const entry = toolTable[name];
  const tried = [];
  const wish = process.env[entry.envName];
  if (wish) {
    const tool = check(name, wish, entry.envName, tried);
    if (tool === undefined) throw new Error(`${entry.envName} is set, but ${tried[0]}`);
    return { tool, tried };
  }
  for (const [path, from] of candidates(entry)) {
    const tool = check(name, path, from, tried);
    if (tool !== undefined) return { tool, tried };
  }
  if (tried.length === 0)
    tried.push(`no ${entry.names.join(' or ')} in ${entry.envName}, on the PATH or in the usual places`);
  return { tried };
}

function check(name, path, from, tried) {
  const entry = toolTable[name];
  if (!isExecutable(path)) {
    tried.push(`${path} is not an executable file`);
    return undefined;
  }
  const version = versionOf(path);
  if (version === undefined) {
    tried.push(`${path} does not run (${path} --version fails)`);
    return undefined;
  }
  if (!isAtLeast(version, entry.minimum)) {
    tried.push(`${path} is too old: ${version}, wanted ${entry.minimum.join('.')} or later`);
    return undefined;
  }
  const tool = { path, version, from };
  // Playwright drives a stock Firefox by this channel, and its own patched build without one.
  if (name === 'firefox' && from !== 'playwright') tool.channel = 'moz-firefox';
  return tool;
}

function* candidates(entry) {
  const seen = new Set();
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter(Boolean)) {
    for (const name of entry.names) {
      const path = join(folder, process.platform === 'win32' ? `${name}.exe` : name);
      if (seen.has(path) || !existsSync(path)) continue;
      seen.add(path);
      yield [path, 'PATH'];
    }
  }
  for (const path of entry.places) {
    if (seen.has(path) || !existsSync(path)) continue;
    yield [path, 'system'];
  }
  if (entry.cached !== undefined && existsSync(entry.cached())) yield [entry.cached(), 'cache'];
  if (entry.vendor !== undefined) {
    for (const path of vendorFiles(entry.vendor)) yield [path, 'playwright'];
  }
}

/** Playwright keeps a browser as <cache>/<name>-<revision>/<some folders>/<executable>; the newest revision first. */
function vendorFiles({ folder, file }) {
  if (!existsSync(playwrightCache)) return [];
  const roots = readdirSync(playwrightCache)
    .filter((name) => folder.test(name))
    .sort((a, b) => Number(b.split('-')[1]) - Number(a.split('-')[1]));
  return roots.flatMap((root) =>
    readdirSync(join(playwrightCache, root), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && file.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isAtLeast(version, minimum) {
  const parts = (/\d+(\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number);
  for (const [index, want] of minimum.entries()) {
    const have = parts[index] ?? 0;
    if (have !== want) return have > want;
  }
  return true;
}
