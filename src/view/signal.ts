import { expectFunction } from './expect.js';
import type { Signal } from './types.js';

/** Where a signal reads from: `get` is up to date at any time, `watch` tells that it may have changed. */
export interface Source<T> {
  readonly get: () => T;
  readonly watch: (run: () => void) => () => void;
}

/** Ends what was begun through one handle. */
export interface Scope {
  /** `end` runs once: when the returned function is called, or when the scope closes. */
  readonly own: (end: () => void) => () => void;
  readonly isClosed: () => boolean;
  readonly close: () => void;
}

/** A scope with nothing in it. */
export function createScope(): Scope {
  const ends = new Set<() => void>();
  let isClosed = false;
  return {
    own: (end) => {
      const once = (): void => {
        if (ends.delete(once)) end();
      };
      ends.add(once);
      if (isClosed) once();
      return once;
    },
    isClosed: () => isClosed,
    close: () => {
      isClosed = true;
      for (const end of ends) end();
    },
  };
}

/** A signal over a source. Its subscriptions end with the scope; its value can still be read. */
export function createSignal<T>(source: Source<T>, scope: Scope): Signal<T> {
  return {
    get value() {
      return source.get();
    },
    subscribe: (run) => {
      expectFunction('subscribe: run', run);
      let last = source.get();
      // Where it throws, nobody could end what had begun.
      run(last);
      const check = (): void => {
        const now = source.get();
        if (Object.is(now, last)) return;
        last = now;
        run(now);
      };
      const end = scope.own(source.watch(check));
      check();
      return end;
    },
  };
}

/**
 * Tells watchers of changes, each at most once per batch and only when all of the batch is done, so that no watcher
 * sees half of a transaction. What a watcher writes is told after the watchers already due.
 * One that throws does not keep others from being told; the error surfaces as uncaught.
 */
export interface Scheduler {
  readonly batch: <T>(change: () => T) => T;
  readonly createEmitter: <T = void>() => Emitter<T>;
}

/**
 * The watchers of one source. `emit` makes them due; call it inside a batch. `isDue` hears of all news at once, and says
 * whether there is something in it for its watcher.
 */
export interface Emitter<T = void> {
  readonly watch: (run: () => void, isDue?: (news: T) => boolean) => () => void;
  readonly emit: (news: T) => void;
}

/** See {@link Scheduler}. */
export function createScheduler(): Scheduler {
  const due = new Set<() => void>();
  let depth = 0;
  const drain = (): void => {
    // A Set visits what is added while it is walked.
    for (const run of due) {
      due.delete(run);
      guard(run);
    }
  };
  return {
    batch: (change) => {
      depth++;
      try {
        return change();
      } finally {
        if (depth === 1) drain();
        depth--;
      }
    },
    createEmitter: <T>(): Emitter<T> => {
      const watchers = new Map<() => void, ((news: T) => boolean) | undefined>();
      return {
        watch: (run, isDue) => {
          watchers.set(run, isDue);
          return () => {
            watchers.delete(run);
            due.delete(run);
          };
        },
        emit: (news) => {
          for (const [run, isDue] of watchers) if (isDue?.(news) !== false) due.add(run);
        },
      };
    },
  };
}

/** Runs somebody else's function; what it throws is reported and goes no further. */
export function guard(run: () => void): void {
  try {
    run();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
