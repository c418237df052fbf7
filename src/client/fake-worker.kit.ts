import type { FromPage, PageInfo, RecordUpdate, ToPage } from '../bridge/index.js';
import { packRecords } from '../bridge/records.kit.js';
import type { ClientOptions } from './types.js';

/** A worker whose far side is the test: it hears what the page posts and says what the engine would. */
export interface FakeWorker {
  /** For createClient({ worker }). */
  readonly open: () => Worker;
  /** Everything the page has posted, as it would arrive. */
  readonly heard: readonly FromPage[];
  readonly say: (message: ToPage) => void;
  /** The worker reports an uncaught error, or that it could not be loaded. */
  readonly crash: () => void;
  readonly isTerminated: () => boolean;
  /** Messages of one kind, in order. */
  readonly of: <T extends FromPage['t']>(type: T) => (FromPage & { readonly t: T })[];
}

/** `onMessage` answers by itself what the test does not want to spell out. */
export function createFakeWorker(
  onMessage: (message: FromPage, worker: FakeWorker) => void = () => undefined,
): FakeWorker {
  const events = new EventTarget();
  const heard: FromPage[] = [];
  let isTerminated = false;
  const fake: FakeWorker = {
    open: () => Object.assign(events, platform) as unknown as Worker,
    heard,
    // As in a browser: nothing arrives that cannot be cloned.
    say: (message) => void events.dispatchEvent(new MessageEvent('message', { data: structuredClone(message) })),
    crash: () => void events.dispatchEvent(new Event('error')),
    isTerminated: () => isTerminated,
    of: (type) => heard.filter((message): message is FromPage & { readonly t: typeof type } => message.t === type),
  };
  const platform = {
    postMessage: (messages: FromPage | readonly FromPage[]) => {
      for (const arrived of [structuredClone(messages)].flat()) {
        heard.push(arrived);
        onMessage(arrived, fake);
      }
    },
    terminate: () => {
      isTerminated = true;
    },
  };
  return fake;
}

/** Lets everything that waits for a promise run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** An engine serves from here on. */
export function ready(worker: FakeWorker, generation = 1): void {
  worker.say({ t: 'engine', state: 'ready', generation, leader: true, error: null });
}

/** Answers `start`: the worker runs, and an engine serves. */
export function wake(worker: FakeWorker): void {
  queueMicrotask(() => {
    worker.say({ t: 'alive' });
    ready(worker);
  });
}

/** A worker that runs, with an engine that opens every room it is asked for. */
export function createServing(info: (room: string) => PageInfo): FakeWorker {
  return createFakeWorker((message, worker) => {
    if (message.t === 'start') wake(worker);
    if (message.t !== 'call') return;
    const { id, name } = message;
    queueMicrotask(() => {
      if (name === 'create' || name === 'open' || name === 'join') {
        const { room = 'r1' } = message.args as { room?: string };
        view(worker, room, { reset: true, info: info(room) }, []);
        worker.say({ t: 'reply', id, value: { room } });
      } else worker.say({ t: 'reply', id, value: null });
    });
  });
}

/** A view message, with records packed. */
export function view(
  worker: FakeWorker,
  room: string,
  update: Partial<Extract<ToPage, { t: 'view' }>['update']>,
  rows?: readonly RecordUpdate[],
): void {
  const records = rows === undefined ? null : packRecords(rows);
  const nothing = { reset: false, info: null, savedUpTo: 0, deliveredUpTo: 0, rejected: [] };
  worker.say({ t: 'view', room, update: { ...nothing, records, ...update } });
}

/** Options of a client over the fake. */
export function over(worker: FakeWorker): ClientOptions {
  return { worker: worker.open };
}
