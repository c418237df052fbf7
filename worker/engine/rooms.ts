import { fromHex, toHex, type Bytes } from '../../src/core/base/index.js';
import type { ClientInfo } from '../../src/bridge/index.js';
import type { DeviceKeys, StoreOp } from '../../src/ports/index.js';
import { callError } from './call-error.js';
import { inviteCodes, inviteRequests, type InvitingRoom } from './invites.js';
import type { LinkDesk } from './links.js';
import type { EnginePorts } from './ports.js';
import { createRoomCore, type RoomCore } from './room/core.js';
import { loadRoom } from './room/load.js';
import type { NetOptions } from './room/net.js';
import { createRoomEngine } from './room/room.js';
import { forgetRoomOps, maxBoots, putRoom, readRoomRow, type RoomRow } from './room/rows.js';
import { createStepLoop, type Step } from './room/step.js';
import { readRoom, roomIdOf } from './room/stored.js';
import { undeliveredCount } from './room/undelivered.js';

export interface OpenRoom extends InvitingRoom {
  /** Tabs (and joins) that hold it open. */
  readonly holders: Set<string>;
}

export interface RoomsHost {
  readonly desk: LinkDesk;
  /** The list of rooms, a title or a count looks different. */
  readonly changed: () => void;
  readonly committed: () => void;
  readonly storeFailed: (room: string, failure: 'full' | 'broken' | 'fenced' | 'closed') => void;
}

/** The rooms of one namespace: those on the disk, and those that are open. */
export interface Rooms {
  readonly open: () => ReadonlyMap<string, OpenRoom>;
  readonly rowOf: (idOrKey: string) => { readonly room: string; readonly row: RoomRow } | null;
  readonly byRequest: (request: string) => string | null;
  /** Opens a room of this disk and holds it for a tab. It is read as long as it is not over for somebody who waits for it. */
  readonly acquire: (room: string, holder: string, isOver?: () => boolean) => Promise<OpenRoom>;
  /** Puts a room that was just made or is being joined among the open ones. */
  readonly adopt: (core: RoomCore, holder: string, options: NetOptions) => OpenRoom;
  /** The room's row is on the disk now. */
  readonly listed: (core: RoomCore) => void;
  readonly release: (room: string, holder: string) => Promise<void>;
  /** Closes it and deletes its rows; `left` of them are written with that. */
  readonly forget: (room: string, left?: readonly StoreOp[]) => Promise<void>;
  readonly newCore: (o: { roomId: Bytes; keys: DeviceKeys; boot: Bytes; row: RoomRow }) => RoomCore;
  readonly list: () => ClientInfo['rooms'];
  readonly usedBytes: () => number;
  readonly stop: () => Promise<void>;
}

/** A room that is being read. */
interface Opening {
  readonly ready: Promise<OpenRoom>;
  /** Of each that waits for it: whether it does no longer. */
  readonly waits: Set<() => boolean>;
}

