import type { Scope, Signal, Source } from '../view/index.js';
import { createSignal, settle } from '../view/index.js';
import type { RoomCore } from './core.js';

/**
 * A signal about a room beside its data: over what the engine says of it, and our own records of it. Computed when
 * read; what is equal to before stays the same object.
 */
export function about<T>({ replica }: RoomCore, scope: Scope, compute: () => T): Signal<T> {
  let last: T | undefined;
  const source: Source<T> = {
    get: () => (last = settle(last, compute())),
    watch: (run) => {
      const emitter = replica.scheduler.createEmitter();
      const tables = ['$room', '$profiles'].map((name) => replica.table(name).watch(emitter.emit));
      const stops = [replica.about.watch(run), emitter.watch(run), ...tables];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
  return createSignal(source, scope);
}
