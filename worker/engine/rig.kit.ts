/** Engines in one Node process over the memory store and network, driven as pages drive them. For tests. */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { webcrypto } from 'node:crypto';
import { copyBytes, fromHex, toHex, type Bytes } from '../../src/core/base/index.js';
import { createRecordId } from '../../src/core/identity/index.js';
import { encodePayload, type Op } from '../../src/core/op/index.js';
import { encodeDeclaration, schemaPrefix, type Declaration } from '../../src/core/schema/index.js';
import type {
  CallArgs,
  CallName,
  CallResult,
  ClientInfo,
  FromEngine,
  RecordUpdate,
  Rejection,
  RoomInfo,
} from '../../src/bridge/index.js';
import { unpackRecords } from '../../src/bridge/index.js';
import type { Deflate, Random, Time } from '../../src/ports/index.js';
import type { OpenTransport, Transport } from '../../src/transport/index.js';
import { createMemoryDisk, type MemoryDisk } from '../storage/index.js';
import { createReferenceVault } from '../vault/reference.js';
import { createEngine, type EnginePorts, type ServedEngine, type ServedTab } from './index.js';

export const testDeclaration: Declaration = {
  app: 'test',
  collections: {
    cards: {
      domain: 'main',
      owned: false,
      single: false,
      fields: { text: { kind: 'string', maxLength: 1000, need: 'required' }, votes: { kind: 'counter' } },
    },
    chat: {
      domain: 'chat',
      owned: true,
      single: false,
      fields: { body: { kind: 'string', maxLength: 4000, need: 'required' } },
    },
  },
  roles: { guest: { rank: 40, write: ['chat'], can: [] } },
};

/** Node's zlib behind the port. */
const nodeDeflate: Deflate = {
  deflate: (bytes) => Promise.resolve(copyBytes(deflateRawSync(bytes))),
  inflate: (bytes, maxBytes) => {
    try {
      const out = copyBytes(inflateRawSync(bytes, { maxOutputLength: maxBytes }));
      return Promise.resolve(out);
    } catch {
      return Promise.resolve(null);
    }
  },
};

const nodeRandom: Random = { bytes: (length) => copyBytes(webcrypto.getRandomValues(new Uint8Array(length))) };

export const nodeTime: Time = {
  now: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};

export interface RigRoom {
  readonly room: string;
  readonly info: () => RoomInfo;
  readonly rows: (collection: string) => ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly saved: () => number;
  readonly delivered: () => number;
  readonly rejected: readonly Rejection[];
  /** Sends one transaction; gives its counter. */
  readonly write: (domain: string, ops: readonly Op[]) => number;
  readonly insertCard: (text: string) => string;
  readonly newId: () => Bytes;
}

export interface RigTab {
  readonly call: <N extends CallName>(name: N, args: CallArgs<N>) => Promise<CallResult<N>>;
  /** Gives up the last call. */
  readonly giveUp: () => void;
  readonly room: (room: string) => RigRoom;
  readonly client: () => ClientInfo | null;
  readonly joins: { step: string; progress: number }[];
  readonly lend: (room: string, transport: Transport) => void;
  readonly gone: () => void;
}

export interface RigDevice {
  readonly engine: ServedEngine;
  readonly disk: MemoryDisk;
  readonly ports: EnginePorts;
  readonly tab: (id?: string) => RigTab;
  readonly lost: string[];
}

/** A device: give the same disk again for a restart. */
export async function startDevice(
  o: { disk?: MemoryDisk; dataKey?: Bytes; ports?: Partial<EnginePorts> } = {},
): Promise<RigDevice> {
  const disk = o.disk ?? createMemoryDisk();
  const generation = await disk.raiseGeneration();
  const random = o.ports?.random ?? nodeRandom;
  const ports: EnginePorts = {
    store: disk.open(generation),
    vault: createReferenceVault({ dataKey: o.dataKey ?? new Uint8Array(32).fill(9), random }),
    time: nodeTime,
    random,
    deflate: nodeDeflate,
    generation,
    durability: 'memory',
    ...o.ports,
  };
  const lost: string[] = [];
  const engine = await createEngine(ports, { lost: (failure) => lost.push(failure) });
  return { engine, disk, ports, lost, tab: (id = toHex(nodeRandom.bytes(8))) => createTab(engine, id) };
}

interface RoomView {
  info: RoomInfo | null;
  readonly collections: Map<string, Map<string, RecordUpdate>>;
  /** The last write of this tab. */
  written: number;
  saved: number;
  delivered: number;
  readonly rejected: Rejection[];
}

