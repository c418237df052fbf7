import type { FromEngine, FromWorker, ToEngine, WireError } from '../../src/bridge/index.js';
import type { Store, Time } from '../../src/ports/index.js';
import type { ServedEngine } from '../engine/index.js';
import type { Disk } from '../storage/index.js';
import { blockedError, toWireError } from './errors.js';
import type { Gate } from './gate.js';
import { gateStore } from './gate.js';
import type { EraseRequest, Leadership } from './leader.js';
import { createLeadership } from './leader.js';
import type { LockManagerLike } from './locks.js';
import type { TabMessage } from './messages.js';
import { beatMs, flushMs } from './times.js';

/** Makes an engine over a store that is open for `generation`. Rejects when it cannot start. */
export type StartEngine = (store: Store, generation: number) => Promise<ServedEngine>;

/** The time from taking the lock to losing it or giving it back. */
export interface Term {
  readonly hear: (message: TabMessage) => void;
  /** From the page. Dropped while the engine is not up: the page asks everything again on `ready`. */
  readonly deliver: (message: ToEngine) => void;
  readonly setBlocked: (blocked: boolean) => void;
  /** In order: everything accepted is committed and acknowledged first, within `flushMs`. */
  readonly giveUp: () => Promise<void>;
  /** Another has the lock: nothing more is written. */
  readonly lose: () => void;
}

export interface TermOptions {
  readonly namespace: string;
  readonly tab: string;
  readonly locks: LockManagerLike;
  readonly time: Time;
  readonly disk: Disk;
  readonly startEngine: StartEngine;
  readonly send: (message: TabMessage) => void;
  /** To the page. */
  readonly post: (message: FromWorker) => void;
  readonly highest: () => number;
  readonly onGeneration: (generation: number) => void;
  /** The engine serves. */
  readonly onStarted: () => void;
  /** The term is over although nobody has taken the lock: fenced (null), or the start failed. */
  readonly onEnded: (error: WireError | null) => void;
}

export function createTerm(o: TermOptions): Term {
  let over = false;
  /** Asked again after each wait. */
  const isOver = (): boolean => over;
  let blocked = false;
  let gate: Gate | null = null;
  let engine: ServedEngine | null = null;
  let leadership: Leadership | null = null;
  let stopAnnouncing = (): void => undefined;

  const show = (state: 'waiting' | 'ready' | 'serving'): void => {
    o.post({ t: 'engine', state, generation: o.highest(), leader: true, error: blocked ? blockedError : null });
  };
  const announce = (): void => {
    o.send({ m: 'taking', from: o.tab, blocked });
    stopAnnouncing();
    stopAnnouncing = o.time.after(beatMs, announce);
  };
  const lose = (): void => {
    over = true;
    stopAnnouncing();
    gate?.shut();
    leadership?.end();
    // Its store refuses everything by now; what it says about that interests nobody.
    engine?.stop().catch(() => undefined);
  };
  const end = (error: WireError | null): void => {
    if (over) return;
    lose();
    o.onEnded(error);
  };

  const serve = (started: ServedEngine, generation: number): void => {
    const { namespace, tab, locks, time, send } = o;
    // The engine may speak while the page is attached; the page hears `ready` first.
    let early: FromEngine[] | null = [];
    const post = (message: FromEngine): void => {
      if (early === null) o.post(message);
      else early.push(message);
    };
    const onErase = (request: EraseRequest): void => void erase(request);
    leadership = createLeadership({ engine: started, generation, namespace, tab, locks, time, send, post, onErase });
    leadership.setBlocked(blocked);
    show('ready');
    for (const message of early) o.post(message);
    early = null;
  };

  const start = async (): Promise<void> => {
    announce();
    show('waiting');
    try {
      // A worker that wakes may find that it was given the lock and has lost it: the loss is one of the next tasks, and raising
      // the generation now would fence the rightful leader.
      await new Promise<void>((resolve) => void o.time.after(1, resolve));
      if (isOver()) return;
      const generation = await o.disk.raiseGeneration(o.highest());
      if (isOver()) return;
      o.onGeneration(generation);
      const mine = gateStore(o.disk.open(generation), () => end(null));
      gate = mine;
      const started = await o.startEngine(mine.store, generation);
      engine = started;
      if (isOver()) {
        lose();
        return;
      }
      stopAnnouncing();
      serve(started, generation);
      o.onStarted();
    } catch (error) {
      const store = gate?.store;
      end(toWireError(error));
      await store?.close().catch(() => undefined);
    }
  };

  /** The same term goes on with another engine: everything this one knows is about to be gone. */
  const erase = async ({ id, reply }: EraseRequest): Promise<void> => {
    const [ended, stopping] = [leadership, engine];
    ended?.deafen();
    gate?.shut();
    const answer = await (async () => {
      await stopping?.stop().catch(() => undefined);
      await o.disk.erase();
      return { t: 'reply', id, value: null } as const;
    })().catch((error: unknown) => ({ t: 'reply-error', id, error: toWireError(error) }) as const);
    if (over) return;
    // Before the new generation is: a page asks again what was not answered.
    reply(answer);
    ended?.end();
    leadership = null;
    engine = null;
    await start();
  };

  void start();
  return {
    hear: (message) => leadership?.hear(message),
    deliver: (message) => leadership?.deliver(message),
    setBlocked: (now) => {
      if (over || now === blocked) return;
      blocked = now;
      if (leadership === null) announce();
      leadership?.setBlocked(now);
      show(leadership === null ? 'waiting' : 'serving');
    },
    giveUp: async () => {
      if (over) return;
      leadership?.leave();
      const stopping = engine?.stop().catch(() => undefined) ?? Promise.resolve();
      let stopWaiting = (): void => undefined;
      const enough = new Promise<void>((resolve) => (stopWaiting = o.time.after(flushMs, resolve)));
      await Promise.race([stopping, enough]);
      stopWaiting();
      lose();
    },
    lose,
  };
}
