import { KeeproomError } from './error.js';
import type { Scope } from './signal.js';

/** What ends a wait before its time: the caller's signal, or the closing of what it was asked of. */
export interface WaitEnd {
  readonly signal: AbortSignal | undefined;
  readonly scope: Scope;
}

/** How a wait is over, one way or the other. */
export interface Settle<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** Runs when the signal aborts, at once where it has. Returns how to be forgotten. */
export function onAbort(signal: AbortSignal | undefined, run: () => void): () => void {
  if (signal?.aborted === true) run();
  signal?.addEventListener('abort', run);
  return () => signal?.removeEventListener('abort', run);
}

/**
 * A promise that also ends with its caller's signal (`aborted`) or with the handle it came from (`room/closed`).
 * `begin` registers the two ways out and returns how to be forgotten.
 */
export async function wait<T>(end: WaitEnd, begin: (settle: Settle<T>) => () => void): Promise<T> {
  const { signal, scope } = end;
  const stops: (() => void)[] = [];
  try {
    return await new Promise<T>((resolve, reject) => {
      const abort = (): void =>
        reject(new KeeproomError('aborted', 'the wait was given up', { cause: signal?.reason }));
      stops.push(onAbort(signal, abort));
      stops.push(scope.own(() => reject(new KeeproomError('room/closed', 'this handle was closed'))));
      if (signal?.aborted !== true && !scope.isClosed()) stops.push(begin({ resolve, reject }));
    });
  } finally {
    for (const stop of stops) stop();
  }
}
