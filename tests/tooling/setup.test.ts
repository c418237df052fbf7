/** The set-up script: it says what it found, running it again changes nothing, and what goes wrong is said in words. */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { downloadLivekit } from '../../scripts/lib/install.mjs';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const result = join(repository, '.cache', 'tools.json');

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keeproom-setup-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe('[S01] the set-up script', () => {
  test('[S01] says in one line per tool what it found and where, and changes nothing the second time', async () => {
    const first = await setUp([]);
    const before = await stat(result);
    const startMs = performance.now();
    const second = await setUp([]);
    console.log(`${second.output}again: ${Math.round(performance.now() - startMs)} ms`);

    expect(first.code).toBe(0);
    expect(second).toEqual({ code: 0, output: first.output });
    expect((await stat(result)).mtimeMs).toBe(before.mtimeMs);
    const lines = second.output.trimEnd().split('\n');
    expect(lines.map((line) => line.split(/\s+/).slice(0, 2).join(' ')).sort()).toEqual([
      'Chromium found',
      'Firefox found',
      'livekit-server found',
      'node_modules found',
    ]);
    const found = JSON.parse(await readFile(result, 'utf8')) as Record<string, { path: string }>;
    for (const { path } of Object.values(found)) {
      expect(existsSync(path)).toBe(true);
      expect(second.output).toContain(path);
    }
  });

  test('[S01] takes a tool from its environment variable before anything else', async () => {
    const { path } = (JSON.parse(await readFile(result, 'utf8')) as { chromium: { path: string } }).chromium;
    const { code, output } = await setUp(['--find', 'chromium'], { KEEPROOM_CHROMIUM: path });
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringContaining(`${path} (KEEPROOM_CHROMIUM; `) as string,
    });
  });

  test('[S01] does not pass over an environment variable that names nothing, or something too old', async () => {
    const nothing = await setUp(['chromium'], { KEEPROOM_CHROMIUM: join(folder, 'nothing') });
    expect(nothing.code).toBe(1);
    expect(nothing.output).toContain(
      `KEEPROOM_CHROMIUM is set, but ${join(folder, 'nothing')} is not an executable file`,
    );

    const old = join(folder, 'old-firefox');
    await writeFile(old, '#!/bin/sh\necho Mozilla Firefox 91.2.0esr\n');
    await chmod(old, 0o755);
    const tooOld = await setUp(['firefox'], { KEEPROOM_FIREFOX: old });
    expect(tooOld.code).toBe(1);
    expect(tooOld.output).toContain('is too old: Mozilla Firefox 91.2.0esr, wanted 130 or later');
  });

  test('[S01] names what it does not know', async () => {
    expect(await setUp(['chromum'])).toEqual({
      code: 2,
      output: 'setup: unknown argument chromum; expected some of node, chromium, firefox, livekit, --find\n',
    });
  });
});

describe('[S01] the download of livekit-server', () => {
  const script = '#!/bin/sh\necho livekit-server version 1.13.5\n';
  let server: Server;
  let archive: Buffer;
  let sums = '';

  beforeEach(async () => {
    await mkdir(join(folder, 'release'));
    await writeFile(join(folder, 'release', 'livekit-server'), script, { mode: 0o755 });
    archive = execFileSync('tar', ['-czf', '-', '-C', join(folder, 'release'), 'livekit-server']);
    server = createServer((request, response) => {
      const isSums = request.url === '/checksums.txt';
      response.end(isSums ? sums : archive);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(() => {
    server.close();
  });

  const archiveName = 'livekit_1.13.5_linux_amd64.tar.gz';
  const fetchInto = (target: string) =>
    downloadLivekit({
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      target,
      platform: 'linux x64',
    });

  test('[S01] is unpacked when its checksum is the published one', async () => {
    sums = `${'0'.repeat(64)}  livekit_1.13.5_windows_amd64.zip\n${sha256(archive)}  ${archiveName}\n`;
    const target = join(folder, 'cache', 'livekit-server');
    expect(await fetchInto(target)).toBe(`download of ${archiveName}, checksum verified`);
    expect(await readFile(target, 'utf8')).toBe(script);
    expect((await stat(target)).mode & 0o111).not.toBe(0);
  });

  test('[S01] is thrown away when its checksum is another, or none is published', async () => {
    const target = join(folder, 'cache', 'livekit-server');
    sums = `${'0'.repeat(64)}  ${archiveName}\n`;
    expect(await fetchInto(target)).toMatch(/has SHA-256 \w+, published is 0+: not used$/);
    expect(await downloadLivekit({ target, platform: 'sunos x64' })).toMatch(/no archive .* on sunos x64$/);
    sums = '';
    expect(await fetchInto(target)).toMatch(new RegExp(`does not name ${archiveName}$`));
    expect(existsSync(target)).toBe(false);
  });
});

function setUp(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const script = join(repository, 'scripts', 'setup.mjs');
    execFile(process.execPath, [script, ...args], { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, output: stdout + stderr });
    });
  });
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
