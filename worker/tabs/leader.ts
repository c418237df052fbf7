import type { FromEngine, ToEngine } from '../../src/bridge/index.js';
import type { Time } from '../../src/ports/index.js';
import type { ServedEngine, ServedTab } from '../engine/index.js';
import type { LockManagerLike } from './locks.js';
import { tabLock, watchLock } from './locks.js';
import type { Sent, TabMessage } from './messages.js';
import { beatMs } from './times.js';

/** One engine serving the tabs of a namespace. */
export interface Leadership {
  readonly hear: (message: TabMessage) => void;
  /** From the leader's own page. */
  readonly deliver: (message: ToEngine) => void;
  /** Whether the database makes the engine wait; every tab is told. */
  readonly setBlocked: (blocked: boolean) => void;
  /** Nothing is delivered to the engine any more; what it still says (the last acknowledgements) goes out. */
  readonly deafen: () => void;
  /** Deaf, and silent about itself: the next leader is awaited from here on. */
  readonly leave: () => void;
  /** Detaches every tab and falls silent. */
  readonly end: () => void;
}

export interface LeadershipOptions {
  readonly engine: ServedEngine;
  readonly generation: number;
  readonly namespace: string;
  readonly tab: string;
  readonly locks: LockManagerLike;
  readonly time: Time;
  readonly send: (message: TabMessage) => void;
  /** To the leader's own page. */
  readonly post: (message: FromEngine) => void;
  /** Erasing ends the engine, so that it is not the engine's to do. */
  readonly onErase: (request: EraseRequest) => void;
}

export interface EraseRequest {
  readonly id: number;
  readonly reply: (message: FromEngine) => void;
}

/** A tab of another worker. */
interface FarTab {
  readonly session: string;
  readonly life: string;
  readonly served: ServedTab;
  readonly send: (message: FromEngine) => void;
  readonly forget: () => void;
  received: number;
  sent: number;
}

export function createLeadership(o: LeadershipOptions): Leadership {
  const { engine, generation, send } = o;
  const far = new Map<string, FarTab>();
  let blocked = false;
  let deaf = false;
  let left = false;
  let over = false;
  /** What fails while the engine ends is no answer: the next engine is asked again. */
  const isAnswer = (message: FromEngine): boolean => !over && !(deaf && message.t === 'reply-error');
  const near = engine.attach(o.tab, (message) => {
    if (isAnswer(message)) o.post(message);
  });

  const deliver = (tab: Pick<FarTab, 'served' | 'send'>, message: ToEngine): void => {
    if (deaf) return;
    if (message.t === 'call' && message.name === 'erase') o.onErase({ id: message.id, reply: tab.send });
    else tab.served.deliver(message);
  };

  const attach = (from: string, session: string, life: string): void => {
    far.get(from)?.forget();
    const down = (message: FromEngine): void => {
      // A session that has ended is deaf; its engine may not have noticed yet.
      if (far.get(from) !== tab) return;
      send({ m: 'down', to: from, generation, session, seq: tab.sent++, body: message });
    };
    const stopWatching = watchLock(
      o.locks,
      tabLock(o.namespace, from, life),
      () => far.get(from) === tab && tab.forget(),
    );
    // The engine may speak while it attaches: the tab hears `welcome` first, and `tab` is there by then.
    const queued: FromEngine[] = [];
    let ready = false;
    const served = engine.attach(from, (message) => {
      if (!isAnswer(message)) return;
      if (ready) down(message);
      else queued.push(message);
    });
    const tab: FarTab = {
      session,
      life,
      served,
      send: down,
      received: 0,
      sent: 0,
      forget: () => {
        far.delete(from);
        stopWatching();
        served.detach();
      },
    };
    far.set(from, tab);
    send({ m: 'welcome', to: from, generation, session });
    ready = true;
    for (const message of queued) down(message);
  };

  /** Ends a session that lacks something, or says that there is none. */
  const again = (to: string, session: string): void => {
    if (far.get(to)?.session === session) far.get(to)?.forget();
    send({ m: 'again', to, session });
  };

  const beat = (): void => {
    if (left) return;
    const sent = Object.fromEntries(
      [...far].map(([tab, { session, sent: count }]): [string, Sent] => [tab, { session, count }]),
    );
    send({ m: 'beat', from: o.tab, generation, blocked, sent });
  };
  let stopBeating = (): void => undefined;
  const beatOn = (): void => {
    beat();
    stopBeating = o.time.after(beatMs, beatOn);
  };
  beatOn();

  return {
    deliver: (message) => deliver({ served: near, send: o.post }, message),
    hear: (message) => {
      switch (message.m) {
        case 'ask':
          beat();
          return;
        case 'hello':
          if (far.get(message.from)?.session !== message.session) attach(message.from, message.session, message.life);
          return;
        case 'up': {
          if (message.generation !== generation) return;
          const tab = far.get(message.from);
          if (tab?.session !== message.session || tab.received !== message.seq) {
            again(message.from, message.session);
            return;
          }
          tab.received++;
          deliver(tab, message.body);
          return;
        }
        case 'count': {
          const tab = far.get(message.from);
          if (tab?.session === message.sent.session && tab.received === message.sent.count) return;
          again(message.from, message.sent.session);
          return;
        }
        case 'bye':
          if (far.get(message.from)?.life === message.life) far.get(message.from)?.forget();
          return;
        case 'beat':
        case 'taking':
        case 'leaving':
        case 'welcome':
        case 'down':
        case 'again':
          return;
      }
    },
    setBlocked: (now) => {
      if (now === blocked) return;
      blocked = now;
      beat();
    },
    deafen: () => (deaf = true),
    leave: () => {
      send({ m: 'leaving', from: o.tab, generation });
      deaf = true;
      left = true;
    },
    end: () => {
      over = true;
      deaf = true;
      stopBeating();
      for (const tab of [...far.values()]) tab.forget();
      near.detach();
    },
  };
}
