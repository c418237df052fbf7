import type { CallName, CallResult, FromPage, PageArgs, ToPage } from '../bridge/index.js';
import { leavingNote, tabsName } from '../bridge/index.js';
import { briefHex } from '../core/base/index.js';
import { spawnWorker } from '../spawn.js';
import type { Scope } from '../view/index.js';
import { errorFromWire, KeeproomError, wait } from '../view/index.js';
import { randomBytes } from './check.js';
import type { ClientOptions } from './types.js';

/** Everything but replies, and what is about the worker itself. */
export type PageNews = Exclude<ToPage, { readonly t: 'alive' | 'engine' | 'reply' | 'reply-error' }>;

/** What a worker's link tells the client. */
export interface LinkEvents {
  /** What is about rooms, joins and networks. */
  readonly message: (message: PageNews) => void;
  /**
   * An engine serves this tab from here on, perhaps another than before: all that it does not know by itself has to be
   * said again. Calls without an answer follow by themselves.
   */
  readonly ready: () => void;
  /** Why there is no engine at the moment; null: nothing is known to be wrong. */
  readonly trouble: (error: KeeproomError | null) => void;
}

/** The page's way to its engine, wherever that runs. */
export interface EngineLink {
  /** Starts the worker unless it runs. */
  readonly start: () => void;
  /** Answered once, through any number of engines. `signal` ends it there too, `scope`, by its closing, the wait alone. */
  readonly call: <N extends CallName>(
    name: N,
    args: PageArgs<N>,
    end: { readonly signal?: AbortSignal | undefined; readonly scope: Scope },
  ) => Promise<CallResult<N>>;
  /** Dropped while there is no engine: `ready` is when to say it again. */
  readonly send: (message: FromPage) => void;
  readonly stop: () => void;
}

/** No more cross at once: the worker begins while a page still writes. */
const maxTogether = 64;
/** How long a worker may take to say that it runs. */
const aliveMs = 5_000;

interface Call {
  readonly message: FromPage & { readonly t: 'call' };
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** See {@link EngineLink}. Touches nothing before `start` or the first call. */
export function createLink(o: ClientOptions, on: LinkEvents): EngineLink {
  const calls = new Map<number, Call>();
  let lastCall = 0;
  let worker: Worker | null = null;
  /** What has to wait for the end of this go; null: nothing would. */
  let outbox: FromPage[] | null = null;
  /** Ends what listens to the worker and the page. */
  let ending = new AbortController();
  let isReady = false;
  /** Of the engine in this tab's own worker; 0: none is. */
  let leads = 0;
  /** Why no engine starts: whoever asks is told instead of waiting. */
  let refusal: Error | null = null;

  const flush = (): void => {
    const together = outbox ?? [];
    outbox = null;
    if (together.length > 0) worker?.postMessage(together);
  };
  /** The writes that follow one in the same go cross together: crossing costs more than most of them do. */
  const post = (message: FromPage): void => {
    const isWrite = message.t === 'write';
    if (isWrite && outbox !== null) {
      if (outbox.push(message) === maxTogether) flush();
      return;
    }
    flush();
    worker?.postMessage(message);
    if (!isWrite) return;
    outbox = [];
    queueMicrotask(flush);
  };
  const send = (message: FromPage): void => {
    if (isReady) post(message);
  };

  const end = (): void => {
    ending.abort();
    worker = null;
    isReady = false;
    leads = 0;
    refusal = null;
  };
  const refuse = (error: Error): void => {
    for (const call of calls.values()) call.reject(error);
  };
  const fail = (cause: unknown): void => {
    const error = new KeeproomError(
      'worker/not-started',
      'the worker did not start; give its address as createClient({ worker })',
      { cause },
    );
    worker?.terminate();
    end();
    refuse(error);
    on.trouble(error);
  };

  const receive = (message: Exclude<ToPage, { readonly t: 'alive' }>): void => {
    switch (message.t) {
      case 'reply':
        calls.get(message.id)?.resolve(message.value);
        return;
      case 'reply-error':
        calls.get(message.id)?.reject(errorFromWire(message.error));
        return;
      case 'engine': {
        const { error: told } = message;
        const error = told && new KeeproomError(told.code, told.message, told);
        isReady = message.state !== 'waiting';
        leads = message.leader ? message.generation : 0;
        // Storage that is blocked goes on by itself.
        refusal = error?.code === 'storage/blocked' ? null : error;
        if (refusal !== null) refuse(refusal);
        on.trouble(error);
        if (message.state !== 'ready') return;
        const unanswered = [...calls.values()];
        on.ready();
        for (const call of unanswered) post(call.message);
        return;
      }
      default:
        on.message(message);
    }
  };

  const start = (): void => {
    if (worker !== null) return;
    ending = new AbortController();
    const { signal } = ending;
    try {
      worker = openWorker(o.worker);
      const timer = setTimeout(() => fail(new Error('no sign of life')), aliveMs);
      signal.addEventListener('abort', () => clearTimeout(timer));
      let isAlive = false;
      const onMessage = ({ data }: MessageEvent<ToPage>): void => {
        if (data.t !== 'alive') {
          receive(data);
          return;
        }
        clearTimeout(timer);
        isAlive = true;
      };
      worker.addEventListener('message', onMessage, { signal });
      // Once it runs, an error in it is not the end of it.
      worker.addEventListener('error', (event) => isAlive || fail(event), { signal });
      const { namespace = 'default', storage = 'indexeddb' } = o;
      const rest = (): void => {
        post({ t: 'abdicate' });
        if (leads > 0) announceLeaving(namespace, leads);
      };
      watchPage(rest, () => post({ t: 'resume' }), signal);
      post({ t: 'start', namespace, storage, tab: briefHex(randomBytes(16)) });
    } catch (error) {
      fail(error);
    }
  };

  return {
    start,
    call: <N extends CallName>(name: N, args: PageArgs<N>, end: Parameters<EngineLink['call']>[2]) =>
      wait<CallResult<N>>({ signal: end.signal, scope: end.scope }, ({ resolve, reject }) => {
        const id = ++lastCall;
        const message = { t: 'call', id, name, args } as const;
        // The engine answers each name with its own type: the one place where that is taken on trust.
        calls.set(id, { message, resolve: (value) => resolve(value as CallResult<N>), reject });
        start();
        if (refusal === null) send(message);
        else reject(refusal);
        return () => {
          calls.delete(id);
          if (end.signal?.aborted === true) send({ t: 'call', id: ++lastCall, name: 'cancel', args: { call: id } });
        };
      }),
    send,
    stop: () => {
      post({ t: 'stop' });
      end();
    },
  };
}

function openWorker(from: ClientOptions['worker']): Worker {
  if (from === undefined) return spawnWorker();
  if (typeof from === 'function') return from();
  return from instanceof URL ? new Worker(from, { type: 'module' }) : from;
}

/** Gives up leadership before the page sleeps or goes, and comes back with it (tabs.md rule 2). */
function watchPage(rest: () => void, wake: () => void, signal: AbortSignal): void {
  if (typeof document === 'undefined') return;
  window.addEventListener('pagehide', rest, { signal });
  document.addEventListener('freeze', rest, { signal });
  window.addEventListener('pageshow', wake, { signal });
  document.addEventListener('resume', wake, { signal });
}

function announceLeaving(namespace: string, generation: number): void {
  if (typeof BroadcastChannel === 'undefined') return;
  const channel = new BroadcastChannel(tabsName(namespace));
  channel.postMessage(leavingNote(generation));
  channel.close();
}
