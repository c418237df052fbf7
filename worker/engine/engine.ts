import type { CallName, ClientInfo, EngineStats, StorageState, ToEngine } from '../../src/bridge/index.js';
import { StoreError } from '../../src/ports/index.js';
import { createCalls, tellClosed, type CallOrigin, type Calls } from './calls.js';
import { toWireError } from './call-error.js';
import { createLinkDesk } from './links.js';
import type { EnginePorts } from './ports.js';
import { createRooms } from './rooms.js';
import type { ServedEngine, ServedTab } from './served.js';
import { endCall, type Tab, type TabCall } from './tab.js';

/** What a host is told beside what pages see. */
export interface EngineHooks {
  /** Another engine has taken over, or the store is gone: nothing more is written here. */
  readonly lost: (failure: 'fenced' | 'closed') => void;
}

/** The engine of one namespace, started: all its rooms, serving tabs. */
export async function createEngine(ports: EnginePorts, hooks: EngineHooks): Promise<ServedEngine> {
  const tabs = new Map<string, Tab>();
  let storage: StorageState = ports.durability;
  const desk = createLinkDesk();
  const clientInfo = (): ClientInfo => ({ storage, usedBytes: rooms.usedBytes(), rooms: rooms.list() });
  const tellClients = (): void => {
    const info = clientInfo();
    for (const tab of tabs.values()) tab.send({ t: 'client', info });
  };
  const rooms = await createRooms(ports, {
    desk,
    changed: tellClients,
    committed: () => {
      if (storage === ports.durability) return;
      storage = ports.durability;
      tellClients();
    },
    storeFailed: (room, failure) => {
      if (failure === 'fenced' || failure === 'closed') {
        hooks.lost(failure);
        return;
      }
      storage = failure;
      tellClients();
      const error = toWireError(new StoreError(failure, 'the last change is not saved yet; it is tried again'));
      for (const tab of tabs.values()) if (tab.rooms.has(room)) tab.send({ t: 'room-error', room, error });
    },
  });
  const calls = createCalls(ports, { rooms, tabs, tellClients, stats: () => statsOf(ports, rooms.open()) });

  const dispatch = (tab: Tab, message: ToEngine): void => {
    switch (message.t) {
      case 'call':
        return void answer(tab, message);
      case 'write':
        return write(tab, message);
      default:
        return desk.take(tab, message);
    }
  };
  const write = (tab: Tab, { room, n, prev, domain, payload }: Extract<ToEngine, { t: 'write' }>): void => {
    const open = tab.rooms.has(room) ? rooms.open().get(room) : undefined;
    if (open === undefined) tellClosed(tab, room);
    else open.engine.write({ tab: tab.id, n, prev, domainHex: domain, payload });
  };
  const answer = async (tab: Tab, message: Extract<ToEngine, { t: 'call' }>): Promise<void> => {
    const { id } = message;
    const call: TabCall = { holder: `${tab.id}/${String(id)}`, isOver: false, ended: () => undefined };
    tab.calls.set(id, call);
    try {
      const value = await runCall(calls, { tab, call }, message);
      tab.send({ t: 'reply', id, value });
    } catch (error) {
      tab.send({ t: 'reply-error', id, error: toWireError(error) });
    } finally {
      tab.calls.delete(id);
      for (const room of rooms.open().keys()) void rooms.release(room, call.holder);
    }
  };
  return {
    attach: (id, send): ServedTab => {
      const tab: Tab = { id, send, rooms: new Set(), calls: new Map() };
      tabs.set(id, tab);
      send({ t: 'client', info: clientInfo() });
      return {
        deliver: (message) => {
          if (tabs.get(id) === tab) dispatch(tab, message);
        },
        detach: () => {
          if (tabs.get(id) !== tab) return;
          tabs.delete(id);
          for (const call of tab.calls.values()) endCall(call, true);
          desk.tabGone(id);
          for (const room of tab.rooms) void rooms.release(room, id);
        },
      };
    },
    stop: async () => {
      await rooms.stop();
      await ports.store.close();
    },
  };
}

async function runCall(
  calls: Calls,
  from: CallOrigin,
  message: { readonly name: CallName; readonly args: unknown },
): Promise<unknown> {
  if (!Object.hasOwn(calls, message.name)) throw new TypeError(`unknown call ${message.name}`);
  const run: (from: CallOrigin, args: never) => Promise<unknown> = calls[message.name];
  return run(from, message.args as never);
}

function statsOf(
  ports: EnginePorts,
  open: ReadonlyMap<
    string,
    {
      readonly engine: {
        readonly core: {
          readonly faults: Map<string, number>;
          readonly counters: Map<string, number>;
          readonly held: readonly { readonly code: string }[];
        };
      };
    }
  >,
): EngineStats {
  const faults: Record<string, Record<string, number>> = {};
  const counters: Record<string, Record<string, number>> = {};
  let commits = 0;
  for (const [room, { engine }] of open) {
    faults[room] = Object.fromEntries(engine.core.faults);
    counters[room] = { ...Object.fromEntries(engine.core.counters), ...heldCounts(engine.core.held) };
    commits += engine.core.counters.get('commits') ?? 0;
  }
  return { generation: ports.generation, commits, faults, counters };
}

/** What waits, by what it waits for. */
function heldCounts(held: readonly { readonly code: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code } of held) counts[`held ${code}`] = (counts[`held ${code}`] ?? 0) + 1;
  return counts;
}
