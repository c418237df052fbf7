import type { Scope, Signal } from '../view/index.js';
import { createSignal, settle } from '../view/index.js';
import type { RoomCore } from './core.js';

/**
 * A signal about a room beside its data: over what the engine says of it, and our own records of it. Computed when
 * read; what is equal to before stays the same object.
 */
export function about<T>({ replica }: RoomCore, scope: Scope, compute: () => T): Signal<T> {
  let last: T | undefined;
  return createSignal({ get: () => (last = settle(last, compute())), watch: replica.about.watch }, scope);
}
