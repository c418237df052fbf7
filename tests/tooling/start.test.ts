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
  const child = spawn('npm', ['start', '--', `--port=${port}`], {
    cwd: copy,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LIVEKIT_URL: '' },
  });
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
  } finally {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL');
    await rm(copy, { recursive: true, force: true });
  }
});

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
