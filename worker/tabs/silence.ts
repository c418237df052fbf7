import type { Time } from '../../src/ports/index.js';
import { askAfterMs, beatMs, leaveMs, standAsideMs, stealAfterMs } from './times.js';

/** How long the leader has been silent while this tab needed it. */
export interface Silence {
  /** A sign of life of the leader of this generation, or of one to come. */
  readonly heard: (generation?: number) => void;
  /** The leader of this generation gives up, even if its worker says that it lives: the next should show itself soon. */
  readonly heardLeaving: (generation: number) => void;
  /** Another tab asks for the leader. */
  readonly heardAsk: (tab: string) => void;
  readonly end: () => void;
}

export interface SilenceOptions {
  readonly tab: string;
  readonly time: Time;
  /** Whether this tab waits for an engine or an answer: nobody steals without. */
  readonly isNeedy: () => boolean;
  readonly ask: () => void;
  /** The silence has lasted so long that the lock has to be taken. */
  readonly onSilence: () => void;
}

/**
 * Listens from now on. A tick counts for one and a half at most: when this tab itself was asleep, the leader's messages
 * are still on their way and nothing is known about the leader.
 */
export function createSilence(o: SilenceOptions): Silence {
  let silentMs = 0;
  let lastTick = o.time.now();
  let leaving = 0;
  let rivals = new Set<string>();
  let cancel = (): void => undefined;

  const next = (delayMs: number): void => {
    cancel();
    cancel = o.time.after(delayMs, tick);
  };
  const tick = (): void => {
    next(beatMs);
    const now = o.time.now();
    const passedMs = Math.min(Math.max(now - lastTick, 0), 1.5 * beatMs);
    lastTick = now;
    if (!o.isNeedy()) {
      silentMs = 0;
      return;
    }
    const beforeMs = silentMs;
    silentMs += passedMs;
    if (beforeMs < askAfterMs && silentMs >= askAfterMs) o.ask();
    const isFirst = [...rivals].every((rival) => o.tab < rival);
    const limitMs = (leaving > 0 ? leaveMs : stealAfterMs) + (isFirst ? 0 : standAsideMs);
    if (silentMs < limitMs) return;
    silentMs = 0;
    o.onSilence();
  };
  next(beatMs);

  return {
    heard: (generation = Infinity) => {
      silentMs = 0;
      if (generation > leaving) leaving = 0;
      rivals = new Set();
    },
    heardLeaving: (generation) => {
      silentMs = 0;
      lastTick = o.time.now();
      leaving = generation;
      // Those who would have to act must know of each other.
      if (o.isNeedy()) o.ask();
      next(leaveMs);
    },
    heardAsk: (tab) => void rivals.add(tab),
    end: () => cancel(),
  };
}
