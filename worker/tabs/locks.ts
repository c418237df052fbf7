import { tabsName } from '../../src/bridge/index.js';

/** What is used of `navigator.locks`. */
export interface LockManagerLike {
  readonly request: (
    name: string,
    options: { readonly mode?: 'exclusive' | 'shared'; readonly steal?: boolean; readonly signal?: AbortSignal },
    held: () => Promise<void> | undefined,
  ) => Promise<unknown>;
}

/**
 * Held by a worker as long as it takes part. `life` is new for each start and each return from sleep: a stopped leader
 * may be given the old one, and keep it until it wakes.
 */
export function tabLock(namespace: string, tab: string, life: string): string {
  return `${tabsName(namespace)}/tab/${tab}/${life}`;
}

export interface LockWish {
  readonly name: string;
  /** Takes the lock from its holder; otherwise the wish waits in line. */
  readonly steal?: boolean;
  readonly onHeld: () => void;
  /** Another has stolen it, or the browser refuses locks altogether. */
  readonly onLost: (error: unknown) => void;
}

/** Wishes for a lock and keeps it. The result gives up the wish or the lock, whichever there is; it is safe to call twice. */
export function wishForLock(locks: LockManagerLike, wish: LockWish): () => void {
  const cancel = new AbortController();
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  let over = false;
  // A wish that steals is granted at once and takes no signal.
  const how = wish.steal === true ? { steal: true } : { signal: cancel.signal };
  const onGranted = (): Promise<void> | undefined => {
    if (over) return undefined;
    wish.onHeld();
    return held;
  };
  locks.request(wish.name, how, onGranted).catch((error: unknown) => {
    if (!over) wish.onLost(error);
  });
  return () => {
    over = true;
    cancel.abort();
    release();
  };
}

/** Calls `onFree` once when the holder of `name` has let go or died. The result stops watching. */
export function watchLock(locks: LockManagerLike, name: string, onFree: () => void): () => void {
  const cancel = new AbortController();
  const onGranted = (): undefined => {
    if (!cancel.signal.aborted) onFree();
  };
  // Shared: several leaders, one of them stopped, may watch the same tab.
  locks.request(name, { mode: 'shared', signal: cancel.signal }, onGranted).catch(() => undefined);
  return () => cancel.abort();
}
