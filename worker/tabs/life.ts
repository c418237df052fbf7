import type { ToEngine, WireError } from '../../src/bridge/index.js';
import { tabsName, tabsVersion } from '../../src/bridge/index.js';
import { compactValue } from '../storage/index.js';
import { toWireError } from './errors.js';
import type { Follower } from './follower.js';
import { createFollower } from './follower.js';
import type { LockManagerLike } from './locks.js';
import { tabLock, wishForLock } from './locks.js';
import type { Envelope, TabMessage } from './messages.js';
import { isEnvelope } from './messages.js';
import type { Term, TermOptions } from './term.js';
import { createTerm } from './term.js';
import { firstRetryMs, maxRetryMs } from './times.js';

/** The other workers of the namespace; messages arrive in order, as copies. */
export interface Channel {
  readonly send: (message: unknown) => void;
  readonly close: () => void;
}

/** A worker's part among the tabs, from start or return to rest or stop. */
export interface Life {
  readonly deliver: (message: ToEngine) => void;
  readonly setBlocked: (blocked: boolean) => void;
  /** Gives everything back: the engine, the database, the locks, the channel. */
  readonly end: () => Promise<void>;
}

type FromTerm = 'namespace' | 'tab' | 'time' | 'disk' | 'startEngine' | 'post' | 'highest' | 'onGeneration';

export interface LifeOptions extends Pick<TermOptions, FromTerm> {
  readonly locks: LockManagerLike;
  readonly openChannel: (name: string, hear: (message: unknown) => void) => Channel;
  /** Unique among all lives of all workers. */
  readonly life: string;
}

export function createLife(o: LifeOptions): Life {
  let follower: Follower | null = null;
  let term: Term | null = null;
  let over = false;
  let failures = 0;
  /** Gives up the wish for the leader's lock, or the lock, or the pause before the next wish. */
  let letGo = (): void => undefined;

  const hear = (message: unknown): void => {
    if (over || !isEnvelope(message)) return;
    if (message.v !== tabsVersion) return follower?.hearStranger();
    follower?.hear(message.body);
    term?.hear(message.body);
  };
  const channel = o.openChannel(tabsName(o.namespace), hear);
  const send = (body: TabMessage): void => {
    const envelope: Envelope = { v: tabsVersion, body };
    if (!over) channel.send(compactValue(envelope));
  };

  const wish = (steal: boolean): void => {
    letGo();
    letGo = wishForLock(o.locks, { name: tabsName(o.namespace), steal, onHeld: lead, onLost });
  };
  const follow = (error: WireError | null, pauseMs: number): void => {
    term = null;
    letGo();
    const { tab, life, time, post, highest, onGeneration } = o;
    const onSilence = (): void => wish(true);
    follower = createFollower({ tab, life, time, post, highest, onGeneration, send, error, onSilence });
    if (pauseMs === 0) wish(false);
    else letGo = time.after(pauseMs, () => wish(false));
  };
  const lead = (): void => {
    follower?.end();
    follower = null;
    term = createTerm({
      ...o,
      send,
      onStarted: () => (failures = 0),
      onEnded: (error) => follow(error, error === null ? 0 : Math.min(firstRetryMs * 2 ** failures++, maxRetryMs)),
    });
  };
  const onLost = (error: unknown): void => {
    if (over) return;
    if (term !== null) {
      term.lose();
      follow(null, 0);
    } else {
      // Locks refused: nothing can be done here, and the page should know why.
      o.post({ t: 'engine', state: 'waiting', generation: o.highest(), leader: false, error: toWireError(error) });
    }
  };

  const name = tabLock(o.namespace, o.tab, o.life);
  const letTabGo = wishForLock(o.locks, { name, onHeld: () => follow(null, 0), onLost });

  return {
    deliver: (message) => {
      follower?.deliver(message);
      term?.deliver(message);
    },
    setBlocked: (blocked) => term?.setBlocked(blocked),
    end: async () => {
      if (over) return;
      follower?.end();
      await term?.giveUp();
      send({ m: 'bye', from: o.tab, life: o.life });
      over = true;
      letGo();
      o.disk.close();
      letTabGo();
      channel.close();
    },
  };
}
