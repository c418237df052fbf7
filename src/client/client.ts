import { briefHex } from '../core/base/index.js';
import type { Change, KeeproomError, Schema, Signal } from '../view/index.js';
import {
  createMint,
  createScheduler,
  createScope,
  createSignal,
  errorFromWire,
  modelOf,
  settle,
  wait,
} from '../view/index.js';
import { checkClientOptions, checkRoomOptions, expectText, expectTitle, profileData, randomBytes } from './check.js';
import type { RoomCore } from './core.js';
import { createRoomCore, writeMessage } from './core.js';
import type { JoinHearing } from './join.js';
import { createJoin } from './join.js';
import { createLending } from './lending.js';
import type { PageNews } from './link.js';
import { createLink } from './link.js';
import { createRoom } from './room.js';
import type { Client, ClientOptions, ClientStatus, Room, RoomOptions, RoomSummary } from './types.js';

/** A room that an engine could not open for a page that shows it is asked for again after this. */
const reopenAfterMs = 2_000;

/**
 * This device's rooms. Answers at once; the worker starts with the first call, or the first subscription on a page.
 * One closure, long as it is: link, lending and rooms of a tab call each other in every direction.
 */
export function createClient(o: ClientOptions = {}): Client {
  checkClientOptions(o);
  const scope = createScope();
  const scheduler = createScheduler();
  const changed = scheduler.createEmitter();
  const mint = createMint(randomBytes);
  const cores = new Map<string, RoomCore>();
  const joins = new Map<string, JoinHearing>();
  let opening = 0;
  let lastWrite = 0;
  let rooms: readonly RoomSummary[] = Object.freeze([]);
  let info: ClientStatus = Object.freeze({ storage: 'starting', usedBytes: 0 });
  let trouble: KeeproomError | null = null;

  const storage = (): ClientStatus['storage'] => {
    if (trouble === null) return info.storage;
    return trouble.code === 'storage/full' ? 'full' : 'broken';
  };
  let status: ClientStatus = info;
  const tell = (): void => {
    scheduler.batch(changed.emit);
    // Every room shows the state of storage too.
    for (const { replica } of cores.values()) replica.scheduler.batch(replica.about.emit);
  };

  /** Rooms that the engine is being told of: their writes follow when it has answered. */
  const reopening = new Set<RoomCore>();
  const receive = (message: PageNews): void => {
    switch (message.t) {
      case 'view': {
        // It may come before the answer that says whose it is; of a room that nobody asks for any more, the engine is told so.
        const core = coreOf(message.room);
        core.apply(message.update);
        dropIfDone(core);
        return;
      }
      case 'room-error': {
        const core = cores.get(message.room);
        if (core === undefined) return;
        core.fail(errorFromWire(message.error));
        if (message.error.code === 'room/closed') reopen(core);
        return;
      }
      case 'client':
        rooms = settle(rooms, message.info.rooms);
        info = message.info;
        tell();
        return;
      case 'join':
        joins.get(message.join)?.(message);
        return;
      default:
        lending.receive(message);
    }
  };
  const link = createLink(o, {
    message: receive,
    ready: () => {
      cores.forEach(reopen);
      lending.renew();
    },
    trouble: (error) => {
      if (error?.code === trouble?.code) return;
      trouble = error;
      tell();
      if (error !== null) for (const core of cores.values()) core.fail(error);
    },
  });
  const lending = createLending(link.send, (room, error) => cores.get(room)?.fail(error));

  const coreOf = (room: string): RoomCore => {
    let core = cores.get(room);
    if (core === undefined) cores.set(room, (core = createRoomCore(room)));
    return core;
  };
  /** Tells an engine of a room and then of its writes, until that is done. */
  const reopen = (core: RoomCore): void => {
    const { id, declaration } = core;
    if (declaration === null || reopening.has(core)) return;
    reopening.add(core);
    link.call('open', { room: id, declaration }, { scope }).then(
      (opened) => {
        reopening.delete(core);
        // Deleted meanwhile, by another tab.
        if (opened === null) endCore(core);
        else for (const change of core.replica.unsaved()) send(core, change);
      },
      (error: unknown) => {
        core.fail(error);
        setTimeout(() => {
          reopening.delete(core);
          if (cores.get(id) === core) reopen(core);
        }, reopenAfterMs);
      },
    );
  };
  const send = (core: RoomCore, change: Change): void => {
    if (!reopening.has(core)) link.send(writeMessage(core, change));
  };
  const endCore = (core: RoomCore): void => {
    cores.delete(core.id);
    for (const end of core.handles) end();
  };
  /** A room without handles stays until its writes are on the disk: only the page could send them to another engine. */
  const dropIfDone = (core: RoomCore): void => {
    // It may be what is being opened, for a handle to come.
    if (opening > 0 || core.handles.size > 0 || core.replica.unsaved().length > 0 || cores.get(core.id) !== core)
      return;
    cores.delete(core.id);
    link.call('close', { room: core.id }, { scope }).catch(() => undefined);
  };
  const submit = (core: RoomCore, change: Change): void => {
    change.n = ++lastWrite;
    send(core, change);
  };
  const forget = async (room: string): Promise<void> => {
    const core = cores.get(room);
    if (core !== undefined) endCore(core);
    await link.call('forget', { room }, { scope });
  };

  /** The handle of a room that the engine opens, once its first view is here. */
  const open = async <S extends Schema>(
    { schema, transports = [], signal }: RoomOptions<S>,
    opened: Promise<{ readonly room: string } | null>,
  ): Promise<Room<S> | null> => {
    const model = modelOf(schema);
    opening++;
    try {
      const found = await opened;
      if (found === null) return null;
      const core = coreOf(found.room);
      core.declaration = model.declaration;
      await firstView(core, { signal, scope });
      const closed = (from: RoomCore, end: () => void): void => {
        from.handles.delete(end);
        dropIfDone(from);
      };
      const room = createRoom<S>({ core, model, link, lending, storage, mint, submit, closed, forget });
      for (const transport of transports) room.attach(transport);
      return room;
    } finally {
      opening--;
      cores.forEach(dropIfDone);
    }
  };

  const signal = <T>(get: () => T): Signal<T> =>
    createSignal(
      {
        get,
        watch: (run) => {
          // On a server there is no page, and nothing to start.
          if (typeof document !== 'undefined' && !scope.isClosed()) link.start();
          return changed.watch(run);
        },
      },
      scope,
    );
  const close = async (): Promise<void> => {
    cores.forEach(endCore);
    scope.close();
    link.stop();
  };
  const profile = () => (o.profile === undefined ? { name: '', color: null } : profileData(o.profile));

  return Object.freeze<Client>({
    rooms: signal(() => rooms),
    status: signal(() => (status = settle(status, { storage: storage(), usedBytes: info.usedBytes }))),
    createRoom: async (options) => {
      checkRoomOptions(options);
      const { key = null, title = '' } = options;
      if (key !== null) expectText('key', key);
      expectTitle(title);
      const { declaration } = modelOf(options.schema);
      const args = { request: briefHex(randomBytes(16)), key, title, declaration, profile: profile() };
      const room = await open(options, link.call('create', args, { signal: options.signal, scope }));
      // What was asked to be made is there.
      return room!;
    },
    openRoom: async (idOrKey, options) => {
      expectText('idOrKey', idOrKey);
      checkRoomOptions(options);
      const { declaration } = modelOf(options.schema);
      return open(options, link.call('open', { room: idOrKey, declaration }, { signal: options.signal, scope }));
    },
    joinRoom: (from, options) => {
      expectText('from', from instanceof URL ? from.href : from);
      checkRoomOptions(options);
      return createJoin(String(from), options, { link, lending, joins, profile: profile(), open, scope });
    },
    forgetRoom: async (id) => {
      expectText('id', id);
      await forget(id);
    },
    erase: async () => {
      cores.forEach(endCore);
      await link.call('erase', {}, { scope });
    },
    close,
    [Symbol.asyncDispose]: close,
  });
}

/** Resolves when the room can be shown; rejects with what keeps it from that. */
function firstView(core: RoomCore, end: Parameters<typeof wait>[0]): Promise<void> {
  const { replica } = core;
  return wait(end, ({ resolve, reject }) => {
    const check = (): void => {
      if (replica.info() !== null) resolve();
    };
    check();
    const stops = [replica.about.watch(check), core.on('error', reject)];
    return () => {
      for (const stop of stops) stop();
    };
  });
}