function createTab(engine: ServedEngine, id: string): RigTab {
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  const views = new Map<string, RoomView>();
  const lent = new Map<string, { transport: Transport; open: OpenTransport | null }>();
  const joins: { step: string; progress: number }[] = [];
  let client: ClientInfo | null = null;
  let nextCall = 1;
  let nextWrite = 1;
  const viewOf = (room: string): RoomView => {
    let view = views.get(room);
    if (view === undefined)
      views.set(
        room,
        (view = { info: null, collections: new Map(), written: 0, saved: 0, delivered: 0, rejected: [] }),
      );
    return view;
  };
  const receive = (message: FromEngine): void => {
    switch (message.t) {
      case 'reply':
        waiting.get(message.id)?.resolve(message.value as never);
        break;
      case 'reply-error':
        waiting.get(message.id)?.reject(Object.assign(new Error(message.error.message), { code: message.error.code }));
        break;
      case 'view':
        applyUpdate(viewOf(message.room), message.update);
        break;
      case 'client':
        client = message.info;
        break;
      case 'join':
        joins.push({ step: message.step, progress: message.progress });
        break;
      case 'link-open':
        openLink(message.link);
        break;
      case 'link-close':
        lent.get(message.link)?.open?.close();
        break;
      case 'link-send': {
        const { link, seq } = message;
        const open = lent.get(link)?.open;
        const sent = open
          ? open.send(message.bytes, message.to, { lossy: false })
          : Promise.reject(new Error('closed'));
        sent.then(
          () => {
            served.deliver({ t: 'link-sent', link, seq, ok: true });
          },
          () => {
            served.deliver({ t: 'link-sent', link, seq, ok: false });
          },
        );
        break;
      }
      case 'room-error':
        break;
    }
  };
  const served: ServedTab = engine.attach(id, (message) => {
    queueMicrotask(() => {
      receive(message);
    });
  });
  const openLink = (link: string): void => {
    const one = lent.get(link);
    if (!one) return;
    one.open = one.transport.open({
      frame: (bytes, from) => {
        served.deliver({ t: 'link-frame', link, bytes: copyBytes(bytes), from });
      },
      peer: (address, change) => {
        served.deliver({ t: 'link-peer', link, address, change });
      },
      state: (state) => {
        if (state === 'up')
          served.deliver({
            t: 'link-up',
            link,
            self: one.open?.self ?? '',
            maxFrameBytes: one.open?.maxFrameBytes ?? 0,
          });
        else served.deliver({ t: 'link-down', link, stalled: state === 'stalled', error: null });
      },
    });
  };
  return {
    joins,
    client: () => client,
    call: (name, args) =>
      new Promise((resolve, reject) => {
        const call = nextCall++;
        waiting.set(call, { resolve, reject });
        served.deliver({ t: 'call', id: call, name, args });
      }),
    giveUp: () => {
      const call = nextCall++;
      served.deliver({ t: 'call', id: call, name: 'cancel', args: { call: call - 1 } });
    },
    lend: (room, transport) => {
      const link = `${room}/${transport.type}`;
      lent.set(link, { transport, open: null });
      served.deliver({ t: 'link-offer', link, room, type: transport.type });
    },
    gone: () => {
      for (const one of lent.values()) one.open?.close();
      served.detach();
    },
    room: (room) => {
      const view = viewOf(room);
      const info = (): RoomInfo => {
        if (view.info === null) throw new Error('no info yet');
        return view.info;
      };
      const write = (domain: string, ops: readonly Op[]): number => {
        const n = nextWrite++;
        const prev = view.written > view.saved ? view.written : 0;
        view.written = n;
        const schema = domain === 'meta' ? metaPrefixBytes() : schemaPrefix(encodeDeclaration(testDeclaration));
        served.deliver({
          t: 'write',
          room,
          n,
          prev,
          domain: info().domains[domain] ?? '',
          payload: encodePayload({ schema, ops }),
        });
        return n;
      };
      const newId = (): Bytes => createRecordId(nodeRandom.bytes(12), fromHex(info().device) ?? new Uint8Array(32));
      return {
        room,
        info,
        write,
        newId,
        rejected: view.rejected,
        saved: () => view.saved,
        delivered: () => view.delivered,
        rows: (collection) =>
          new Map([...(view.collections.get(collection) ?? [])].map(([key, row]) => [key, row.fields ?? {}])),
        insertCard: (text) => {
          const recordId = newId();
          write('main', [{ kind: 'insert', collection: 'cards', id: recordId, fields: { text } }]);
          return toHex(recordId);
        },
      };
    },
  };
}

function metaPrefixBytes(): Bytes {
  return fromHex('302938cb462c8b65') ?? new Uint8Array(8);
}

function applyUpdate(view: RoomView, update: Extract<FromEngine, { t: 'view' }>['update']): void {
  if (update.reset) view.collections.clear();
  for (const row of unpackRecords(update.records ?? [])) {
    const rows = view.collections.get(row.collection) ?? new Map<string, RecordUpdate>();
    view.collections.set(row.collection, rows);
    if (row.fields === null) rows.delete(row.id);
    else rows.set(row.id, row);
  }
  if (update.info !== null) view.info = update.info;
  view.saved = update.savedUpTo;
  view.delivered = update.deliveredUpTo;
  view.rejected.push(...update.rejected);
}

/** Waits until `isTrue`, checking after each turn of the event loop; rejects with what `state` says after `ms`. */
export async function until(isTrue: () => boolean, o: { ms?: number; what?: string } = {}): Promise<void> {
  const end = Date.now() + (o.ms ?? 15_000);
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`not within ${String(o.ms ?? 15_000)} ms: ${o.what ?? isTrue.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
