/** Snapshots of cores: taken, opened again, damaged, and engines that die on the way. */
import { storedBytes, type StoreOp, type StoreRow } from '../../src/ports/index.js';
import type { EnginePorts } from './ports.js';
import { createRoomCore, type RoomCore } from './room/core.js';
import { loadRoom } from './room/load.js';
import { canFreeze, freezeRoom, snapshotOps } from './room/snapshot/write.js';

/** Writes a snapshot of what the core holds; false where none may be made. */
export async function snap(core: RoomCore): Promise<boolean> {
  if (!canFreeze(core)) return false;
  await core.ports.store.commit(await snapshotOps(core, freezeRoom(core)));
  return true;
}

export interface OpenOptions {
  readonly isReplay?: boolean;
  readonly ports?: Partial<EnginePorts>;
}

/** The room of a core's disk, as the next start opens it. */
export async function openAgain(core: RoomCore, { isReplay = false, ports }: OpenOptions = {}): Promise<RoomCore> {
  const { roomId, keys, boot, row, loop } = core;
  const again = createRoomCore({ ports: { ...core.ports, ...ports }, roomId, keys, boot, row, loop });
  // Of a member of the kits the first key is in memory alone, as a joiner's is.
  again.joinKids = core.joinKids;
  for (const [kid, key] of core.epochKeys) again.epochKeys.set(kid, key);
  await loadRoom(again, { isReplay });
  return again;
}

/** Whether the room was opened from a snapshot. */
export function isFromSnapshot(core: RoomCore): boolean {
  return core.snapshot?.isBad === false;
}

export function snapshotRows(core: RoomCore): Promise<readonly StoreRow[]> {
  return core.ports.store.list('state', [core.room, 'snapshot']);
}

/** The same row with one bit another. */
export function flipped({ key, value }: StoreRow, at: number): StoreOp {
  const bytes = storedBytes(value)?.slice() ?? new Uint8Array(1);
  const place = at % bytes.length;
  bytes[place] = (bytes[place] ?? 0) ^ (1 << (at % 8));
  return { do: 'put', table: 'state', key, value: bytes };
}

/** Ports of an engine that dies at its n-th call of the disk or of compression: before it, or right after it has landed. */
export function dying(
  ports: EnginePorts,
  o: { readonly atCall: number; readonly landed: boolean },
): { readonly ports: EnginePorts; readonly death: Promise<'died'> } {
  let calls = 0;
  let die: (how: 'died') => void = () => undefined;
  const death = new Promise<'died'>((resolve) => (die = resolve));
  const never = <T>(): Promise<T> => {
    die('died');
    return new Promise<T>(() => undefined);
  };
  const mortal =
    <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      const isLast = ++calls === o.atCall;
      if (calls > o.atCall || (isLast && !o.landed)) return never();
      const value = await call(...args);
      return isLast ? never() : value;
    };
  const { store, deflate } = ports;
  return {
    death,
    ports: {
      ...ports,
      store: {
        ...store,
        commit: mortal(store.commit),
        get: mortal(store.get),
        list: mortal(store.list),
        keys: mortal(store.keys),
      },
      deflate: { deflate: mortal(deflate.deflate), inflate: mortal(deflate.inflate) },
    },
  };
}

/** Ports that count what is read of packs: rows with their values, control not included. */
export function counting(core: RoomCore): { readonly ports: Partial<EnginePorts>; readonly read: () => number } {
  let rows = 0;
  const { store } = core.ports;
  const control = '0'.repeat(64);
  return {
    read: () => rows,
    ports: {
      store: {
        ...store,
        get: (table, key) => {
          if (table === 'packs') rows++;
          return store.get(table, key);
        },
        list: async (table, prefix, from) => {
          const found = await store.list(table, prefix, from);
          if (table === 'packs') rows += found.filter(({ key }) => key[1] !== control).length;
          return found;
        },
      },
    },
  };
}
