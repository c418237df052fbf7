/** A page as the engine sees one: it writes, resends what nobody confirmed, lends its network, and keeps what it is shown. */
import { copyBytes, fromHex, toHex, type Bytes } from '../../src/core/base/index.js';
import { encodePayload, type Op } from '../../src/core/op/index.js';
import { encodeDeclaration, metaPrefix, schemaPrefix, type Declaration } from '../../src/core/schema/index.js';
import {
  unpackRecords,
  type CallArgs,
  type CallName,
  type CallResult,
  type FromEngine,
  type RecordUpdate,
  type Rejection,
  type RoomInfo,
  type ToEngine,
} from '../../src/bridge/index.js';
import type { OpenTransport, Transport } from '../../src/transport/index.js';
import type { ServedEngine, ServedTab } from '../engine/index.js';

/** The app of the simulated people. */
const simDeclaration: Declaration = {
  app: 'sim',
  collections: {
    cards: {
      domain: 'main',
      owned: false,
      single: false,
      fields: { text: { kind: 'string', maxLength: 400, need: 'required' }, votes: { kind: 'counter' } },
    },
    chat: {
      domain: 'chat',
      owned: true,
      single: false,
      fields: { body: { kind: 'string', maxLength: 400, need: 'required' } },
    },
  },
  roles: { guest: { rank: 40, write: ['chat'], can: [] } },
};
export const simSchema: Bytes = encodeDeclaration(simDeclaration);
const simPrefix = schemaPrefix(simSchema);
const metaSchemaPrefix = metaPrefix();

/** One transaction somebody made on a page, and what became of it as far as that page was told. */
export interface PageWrite {
  readonly n: number;
  readonly domain: string;
  readonly payload: Bytes;
  readonly ops: readonly Op[];
  readonly madeAtMs: number;
  /** Told to be durable at this time. */
  savedAtMs: number | null;
  /** Told to be stored by another device. */
  delivered: boolean;
  rejected: string | null;
}

/** What the page shows of the room. */
export interface PageView {
  info: RoomInfo | null;
  readonly collections: Map<string, Map<string, RecordUpdate>>;
  readonly rejected: Rejection[];
  /** Failures of the store it was told of. */
  readonly troubles: string[];
}

export interface Page {
  readonly id: string;
  readonly view: PageView;
  readonly writes: readonly PageWrite[];
  /** Sends one transaction; null while the room's domains are not known. */
  readonly write: (domain: string, ops: readonly Op[]) => PageWrite | null;
  /** Asked again of every further engine until it is answered. */
  readonly call: <N extends CallName>(name: N, args: CallArgs<N>) => Promise<CallResult<N>>;
  /** Lends this network to the room, through any number of engines. */
  readonly lend: (room: string, transport: Transport) => void;
  /** The room is shown from here on, by every further engine too. */
  readonly show: (room: string) => void;
  readonly attach: (engine: ServedEngine) => void;
  /** The engine is gone; the page waits for the next. */
  readonly detach: () => void;
  /** The page is closed, or its process died: nothing reaches it or comes from it any more. */
  readonly close: () => void;
}

export interface PageHost {
  readonly nowMs: () => number;
  readonly after: (delayMs: number, run: () => void) => void;
  /** A frame came from the network. */
  readonly heard: (frame: Bytes, from: string) => void;
  readonly log: (text: string) => void;
}

