/** Builds the package into dist/, and the demo into demo/dist/ where there is one. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { demoConfig, demoRoot } from './demo.mjs';
import { exitOnSignals, run } from './lib/run.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

exitOnSignals();
rmSync(join(root, 'dist'), { recursive: true, force: true });
const tsdown = join(root, 'node_modules', 'tsdown', 'dist', 'run.mjs');
const { code } = await run(process.execPath, [tsdown, '--log-level', 'warn'], { cwd: root, echo: true });
if (code !== 0) process.exit(code);

// The types name source maps that are not made.
for (const name of readdirSync(join(root, 'dist')).filter((file) => file.endsWith('.d.ts'))) {
  const file = join(root, 'dist', name);
  writeFileSync(file, readFileSync(file, 'utf8').replace(/\n\/\/# sourceMappingURL=\S+\s*$/, '\n'));
}

if (existsSync(join(demoRoot, 'index.html'))) {
  const { build } = await import('vite');
  await build({ ...demoConfig(), logLevel: 'warn' });
}
