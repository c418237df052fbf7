/** How each missing tool is fetched. Every function answers in words what it did; finding the result is the caller's job. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { LIVEKIT_VERSION, toolTable } from './find.mjs';
import { run, tail } from './run.mjs';

const LOCK_WAIT_MS = 10 * 60_000;
const LOCK_POLL_MS = 5_000;
const APT_TIMEOUT_MS = 15 * 60_000;
const GO_TIMEOUT_MS = 20 * 60_000;

const aptPackages = { chromium: 'chromium', firefox: 'firefox-esr' };

export function hasApt() {
  return process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

/**
 * Installs browsers with apt, one at a time, so that one that is not to be had does not take the other with it.
 *
 * @returns {Promise<Record<string, string>>} per tool, what happened
 */
export async function installWithApt(names) {
  const said = {};
  const update = await aptGet(['update']);
  if (update.code !== 0) {
    for (const name of names) said[name] = `apt-get update failed:\n${tail(update.output, 8)}`;
    return said;
  }
  for (const name of names) {
    const packageName = aptPackages[name];
    const policy = await run('apt-cache', ['policy', packageName], { env: { LC_ALL: 'C' } });
    const candidate = /Candidate: (.*)/.exec(policy.output)?.[1] ?? '(none)';
    if (candidate === '(none)' || candidate.includes('snap')) {
      said[name] = `apt has no ${packageName} that is a real package (candidate: ${candidate})`;
      continue;
    }
    const result = await aptGet(['install', '-y', '--no-install-recommends', packageName]);
    said[name] =
      result.code === 0
        ? `apt-get install ${packageName}`
        : `apt-get install ${packageName} failed:\n${tail(result.output, 8)}`;
  }
  return said;
}

/** apt-get, waiting (bounded) while another process holds one of its locks; the option alone does not cover the list lock. */
async function aptGet(args) {
  const endMs = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    const result = await run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Use-Pty=0', '-q', ...args], {
      env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
      timeoutMs: APT_TIMEOUT_MS,
    });
    const isLocked = /Could not get lock|Unable to (acquire|lock)|is another process using it/.test(result.output);
    if (result.code === 0 || !isLocked || Date.now() > endMs) return result;
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

/** The vendor's download of the browsers; needs node_modules. As root it may also install the libraries they need. */
export async function installWithPlaywright(root, names) {
  const cli = join(root, 'node_modules', 'playwright', 'cli.js');
  if (!existsSync(cli)) return 'playwright is not in node_modules';
  const withDeps = hasApt() ? ['--with-deps'] : [];
  const result = await run(process.execPath, [cli, 'install', ...withDeps, ...names], { cwd: root });
  return result.code === 0
    ? `playwright install ${names.join(' ')}`
    : `playwright install ${names.join(' ')} failed:\n${tail(result.output, 8)}`;
}

/** `go install` of the pinned version into the cache; Go before 1.21 cannot fetch the toolchain the server asks for. */
export async function installLivekitWithGo() {
  const version = await run('go', ['env', 'GOVERSION']);
  const minor = Number(/go1\.(\d+)/.exec(version.output)?.[1] ?? '0');
  if (version.code !== 0 || minor < 21) return 'no Go 1.21 or later on the PATH';
  const target = toolTable.livekit.cached();
  mkdirSync(dirname(target), { recursive: true });
  // Built beside its place and moved there, so that a run that was cut short leaves no half of a file.
  const bin = mkdtempSync(join(dirname(target), 'go-'));
  try {
    const source = `github.com/livekit/livekit-server/cmd/server@v${LIVEKIT_VERSION}`;
    const result = await run('go', ['install', source], {
      env: { GOBIN: bin, GOTOOLCHAIN: 'auto' },
      timeoutMs: GO_TIMEOUT_MS,
    });
    if (result.code !== 0) return `go install ${source} failed:\n${tail(result.output, 8)}`;
    renameSync(join(bin, readdirSync(bin)[0]), target);
    return `go install ${source}`;
  } finally {
    rmSync(bin, { recursive: true, force: true });
  }
}

const releaseUrl = `https://github.com/livekit/livekit/releases/download/v${LIVEKIT_VERSION}`;

/**
 * The vendor's release archive, checked against the checksums published with it.
 *
 * @param {{ baseUrl?: string, target?: string, platform?: string }} [options] for the test of this function
 */
export async function downloadLivekit({
  baseUrl = releaseUrl,
  target = toolTable.livekit.cached(),
  platform = `${process.platform} ${process.arch}`,
} = {}) {
  const arch = { 'linux x64': 'amd64', 'linux arm64': 'arm64', 'linux arm': 'armv7' }[platform];
  if (platform.startsWith('darwin')) return 'the vendor publishes no archive for macOS: brew install livekit';
  if (arch === undefined) return `the vendor publishes no archive this script can use on ${platform}`;
  const file = `livekit_${LIVEKIT_VERSION}_linux_${arch}.tar.gz`;
  mkdirSync(dirname(target), { recursive: true });
  const folder = mkdtempSync(join(dirname(target), 'download-'));
  try {
    const sums = (await fetchBytes(`${baseUrl}/checksums.txt`)).toString('utf8');
    const expected = sums
      .split('\n')
      .map((line) => line.trim().split(/\s+\*?/))
      .find(([, name]) => name === file)?.[0];
    if (expected === undefined) return `${baseUrl}/checksums.txt does not name ${file}`;
    const archive = await fetchBytes(`${baseUrl}/${file}`);
    const actual = createHash('sha256').update(archive).digest('hex');
    if (actual !== expected) return `${file} has SHA-256 ${actual}, published is ${expected}: not used`;
    writeFileSync(join(folder, file), archive);
    const result = await run('tar', ['-xzf', file, 'livekit-server'], { cwd: folder });
    if (result.code !== 0) return `tar could not unpack ${file}:\n${tail(result.output, 5)}`;
    renameSync(join(folder, 'livekit-server'), target);
    return `download of ${file}, checksum verified`;
  } catch (error) {
    return `download of ${file} failed: ${error.message}${error.cause ? ` (${error.cause.message})` : ''}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fetchBytes(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(5 * 60_000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

/** True when what is installed is what the lockfile names. Compared by content: a checkout changes times, not packages. */
export function areModulesCurrent(root) {
  const hidden = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const installed = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || entry.link) return true;
    const have = installed[path];
    // Packages for other platforms, and optional peers, are named in the lockfile and rightly not installed.
    if (have === undefined) return entry.optional === true || entry.devOptional === true || entry.peer === true;
    return have.version === entry.version && have.integrity === entry.integrity;
  });
}

export async function installModules(root) {
  const result = await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root });
  return result.code === 0 ? 'npm ci' : `npm ci failed:\n${tail(result.output, 15)}`;
}
