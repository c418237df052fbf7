/**
 * What a user downloads: each published entry bundled alone and minified, as an app's bundler would, then measured with
 * gzip against the limits in package.json. `--json` prints the measures for a program.
 */
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { exitOnSignals, run } from './lib/run.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outDir = join(root, '.cache', 'size');
const entries = ['index', 'livekit', 'worker', 'curves'];

exitOnSignals();
const missing = entries.filter((entry) => !existsSync(join(root, 'dist', `${entry}.js`)));
if (missing.length > 0) {
  console.error(`size: no dist/${missing[0]}.js; run \`npm run build\` first.`);
  process.exit(1);
}

const { build } = await import('tsdown');
rmSync(outDir, { recursive: true, force: true });
for (const entry of entries) {
  await build({
    config: false,
    cwd: root,
    entry: { [entry]: join('dist', `${entry}.js`) },
    outDir,
    clean: false,
    platform: 'browser',
    target: 'es2022',
    fixedExtension: false,
    hash: false,
    dts: false,
    minify: true,
    // One file per entry: what it loads later, a user downloads too. Only the curves, which few platforms need, count apart.
    outputOptions: { codeSplitting: false },
    deps: { neverBundle: ['livekit-client'] },
    logLevel: 'error',
    report: false,
  });
}
const sizeLimit = join(root, 'node_modules', 'size-limit', 'bin.js');
const { code } = await run(process.execPath, [sizeLimit, ...process.argv.slice(2)], { cwd: root, echo: true });
process.exitCode = code;
