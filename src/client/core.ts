import type { ErrorCode, FromPage, PageUpdate } from '../bridge/index.js';
import type { Declaration } from '../core/schema/index.js';
import type { Change, Json, Replica } from '../view/index.js';
import { createReplica, guard, isKeeproomError, KeeproomError } from '../view/index.js';
import type { RoomEvents } from './types.js';

/** What all handles of one room share. */
export interface RoomCore {
  readonly id: string;
  readonly replica: Replica;
  /** The schema of the handle that opened last: what the engine is told again. Null before the first. */
  declaration: Declaration | null;
  /** Each handle's way to be closed from here. */
  readonly handles: Set<() => void>;
  readonly apply: (update: PageUpdate) => void;
  readonly on: <E extends keyof RoomEvents>(type: E, run: (event: RoomEvents[E]) => void) => () => void;
  /** Something about storage or a network that the app should know; waits for storage fail with what keeps them. */
  readonly fail: (error: unknown) => void;
}

type Listeners = { readonly [E in keyof RoomEvents]: Set<(event: RoomEvents[E]) => void> };

/** The core of a room that nothing is known of yet. */
export function createRoomCore(id: string): RoomCore {
  const replica = createReplica();
  const listeners: Listeners = { rejected: new Set(), error: new Set() };
  const tell = <E extends keyof RoomEvents>(type: E, event: RoomEvents[E]): void => {
    for (const run of listeners[type]) guard(() => run(event));
  };
  const fail = (error: unknown): void => {
    if (!isKeeproomError(error)) return;
    if (/^(storage|upgrade|worker)/.test(error.code)) replica.failWaits(error);
    tell('error', error);
  };
  const standstill = (): ErrorCode | null => {
    const info = replica.info();
    return info?.blocked ?? (info?.stalled === true ? 'transport/stalled' : null);
  };
  return {
    id,
    replica,
    declaration: null,
    handles: new Set(),
    apply: (update) => {
      const before = standstill();
      replica.apply(update);
      for (const { code, collection, id, values } of update.rejected) {
        // What was written came from a page, as JSON.
        tell('rejected', { code, collection, id, values: values as Json });
      }
      const code = standstill();
      if (code !== null && code !== before) fail(new KeeproomError(code, 'what is written here goes nowhere'));
    },
    on: (type, run) => {
      listeners[type].add(run);
      return () => listeners[type].delete(run);
    },
    fail,
  };
}

/** The message that carries a change to the engine, the first time and again. */
export function writeMessage({ id, replica }: RoomCore, { n, domain, schemas, ops }: Change): FromPage {
  const prev = replica.unsaved().findLast((other) => other.n < n)?.n ?? 0;
  // Writing to a domain that the room does not have was refused.
  const domainId = replica.info()!.domains[domain]!;
  // The oldest that fits: whoever is behind is most likely to know it, and need not hold the entry.
  const schema = schemas[0]?.prefix ?? null;
  return { t: 'write', room: id, n, prev, domain: domainId, schema, ops: ops.map(({ op }) => op) };
}
