/** Child processes for the scripts: collected output, a deadline, and nothing left behind. */
import { spawn, spawnSync } from 'node:child_process';
import process from 'node:process';

/**
 * Runs a command to its end and never rejects: a command that cannot be started has code 127.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined>, timeoutMs?: number, echo?: boolean }} [options]
 *   `echo` also shows the output as it comes.
 * @returns {Promise<{ code: number, output: string, timedOut: boolean }>}
 */
export function run(command, args, { cwd, env, timeoutMs = 600_000, echo = false } = {}) {
  return new Promise((resolve) => {
    // A group of its own, so that a deadline also ends what the command started.
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    const chunks = [];
    let timedOut = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        chunks.push(chunk);
        if (echo) process.stdout.write(chunk);
      });
    }
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child.pid);
    }, timeoutMs);
    const stop = () => killGroup(child.pid);
    process.once('exit', stop);
    const done = (code, extra = '') => {
      clearTimeout(timer);
      process.removeListener('exit', stop);
      resolve({ code, output: Buffer.concat(chunks).toString('utf8') + extra, timedOut });
    };
    child.on('error', (error) => done(127, String(error)));
    child.on('close', (code) => done(code ?? 1, timedOut ? `\n(stopped after ${timeoutMs / 1000} s)` : ''));
  });
}

/** The first line a command prints for its version, or undefined when it does not run. */
export function versionOf(path, args = ['--version']) {
  const result = spawnSync(path, args, { encoding: 'utf8', timeout: 30_000, stdio: ['ignore', 'pipe', 'ignore'] });
  if (result.status !== 0) return undefined;
  return result.stdout.split('\n')[0].trim();
}

function killGroup(pid) {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** The last lines of a long output: what a person needs to see of a failure. */
export function tail(output, lines = 30) {
  return output.trimEnd().split('\n').slice(-lines).join('\n');
}

/** For a script's main: Ctrl-C ends it by `exit`, and with it the groups of its children (see `run`). */
export function exitOnSignals() {
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
}
