/** The web host around the echo engine, and the ways in which a tab stops. Bundled by e2e/tabs-echo.spec.ts. */
import type { Store } from '../../../src/ports/index.js';
import { StoreError } from '../../../src/ports/index.js';
import { startEcho } from '../../tabs/echo.kit.js';
import { runWebWorker } from './index.js';

/** What the page may do to its worker: nothing runs for `ms`, no timer, message, lock or database event, as in a stopped process. Then it commits at once. */
export interface Torture {
  readonly blockMs: number;
}

/** What the worker found out about itself. */
export type Confession = { readonly confession: 'committed' | 'fenced' | 'closed' | 'full' | 'broken' };

let current: Store | null = null;

function confess(confession: Confession): void {
  self.postMessage(confession);
}

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

async function commitAsZombie(): Promise<void> {
  try {
    await current?.commit([{ do: 'put', table: 'packs', key: ['log', 1_000_000], value: { tab: 'zombie', n: 1 } }]);
    confess({ confession: 'committed' });
  } catch (error) {
    confess({ confession: error instanceof StoreError ? error.failure : 'broken' });
  }
}

self.addEventListener('message', ({ data }: MessageEvent<object>) => {
  if (!('blockMs' in data)) return;
  block((data as Torture).blockMs);
  void commitAsZombie();
});

runWebWorker(
  {
    postMessage: (message) => self.postMessage(message),
    addEventListener: (type, listener) =>
      self.addEventListener(type, (event) => {
        if (!('blockMs' in event.data)) listener(event);
      }),
    close: () => self.close(),
  },
  {
    createEngine: ({ store, generation }) => {
      current = store;
      return startEcho(store, generation);
    },
    loadCurves: () => Promise.reject(new Error('this worker is for platforms that have the curves')),
  },
);
