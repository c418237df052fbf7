import { fromHex, type Bytes } from '../../../src/core/base/index.js';
import type { Store, StoreKey, StoreRow } from '../../../src/ports/index.js';
import { controlKey } from '../replica/index.js';

/** What lies on the disk of a room but its content: read in one go, because a question costs more than most answers. */
export interface StoredRoom {
  /** Rows of the table 'state' by what they are: the second part of their keys. */
  readonly state: (kind: string) => readonly StoreRow[];
  /** Control's packs. */
  readonly control: readonly StoreRow[];
  /** Where all packs lie. */
  readonly packKeys: readonly StoreKey[];
  /** Epoch keys, sealed. */
  readonly keys: readonly StoreRow[];
  readonly marks: readonly StoreRow[];
}

/** Asks for a room's rows; `room` is its id in hex. */
export async function readRoom(store: Store, room: string): Promise<StoredRoom> {
  const [state, control, packKeys, keys, marks] = await Promise.all([
    store.list('state', [room]),
    store.list('packs', [room, controlKey]),
    store.keys('packs', [room]),
    store.list('keys', [room]),
    store.list('marks', [room]),
  ]);
  return { state: (kind) => state.filter(({ key }) => key[1] === kind), control, packKeys, keys, marks };
}

/** The room id of a row's key, or null when it is none. */
export function roomIdOf(row: StoreRow): Bytes | null {
  const [room] = row.key;
  const id = typeof room === 'string' ? fromHex(room) : null;
  return id?.length === 32 ? id : null;
}
