/**
 * The entry of the engine's worker, published as one file without imports. Lies beside `spawn.ts`, which names it, and
 * `curves.ts`, which it loads on the few platforms that need it; everything it is made of lies in worker/.
 */
import { createEngine } from '../worker/engine/index.js';
import { runWebWorker } from '../worker/hosts/web/index.js';
import type * as Curves from './curves.js';

// Bundlers know this form and serve the file with the app; the import itself they must leave alone.
const curves = new URL('./curves.js', import.meta.url);

runWebWorker(self, {
  // Being fenced or closed is seen by the tabs' gate around the store, which ends this engine's term.
  createEngine: (ports) => createEngine(ports, { lost: () => undefined }),
  loadCurves: () => import(/* @vite-ignore */ /* webpackIgnore: true */ curves.href) as Promise<typeof Curves>,
});
