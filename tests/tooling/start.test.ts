/** `npm start` on a tree as it is cloned: nothing installed, nothing built. */
import { spawn, type ChildProcess } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { expect, test } from 'vitest';
import { launchOptions } from '../../scripts/browsers.mjs';
import { freeTcpPort } from '../../scripts/livekit.mjs';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const notCloned = ['.git', 'node_modules', 'dist', '.build', '.cache', 'coverage', 'test-results'];

test('[S01] npm start serves the demo from a copy of the tree without node_modules', { timeout: 300_000 }, async () => {
  const copy = await mkdtemp(join(tmpdir(), 'keeproom-start-'));
  await cp(repository, copy, { recursive: true, filter: (path) => !notCloned.includes(basename(path)) });
  const port = await freeTcpPort();
  const startMs = performance.now();
  const child = start(copy, [`--port=${port}`], { LIVEKIT_URL: '' });
  let second: ChildProcess | undefined;
  try {
    const address = await printedAddress(child);
    console.log(`${address} after ${Math.round(performance.now() - startMs)} ms, npm ci included`);
    const page = await fetch(address);
    expect(page.status).toBe(200);
    expect(await page.text()).toMatch(/<script type="module"/);
    const config = (await (await fetch(new URL('config.json', address))).json()) as object;
    expect(Object.keys(config)).toEqual(['livekit']);
    expect(await problemsInBrowser(address)).toEqual([]);

    const ended = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-child.pid!, 'SIGTERM');
    await ended;
    await expect(fetch(address)).rejects.toThrow();

    // Whoever names a server gets that one, whatever else is asked for.
    const theirs = { LIVEKIT_URL: 'ws://127.0.0.1:9', LIVEKIT_API_KEY: 'key', LIVEKIT_API_SECRET: 'secret' };
    second = start(copy, ['--livekit', `--port=${port}`], theirs);
    const call = (await fetch(new URL('config.json', await printedAddress(second)))).json();
    expect(await call).toEqual({ livekit: { url: theirs.LIVEKIT_URL } });
  } finally {
    for (const each of [child, second]) {
      if (each?.exitCode === null && each.signalCode === null) process.kill(-each.pid!, 'SIGKILL');
    }
    await rm(copy, { recursive: true, force: true });
  }
});

/** In a process group of its own, so that what it starts can be ended with it. */
function start(tree: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  return spawn('npm', ['start', '--', ...args], {
    cwd: tree,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
}

function printedAddress(child: ChildProcess): Promise<string> {
  let output = '';
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString('utf8');
      const address = /^keeproom demo: (http:\/\/localhost:\d+\/)$/m.exec(output)?.[1];
      if (address !== undefined) resolve(address);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => {
      reject(new Error(`npm start ended (code ${String(code)}):\n${output}`));
    });
  });
}

async function problemsInBrowser(address: string): Promise<string[]> {
  const browser = await chromium.launch(launchOptions('chromium'));
  try {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    // The engine starts: what was served is the whole of it, not a page alone.
    const started = page.waitForEvent('worker', { timeout: 30_000 }).catch((error: unknown) => {
      problems.push(`no worker: ${String(error)}`);
    });
    await page.goto(address);
    await started;
    return problems;
  } finally {
    await browser.close();
  }
}
