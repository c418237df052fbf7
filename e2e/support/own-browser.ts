/**
 * A browser that nobody drives: started by its path with a profile and an address, so that it can be killed like any
 * other process, with everything it started. What it has to say it says over HTTP.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { launchOptions } from '../../scripts/browsers.mjs';

export interface OwnBrowser {
  /** SIGKILL to the browser and all of its processes; resolves when it has ended. */
  readonly kill: () => Promise<void>;
}

/** A browser on `profile`, a folder of its own, showing `url`. */
export function startBrowser(name: 'chromium' | 'firefox', profile: string, url: string): OwnBrowser {
  const { executablePath, args = [], firefoxUserPrefs = {} } = launchOptions(name);
  if (executablePath === undefined) throw new Error(`${name}: not found; run npm run setup`);
  if (name === 'firefox') writeFileSync(join(profile, 'user.js'), prefsFile({ ...quietFirefox, ...firefoxUserPrefs }));
  const own =
    name === 'firefox'
      ? ['--headless', '--no-remote', '--profile', profile, url]
      : ['--headless', ...quietChromium, `--user-data-dir=${profile}`, ...args, url];
  // A group of its own: what the browser starts belongs to it and dies with it.
  const child = spawn(executablePath, own, { detached: true, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const failed = new Promise<void>((_, reject) => child.once('error', reject));
  const killGroup = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL');
  };
  process.once('exit', killGroup);
  return {
    kill: async () => {
      killGroup();
      await Promise.race([ended, failed]);
      process.off('exit', killGroup);
    },
  };
}

const quietChromium = [
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-gpu',
  '--disable-extensions',
  '--disable-sync',
  '--disable-background-networking',
  '--disable-component-update',
  '--password-store=basic',
];

/** No welcome pages, no updates, and no question about the crash before. */
const quietFirefox = {
  'browser.aboutwelcome.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.sessionstore.resume_from_crash': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'toolkit.startup.max_resumed_crashes': -1,
  'datareporting.policy.dataSubmissionEnabled': false,
  'app.update.auto': false,
  'app.normandy.enabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
};

function prefsFile(prefs: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(prefs)
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`)
    .join('\n');
}

/** Hears what pages post, in the order of arrival. */
export interface Ear<T> {
  readonly url: string;
  /** Who hears from now on; called within the request, before anything else can happen here. */
  hear: (said: T) => void;
  readonly close: () => Promise<void>;
}

/** A server that pages post JSON to, from any origin. */
export async function startEar<T>(): Promise<Ear<T>> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      ear.hear(JSON.parse(Buffer.concat(parts).toString()) as T);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ear: Ear<T> = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    hear: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return ear;
}
