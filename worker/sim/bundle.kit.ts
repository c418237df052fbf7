/** Vitest's set-up of the sim project: the world in one file that Node runs as it is. */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'vite';

const root = join(import.meta.dirname, '..', '..');
/** What `./run.kit.js` stands for in the tests of this folder (vite.config.ts); runs beside each other have one each. */
export const bundledRun = join(root, '.cache', `sim-${String(process.pid)}`, 'run.kit.js');

/** Through Vitest's own loader, where each import is a getter, a seed takes a quarter longer. */
export async function setup(): Promise<() => void> {
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    build: {
      ssr: join(import.meta.dirname, 'run.kit.ts'),
      outDir: dirname(bundledRun),
      emptyOutDir: true,
      minify: false,
      target: 'node20',
      rolldownOptions: { output: { entryFileNames: 'run.kit.js' } },
    },
  });
  return () => rmSync(dirname(bundledRun), { recursive: true, force: true });
}
