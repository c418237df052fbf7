import type { Time } from '../../../src/ports/index.js';
import type { Doing } from './failure.js';

/**
 * `stuck`: something has waited too long for the database, mostly because a tab that was stopped inside a transaction
 * holds it (tabs.md T4) or because one that sleeps keeps its connection (T5). It goes on by itself when that tab wakes
 * or dies; until then nothing is lost and nothing is acknowledged.
 */
export type DiskState = { readonly state: 'ok' } | { readonly state: 'stuck'; readonly doing: Doing };

/**
 * A transaction takes about a millisecond; an honest slow disk, and a busy machine, stay below this. With the silence
 * after which a stopped leader is replaced it makes the time until a tab says what it waits for: below 6 s (S13).
 */
const stuckAfterMs = 1_500;

/** Says when work waits too long, and when none does any more. */
export interface Watch {
  readonly during: <T>(doing: Doing, work: Promise<T>) => Promise<T>;
  /** The browser itself says that this has to wait; call the result when it no longer does. */
  readonly blocked: (doing: Doing) => () => void;
}

/** `onState` hears every change; it must not throw. */
export function createWatch(time: Time, onState: (state: DiskState) => void): Watch {
  const stuck = new Set<symbol>();
  const blocked = (doing: Doing): (() => void) => {
    const mine = Symbol(doing);
    stuck.add(mine);
    if (stuck.size === 1) onState({ state: 'stuck', doing });
    return () => {
      if (stuck.delete(mine) && stuck.size === 0) onState({ state: 'ok' });
    };
  };
  return {
    blocked,
    during: async (doing, work) => {
      let end = time.after(stuckAfterMs, () => (end = blocked(doing)));
      try {
        return await work;
      } finally {
        end();
      }
    },
  };
}