export async function createRooms(ports: EnginePorts, host: RoomsHost): Promise<Rooms> {
  const rows = new Map<string, RoomRow>();
  const open = new Map<string, OpenRoom>();
  const opening = new Map<string, Opening>();
  /** Engines that end: only then may the next one read the room's disk. */
  const closing = new Map<string, Promise<void>>();
  for (const stored of await ports.store.list('rooms', [])) {
    const [room, row] = [stored.key[0], readRoomRow(stored.value, ports.vault)];
    if (typeof room === 'string' && roomIdOf(stored) !== null && row !== null) rows.set(room, row);
  }
  const newCore: Rooms['newCore'] = (o) => createRoomCore({ ...o, ports, loop: idleLoop(ports) });

  const adopt: Rooms['adopt'] = (core, holder, options) => {
    const codes = new Map<string, string>();
    const engine = createRoomEngine(
      core,
      {
        storeFailed: (failure) => {
          host.storeFailed(core.room, failure);
        },
        committed: host.committed,
        summarize: (step) => {
          summarize(core, step);
        },
        codes: () => codes,
      },
      options,
    );
    const room: OpenRoom = { engine, codes, requests: new Map(), holders: new Set([holder]) };
    open.set(core.room, room);
    host.desk.roomOpened(core.room, engine.net);
    return room;
  };
  /** Title and undelivered count in the list follow the room, and the row on the disk with the same commit. */
  const summarize = (core: RoomCore, step: Step): void => {
    const row = rows.get(core.room);
    if (row === undefined) return;
    const [title, undelivered] = [titleOf(core) ?? row.title, undeliveredCount(core)];
    if (title === row.title && undelivered === row.undelivered) return;
    core.row = { ...core.row, title, undelivered, bytes: bytesOf(core.room, row) };
    rows.set(core.room, core.row);
    step.ops.push(putRoom(ports.vault, core.room, core.row));
    step.effects.push(host.changed);
    step.failures.push(() => {
      if (rows.get(core.room) === core.row) rows.set(core.room, row);
    });
  };
  const bytesOf = (room: string, row: RoomRow): number =>
    open.get(room)?.engine.core.counters.get('bytesStored') ?? row.bytes;
  const load = async (room: string, holder: string, isOver: () => boolean): Promise<OpenRoom> => {
    await closing.get(room);
    const row = rows.get(room);
    if (row === undefined) throw deleted();
    const reading = readRoom(ports.store, room);
    reading.catch(() => undefined); // where its keys cannot be used nobody waits for it
    const [keys, roomId] = [await ports.vault.openDeviceKeys(row.handle), fromHex(room)];
    if (!keys || roomId === null) throw callError('storage/broken', 'the keys of the room cannot be used');
    const boot = ports.random.bytes(8);
    const booted: RoomRow = { ...row, boots: [...row.boots, toHex(boot)].slice(-maxBoots) };
    const core = newCore({ roomId, keys, boot, row: booted });
    const [stored] = await Promise.all([
      reading,
      loadRoom(core, { isOver, stored: reading }),
      // Before anything is signed in this start it is on the disk (F10).
      ports.store.commit([putRoom(ports.vault, room, booted)], { strict: true }),
    ]);
    if (!rows.has(room)) throw deleted();
    rows.set(room, booted);
    const opened = adopt(core, holder, { start: 'again', isCold: ports.isCold === true });
    for (const [id, code] of inviteCodes(core, stored)) opened.codes.set(id, code);
    for (const [request, id] of inviteRequests(stored)) opened.requests.set(request, id);
    return opened;
  };
  const deleted = (): Error => callError('room/closed', 'the room was deleted from this device');
  const release: Rooms['release'] = async (room, holder) => {
    const found = open.get(room);
    if (found === undefined || !found.holders.delete(holder) || found.holders.size > 0) return;
    await close(room);
  };
  const close = async (room: string): Promise<void> => {
    const found = open.get(room);
    if (found !== undefined) {
      open.delete(room);
      host.desk.roomClosed(room);
      const stopped = found.engine.stop().finally(() => closing.delete(room));
      closing.set(room, stopped);
    }
    await closing.get(room);
  };
  const begin = (room: string, holder: string): Opening => {
    const waits = new Set<() => boolean>();
    const end = (): void => {
      if (opening.get(room) === begun) opening.delete(room);
    };
    const isOver = (): boolean => {
      const isSo = [...waits].every((one) => one());
      if (isSo) end(); // whoever comes now begins anew
      return isSo;
    };
    const begun = {
      waits,
      ready: Promise.resolve()
        .then(() => load(room, holder, isOver))
        .finally(end),
    };
    opening.set(room, begun);
    return begun;
  };
  const acquire: Rooms['acquire'] = async (room, holder, isOver = () => false) => {
    let ready = open.get(room);
    if (ready === undefined) {
      const begun = opening.get(room) ?? begin(room, holder);
      begun.waits.add(isOver);
      ready = await begun.ready;
    }
    // Who opened it may have let it go again meanwhile.
    if (open.get(room) !== ready) return acquire(room, holder, isOver);
    ready.holders.add(holder);
    return ready;
  };
  return {
    open: () => open,
    rowOf: (idOrKey) => {
      const direct = rows.get(idOrKey);
      if (direct !== undefined) return { room: idOrKey, row: direct };
      for (const [room, row] of rows) if (row.key === idOrKey) return { room, row };
      return null;
    },
    byRequest: (request) => [...rows].find(([, row]) => row.request === request)?.[0] ?? null,
    acquire,
    adopt,
    listed: (core) => {
      rows.set(core.room, core.row);
      host.changed();
    },
    release,
    forget: async (room, left = []) => {
      const row = rows.get(room);
      rows.delete(room); // nobody opens it from here on
      try {
        await opening.get(room)?.ready.catch(() => undefined);
        await close(room);
        await ports.store.commit([...forgetRoomOps(room), ...left], { strict: true });
      } catch (error) {
        if (row !== undefined) rows.set(room, row);
        throw error;
      }
      host.changed();
    },
    newCore,
    list: () =>
      [...rows].map(([id, row]) => ({
        id,
        key: row.key,
        title: row.title,
        undelivered: row.undelivered,
        bytes: bytesOf(id, row),
      })),
    usedBytes: () => [...rows].reduce((sum, [id, row]) => sum + bytesOf(id, row), 0),
    stop: async () => {
      const rooms = [...open.values()];
      open.clear();
      await Promise.all([...closing.values(), ...rooms.map((room) => room.engine.stop())]);
    },
  };
}

/** Replaced by the room's own loop as soon as its engine is made. */
function idleLoop(ports: EnginePorts): ReturnType<typeof createStepLoop> {
  return createStepLoop({
    store: ports.store,
    report: () => undefined,
    committed: () => undefined,
    failed: () => Promise.resolve(),
  });
}

function titleOf(core: RoomCore): string | null {
  for (const [, record] of core.state.records.entries('$room')) {
    const title = record.fields['title'];
    if (typeof title === 'string') return title;
  }
  return null;
}
