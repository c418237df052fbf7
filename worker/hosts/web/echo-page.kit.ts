/** A page that writes, and writes again what is not saved whenever an engine is ready. Bundled by e2e/tabs-echo.spec.ts. */
import type { FromPage, ToPage } from '../../../src/bridge/index.js';
import { leavingNote, tabsName } from '../../../src/bridge/index.js';
import type { Logged } from '../../tabs/echo.kit.js';
import type { Confession, Torture } from './echo-worker.kit.js';

export interface EchoPage {
  readonly start: (namespace: string, tab: string) => void;
  readonly write: (count: number) => void;
  readonly post: (message: FromPage | Torture) => void;
  readonly terminate: () => void;
  readonly state: () => EchoState;
  /** The log as it lies in the database, past our code. */
  readonly log: (namespace: string) => Promise<Logged[]>;
}

export interface EchoState {
  readonly engine: (ToPage & { readonly t: 'engine' }) | null;
  readonly written: number;
  readonly saved: number;
  /** When the last write was saved, as Date.now(). */
  readonly savedAtMs: number;
  /** When an engine was last ready. */
  readonly readyAtMs: number;
  readonly confessions: readonly string[];
}

declare global {
  interface Window {
    echo: EchoPage;
  }
}

const state = {
  engine: null as EchoState['engine'],
  written: 0,
  saved: 0,
  savedAtMs: 0,
  readyAtMs: 0,
  confessions: [] as string[],
};
let space = '';
const worker = new Worker('/echo-worker.js', { type: 'module' });
const post = (message: FromPage | Torture): void => worker.postMessage(message);
const op = { kind: 'delete', collection: 'c', id: 'A'.repeat(38) } as const;
const send = (n: number): void => {
  const prev = n > state.saved + 1 ? n - 1 : 0;
  post({ t: 'write', room: 'r', n, prev, domain: 'd', schema: null, ops: [op] });
};

worker.addEventListener('message', ({ data }: MessageEvent<ToPage | Confession>) => {
  if ('confession' in data) {
    state.confessions.push(data.confession);
    return;
  }
  if (data.t === 'engine') {
    state.engine = data;
    if (data.state === 'ready') state.readyAtMs = Date.now();
    if (data.state === 'ready') for (let n = state.saved + 1; n <= state.written; n++) send(n);
  }
  if (data.t === 'view' && data.update.savedUpTo > state.saved) {
    state.saved = data.update.savedUpTo;
    state.savedAtMs = Date.now();
  }
});

addEventListener('pagehide', () => {
  post({ t: 'abdicate' });
  if (state.engine?.leader !== true) return;
  const channel = new BroadcastChannel(tabsName(space));
  channel.postMessage(leavingNote(state.engine.generation));
  channel.close();
});
addEventListener('pageshow', () => post({ t: 'resume' }));
document.addEventListener('freeze', () => post({ t: 'abdicate' }));
document.addEventListener('resume', () => post({ t: 'resume' }));

window.echo = {
  start: (namespace, tab) => {
    space = namespace;
    post({ t: 'start', namespace, storage: 'indexeddb', tab });
  },
  write: (count) => {
    for (let i = 0; i < count; i++) send(++state.written);
  },
  post,
  terminate: () => worker.terminate(),
  state: () => state,
  log: (namespace) =>
    new Promise((resolve, reject) => {
      const opening = indexedDB.open(`keeproom/${namespace}`);
      opening.onerror = () => reject(new Error(opening.error?.name));
      opening.onsuccess = () => {
        const rows = opening.result.transaction('packs').objectStore('packs').getAll();
        rows.onsuccess = () => {
          opening.result.close();
          resolve(rows.result as Logged[]);
        };
      };
    }),
};
