/** The web host around the echo engine, and the ways in which a tab stops. Bundled by e2e/tabs-echo.spec.ts. */
import { databaseName } from '../../storage/idb/schema.js';
import type { Store } from '../../../src/ports/index.js';
import { StoreError } from '../../../src/ports/index.js';
import { startEcho } from '../../tabs/echo.kit.js';
import { runWebWorker } from './index.js';

/** What the page may do to its worker beside talking to it. */
export type Torture =
  /** Nothing runs for `ms`: no timer, message, lock or database event, as in a stopped process. Then it commits at once. */
  | { readonly torture: 'block'; readonly ms: number }
  /** The same inside a write transaction. */
  | { readonly torture: 'hold'; readonly ms: number; readonly namespace: string };

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

function hold(ms: number, namespace: string): void {
  const opening = indexedDB.open(databaseName(namespace));
  opening.onsuccess = () => {
    const rows = opening.result.transaction(['fence', 'packs'], 'readwrite').objectStore('packs');
    rows.get(['nothing']).onsuccess = () => {
      block(ms);
      opening.result.close();
    };
  };
}

self.addEventListener('message', ({ data }: MessageEvent<object>) => {
  if (!('torture' in data)) return;
  const torture = data as Torture;
  if (torture.torture === 'hold') hold(torture.ms, torture.namespace);
  else {
    block(torture.ms);
    void commitAsZombie();
  }
});

runWebWorker(
  {
    postMessage: (message) => self.postMessage(message),
    addEventListener: (type, listener) =>
      self.addEventListener(type, (event) => {
        if (!('torture' in event.data)) listener(event);
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
