/**
 * npm run bench: installs what bench/ compares with, on first use or when its lockfile has changed, and runs the suite.
 * Arguments go to bench/run.mjs as they are.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { areModulesCurrent, installModules } from './lib/install.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bench = join(root, 'bench');

/** Resolves with the code of a script of ours that speaks for itself. */
function runScript(file, args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [file, ...args], { cwd: root, stdio: 'inherit' });
    child.once('error', () => resolve(127));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function main() {
  if (!areModulesCurrent(bench)) {
    console.error(`bench: installing what is compared`);
    const outcome = await installModules(bench);
    if (!areModulesCurrent(bench)) {
      console.error(`bench: ${outcome}`);
      return 1;
    }
  }
  // What is measured is the package as it would be shipped now.
  if (!existsSync(join(root, 'dist', 'worker.js'))) {
    const code = await runScript(join(root, 'scripts', 'build.mjs'), []);
    if (code !== 0) return code;
  }
  return runScript(join(bench, 'run.mjs'), process.argv.slice(2));
}

process.exitCode = await main();