interface Waiting {
  readonly message: ToEngine & { readonly t: 'call' };
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

export function createPage(id: string, host: PageHost): Page {
  const view: PageView = { info: null, collections: new Map(), rejected: [], troubles: [] };
  const writes: PageWrite[] = [];
  const calls = new Map<number, Waiting>();
  const lent = new Map<string, { readonly transport: Transport; open: OpenTransport | null }>();
  let served: ServedTab | null = null;
  let shown: string | null = null;
  let nextCall = 1;
  let isClosed = false;
  let joinStep = '';

  const deliver = (message: ToEngine): void => served?.deliver(message);
  const sendWrite = (write: PageWrite): void => {
    const domain = view.info?.domains[write.domain];
    if (shown === null || domain === undefined) return;
    const prev = writes.slice(0, write.n - 1).findLast(({ savedAtMs }) => savedAtMs === null)?.n ?? 0;
    deliver({ t: 'write', room: shown, n: write.n, prev, domain, payload: copyBytes(write.payload) });
  };
  const openLink = (link: string): void => {
    const one = lent.get(link);
    if (one === undefined || one.open !== null) return;
    const mine = served;
    const say = (message: ToEngine): void => {
      if (served === mine && lent.get(link)?.open === open) deliver(message);
    };
    const open: OpenTransport = one.transport.open({
      frame: (bytes, from) => {
        const frame = copyBytes(bytes);
        host.heard(frame, from);
        say({ t: 'link-frame', link, bytes: frame, from });
      },
      peer: (address, change) => say({ t: 'link-peer', link, address, change }),
      state: (state) => {
        if (state === 'up') say({ t: 'link-up', link, self: open.self, maxFrameBytes: open.maxFrameBytes });
        else say({ t: 'link-down', link, stalled: state === 'stalled', error: null });
      },
    });
    one.open = open;
  };
  const closeLinks = (): void => {
    for (const one of lent.values()) {
      one.open?.close();
      one.open = null;
    }
  };
  const sendFrame = async (message: FromEngine & { readonly t: 'link-send' }): Promise<void> => {
    const { link, seq, bytes, to } = message;
    const [mine, open] = [served, lent.get(link)?.open ?? null];
    let ok = open !== null;
    try {
      await open?.send(bytes, to, { lossy: false });
    } catch {
      ok = false;
    }
    if (served === mine) deliver({ t: 'link-sent', link, seq, ok });
  };
  const receive = (message: FromEngine): void => {
    switch (message.t) {
      case 'reply':
        calls.get(message.id)?.resolve(message.value as never);
        return void calls.delete(message.id);
      case 'reply-error': {
        const { code, message: words } = message.error;
        calls.get(message.id)?.reject(Object.assign(new Error(words), { code }));
        return void calls.delete(message.id);
      }
      case 'view':
        return takeUpdate({ view, writes, host }, message.update);
      case 'link-open':
        return openLink(message.link);
      case 'link-close': {
        const one = lent.get(message.link);
        one?.open?.close();
        if (one !== undefined) one.open = null;
        return;
      }
      case 'link-send':
        return void sendFrame(message);
      case 'room-error':
        host.log(`page ${id} is told ${message.error.code}`);
        return void view.troubles.push(message.error.code);
      case 'join':
        if (message.step !== joinStep) host.log(`page ${id} join: ${message.step}`);
        joinStep = message.step;
        return;
      default:
        return;
    }
  };
  const detach = (): void => {
    served = null;
    closeLinks();
  };
  return {
    id,
    view,
    writes,
    write: (domain, ops) => {
      if (isClosed || view.info?.domains[domain] === undefined) return null;
      const payload = encodePayload({ schema: domain === 'meta' ? metaSchemaPrefix : simPrefix, ops });
      const made = { domain, payload, ops, madeAtMs: host.nowMs() };
      const write: PageWrite = { n: writes.length + 1, ...made, savedAtMs: null, delivered: false, rejected: null };
      writes.push(write);
      sendWrite(write);
      // Some are sent again while nobody has answered, and may have been heard the first time.
      if (write.n % 5 === 0) host.after(40, () => sendWrite(write));
      return write;
    },
    call: (name, args) =>
      new Promise((resolve, reject) => {
        const message = { t: 'call', id: nextCall++, name, args } as const;
        calls.set(message.id, { message, resolve, reject });
        deliver(message);
      }),
    lend: (room, transport) => {
      const link = `${room}/${transport.type}`;
      lent.set(link, { transport, open: null });
      deliver({ t: 'link-offer', link, room, type: transport.type });
    },
    show: (room) => {
      shown = room;
    },
    attach: (engine) => {
      if (isClosed) return;
      detach();
      const tab = engine.attach(id, (message) => {
        queueMicrotask(() => {
          if (served === tab) receive(message);
        });
      });
      served = tab;
      for (const [callId, { message }] of calls) {
        if (message.name === 'open') calls.delete(callId);
        else deliver(message);
      }
      for (const [link, { transport }] of lent)
        deliver({ t: 'link-offer', link, room: link.slice(0, link.indexOf('/')), type: transport.type });
      if (shown === null) return;
      const room = shown;
      const reopen = (): void => {
        const message = { t: 'call', id: nextCall++, name: 'open', args: { room, declaration: simSchema } } as const;
        // In one go: what was stored already and not heard of is known by its number.
        const again = (): void => {
          for (const write of writes) if (write.savedAtMs === null) sendWrite(write);
        };
        const refused = (error: Error): void => {
          host.log(`page ${id} cannot open its room: ${error.message}`);
          host.after(1_000, () => {
            if (served === tab) reopen();
          });
        };
        calls.set(message.id, { message, resolve: again, reject: refused });
        deliver(message);
      };
      reopen();
    },
    detach,
    close: () => {
      isClosed = true;
      calls.clear();
      detach();
    },
  };
}

function takeUpdate(
  p: { readonly view: PageView; readonly writes: readonly PageWrite[]; readonly host: PageHost },
  update: Extract<FromEngine, { t: 'view' }>['update'],
): void {
  const { view, writes, host } = p;
  if (update.reset) view.collections.clear();
  const rows = unpackRecords(update.records ?? []);
  for (const row of rows) {
    const shown = view.collections.get(row.collection) ?? new Map<string, RecordUpdate>();
    view.collections.set(row.collection, shown);
    if (row.fields === null) shown.delete(row.id);
    else shown.set(row.id, row);
  }
  if (update.info !== null) view.info = update.info;
  for (const rejection of update.rejected) {
    view.rejected.push(rejection);
    const write = writes[rejection.n - 1];
    if (write !== undefined) write.rejected = rejection.code;
  }
  for (const write of writes) {
    if (write.n <= update.savedUpTo) write.savedAtMs ??= host.nowMs();
    if (write.n <= update.deliveredUpTo) write.delivered = true;
  }
}

/** Bytes of the device a page belongs to. */
export function deviceOf(view: PageView): Bytes | null {
  return view.info === null ? null : fromHex(view.info.device);
}

/** Hex of a payload, by which a write is found among entries. */
export function payloadKey(bytes: Bytes): string {
  return toHex(bytes);
}
