/**
 * The page of the end-to-end tests: the package, used by its name as an app uses it, laid open on `window.kr` so that a
 * test can drive it. Each device is a client with a namespace of its own; its networks pass through a tap, and its worker
 * can be spoken to directly, past everything the page checks.
 */
import type { Client, Invite, Join, OpenTransport, Room, Transport, TransportEvents } from 'keeproom';
import {
  broadcastChannel,
  collection,
  createClient,
  defineSchema,
  isKeeproomError,
  s,
  single,
  takeInvite,
} from 'keeproom';
import { livekit, livekitData } from 'keeproom/livekit';

const schema = defineSchema({
  app: 'harness',
  data: {
    cards: collection({ text: s.string(), votes: s.counter() }),
    chat: collection({ text: s.string() }, { owned: true, domain: 'chat' }),
    settings: single({ theme: s.string().default('light') }),
  },
  roles: { guest: { rank: 25, write: ['chat'] } },
});

type AppSchema = typeof schema;
export type AppRoom = Room<AppSchema>;
export type Role = Parameters<AppRoom['invites']['create']>[0]['role'];

/** A network that a test names; `call` is a Room of livekit-client that this page connects, then lends. */
export type Via =
  | { readonly via: 'broadcast'; readonly channel: string }
  | { readonly via: 'livekit' | 'call'; readonly url: string; readonly token: string };

/** One frame as it passed the page. */
export interface TappedFrame {
  readonly way: 'out' | 'in';
  readonly bytes: Uint8Array;
  /** Who sent it, as the network says; own frames: `self`. */
  readonly from: string;
}

/** Stands between a device and one of its networks. */
export interface Tap {
  readonly frames: TappedFrame[];
  /** Frames it says no to go no further; they are recorded all the same. */
  filter: (frame: TappedFrame) => boolean;
  /** Own address on the network below; empty until up. */
  readonly self: () => string;
  /** Past the engine: to the network as it is. */
  readonly send: (bytes: Uint8Array, to: readonly string[] | 'all') => Promise<void>;
  /** Past the network: to the engine as if it had come from that address. */
  readonly inject: (bytes: Uint8Array, from: string) => void;
}

/** What the engine last said of a room, as far as a forger needs it. */
export interface ForgersView {
  readonly room: string;
  /** This device as the end of its records' ids. */
  readonly device: string;
  readonly members: readonly { readonly id: string; readonly devices: readonly string[] }[];
  readonly domains: Readonly<Record<string, string>>;
  readonly schemas: readonly { readonly prefix: Uint8Array }[];
}

/** An op as it goes to the worker; `id` of a record in base64url, a new one unless told. */
export interface Forged {
  readonly kind: 'insert' | 'update' | 'delete';
  readonly collection: string;
  readonly id?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

export interface Device {
  readonly client: Client;
  readonly taps: Tap[];
  /** Networks given with `join` and `open`, by which they can be taken away. */
  readonly detach: (() => void)[];
  /** Codes of the room's `error` events. */
  readonly errors: string[];
  readonly rejected: { readonly code: string; readonly collection: string; readonly id: string }[];
  worker: Worker | null;
  view: ForgersView | null;
  room: AppRoom | null;
  join: Join<AppSchema> | null;
}

/** How something ended, in a form that crosses to the test. */
export type Outcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly name: string; readonly code: string };

/** What a test asks of a worker itself. */
export interface EngineStats {
  readonly generation: number;
  readonly commits: number;
  readonly faults: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly counters: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface Harness {
  readonly devices: Record<string, Device>;
  readonly schema: AppSchema;
  readonly takeInvite: typeof takeInvite;
  /** A device; `worker` names another script than the package's own. */
  readonly device: (
    name: string,
    o: { namespace: string; person?: string; storage?: 'indexeddb' | 'memory'; worker?: string },
  ) => void;
  /** Makes the room, or opens the one with this key. */
  readonly create: (name: string, o: { key?: string; title?: string; networks?: readonly Via[] }) => Promise<string>;
  /** False: there is no such room on this device. */
  readonly open: (name: string, idOrKey: string, networks?: readonly Via[]) => Promise<boolean>;
  /** Begins to join; `joined` says how it ended. */
  readonly join: (name: string, invite: string, networks?: readonly Via[]) => void;
  readonly joined: (name: string, patienceMs: number) => Promise<Outcome<string>>;
  readonly attach: (name: string, network: Via) => void;
  readonly detachAll: (name: string) => void;
  readonly room: (name: string) => AppRoom;
  readonly invite: (
    name: string,
    o: { role: Role; maxUses?: number; expiresInMs?: number },
  ) => Promise<Pick<Invite, 'id' | 'code' | 'usesLeft'> & { readonly link: string }>;
  /** One transaction per text, all in one go; resolves when all are saved. */
  readonly write: (name: string, texts: readonly string[]) => Promise<void>;
  readonly texts: (name: string) => readonly string[];
  readonly attempt: <T>(run: () => T | Promise<T>) => Promise<Outcome<Awaited<T>>>;
  /** A transaction straight to the worker, past everything that the page checks. */
  readonly forge: (name: string, domain: string, op: Forged) => void;
  readonly stats: (name: string) => Promise<EngineStats>;
  /** Like a closed tab; the device's storage stays. */
  readonly close: (name: string) => Promise<void>;
}

declare global {
  interface Window {
    kr: Harness;
  }
}

const patienceMs = 10_000;
const devices: Record<string, Device> = {};

/** The client starts its worker itself; this is how the harness gets hold of it. */
let lastWorker: Worker | null = null;
const PlatformWorker = window.Worker;
window.Worker = class extends PlatformWorker {
  constructor(url: string | URL, options?: WorkerOptions) {
    super(url, options);
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the point of the class
    lastWorker = this;
  }
};

function deviceOf(name: string): Device {
  const device = devices[name];
  if (device === undefined) throw new Error(`no device ${name}`);
  return device;
}

function roomOf(name: string): AppRoom {
  const { room } = deviceOf(name);
  if (room === null) throw new Error(`${name} has no open room`);
  return room;
}

function codeOf(error: unknown): { readonly ok: false; readonly name: string; readonly code: string } {
  if (isKeeproomError(error)) return { ok: false, name: error.name, code: error.code };
  return { ok: false, name: error instanceof Error ? error.name : 'unknown', code: String(error) };
}

/** The network below a tap. `call` uses the SDK as an app does. */
function transportOf(network: Via): Transport {
  if (network.via === 'broadcast') return broadcastChannel(network.channel);
  const { url, token } = network;
  if (network.via === 'livekit') return livekitData({ url, token: async () => token });
  let opened: ReturnType<Transport['open']> | null = null;
  return {
    type: 'livekit',
    open: (on) => {
      let isClosed = false;
      void import('livekit-client').then(async ({ Room: Call }) => {
        const call = new Call();
        await call.connect(url, token);
        if (!isClosed) opened = livekit(call).open(on);
      });
      return {
        get self() {
          return opened?.self ?? '';
        },
        maxFrameBytes: 15_000,
        send: async (frame, to, o) => opened?.send(frame, to, o),
        close: () => {
          isClosed = true;
          opened?.close();
        },
      };
    },
  };
}

function tapped(device: Device, below: Transport): Transport {
  const frames: TappedFrame[] = [];
  let current: { readonly use: OpenTransport; readonly on: TransportEvents } | null = null;
  const tap: Tap = {
    frames,
    filter: () => true,
    self: () => current?.use.self ?? '',
    send: async (bytes, to) => current?.use.send(bytes, to, { lossy: false }),
    inject: (bytes, from) => current?.on.frame(bytes, from),
  };
  const passes = (frame: TappedFrame): boolean => {
    frames.push(frame);
    return tap.filter(frame);
  };
  device.taps.push(tap);
  return {
    type: below.type,
    open: (on) => {
      const use = below.open({
        ...on,
        frame: (bytes, from) => {
          if (passes({ way: 'in', bytes: bytes.slice(), from })) on.frame(bytes, from);
        },
      });
      current = { use, on };
      return {
        get self() {
          return use.self;
        },
        maxFrameBytes: use.maxFrameBytes,
        send: async (frame, to, o) => {
          if (passes({ way: 'out', bytes: frame.slice(), from: 'self' })) await use.send(frame, to, o);
        },
        close: use.close,
      };
    },
  };
}

function watch(device: Device, room: AppRoom): void {
  device.room = room;
  room.on('error', ({ code }) => device.errors.push(code));
  room.on('rejected', ({ code, collection, id }) => device.rejected.push({ code, collection, id }));
}

function attach(name: string, network: Via): void {
  const device = deviceOf(name);
  device.detach.push(roomOf(name).attach(tapped(device, transportOf(network))));
}

function stats(name: string): Promise<EngineStats> {
  const { worker } = deviceOf(name);
  if (worker === null) throw new Error(`${name} has no worker yet`);
  const id = 1_000_000_000 + Math.floor(Math.random() * 1_000_000_000);
  return new Promise((resolve, reject) => {
    const ask = (): void => worker.postMessage({ t: 'call', id, name: 'stats', args: {} });
    // A leader that goes takes the question along; the package's own link asks the next one again, too.
    const again = setInterval(ask, 100);
    const stop = (): void => {
      clearInterval(again);
      clearTimeout(timer);
      worker.removeEventListener('message', hear);
    };
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`${name}: no stats within ${patienceMs} ms`));
    }, patienceMs);
    const hear = ({ data }: MessageEvent<{ t: string; id?: number; value?: EngineStats }>): void => {
      if (data.id !== id || data.t !== 'reply' || data.value === undefined) return;
      stop();
      resolve(data.value);
    };
    worker.addEventListener('message', hear);
    ask();
  });
}

interface ViewMessage {
  readonly t: string;
  readonly room: string;
  readonly update: { readonly info: Omit<ForgersView, 'room'> | null };
}

/** Far above what the client has counted, and rising. */
let lastForged = 1_000_000;

function forge(name: string, domain: string, { id, fields = {}, ...op }: Forged): void {
  const { worker, view } = deviceOf(name);
  const domainId = view?.domains[domain];
  if (worker === null || view === null || domainId === undefined) throw new Error(`${name} knows no domain ${domain}`);
  // 12 bytes of its own, and whose record it is (X1).
  const fresh = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(12)))) + view.device;
  const recordId = id ?? fresh.replace(/\+/g, '-').replace(/\//g, '_');
  const schema = domain === 'meta' ? null : (view.schemas[0]?.prefix ?? null);
  const ops = [op.kind === 'delete' ? { ...op, id: recordId } : { ...op, id: recordId, fields }];
  worker.postMessage({ t: 'write', room: view.room, n: ++lastForged, domain: domainId, schema, ops });
}

window.kr = {
  devices,
  schema,
  takeInvite,
  device: (name, { namespace, person = name, storage = 'indexeddb', worker }) => {
    lastWorker = null;
    const client = createClient({
      namespace,
      storage,
      profile: { name: person },
      ...(worker === undefined ? {} : { worker: new URL(worker, location.href) }),
    });
    const device: Device = {
      client,
      taps: [],
      detach: [],
      errors: [],
      rejected: [],
      worker: null,
      view: null,
      room: null,
      join: null,
    };
    devices[name] = device;
    // A page that shows anything of a client starts its worker.
    client.status.subscribe(() => undefined);
    const started = (device.worker = lastWorker as Worker | null);
    started?.addEventListener('message', ({ data }: MessageEvent<ViewMessage>) => {
      if (data.t === 'view' && data.update.info !== null) device.view = { ...data.update.info, room: data.room };
    });
  },
  create: async (name, { key, title, networks: given = [] }) => {
    const device = deviceOf(name);
    const transports = given.map((network) => tapped(device, transportOf(network)));
    const room = await device.client.createRoom({
      schema,
      transports,
      ...(key === undefined ? {} : { key }),
      ...(title === undefined ? {} : { title }),
    });
    watch(device, room);
    return room.id;
  },
  open: async (name, idOrKey, given = []) => {
    const device = deviceOf(name);
    const room = await device.client.openRoom(idOrKey, { schema });
    if (room === null) return false;
    watch(device, room);
    for (const network of given) attach(name, network);
    return true;
  },
  join: (name, invite, given = []) => {
    const device = deviceOf(name);
    const transports = given.map((network) => tapped(device, transportOf(network)));
    device.join = device.client.joinRoom(invite, { schema, transports });
  },
  joined: async (name, ms) => {
    const device = deviceOf(name);
    if (device.join === null) throw new Error(`${name} does not join`);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      const say = (): void => {
        const state = device.join?.state.value;
        reject(new Error(`${name}: not joined within ${ms} ms: ${state?.step}, ${state?.progress}`));
      };
      timer = setTimeout(say, ms);
    });
    try {
      const room = await Promise.race([device.join.room, tooLate]);
      watch(device, room);
      return { ok: true, value: room.id };
    } catch (error) {
      return codeOf(error);
    } finally {
      clearTimeout(timer);
    }
  },
  attach,
  detachAll: (name) => {
    for (const detach of deviceOf(name).detach.splice(0)) detach();
  },
  room: roomOf,
  invite: async (name, o) => {
    const invite = await roomOf(name).invites.create(o);
    const { id, code, usesLeft } = invite;
    return { id, code, usesLeft, link: invite.link(location.origin + location.pathname) };
  },
  write: async (name, texts) => {
    const { cards } = roomOf(name).data;
    await Promise.all(texts.map((text) => cards.insert({ text }).saved()));
  },
  texts: (name) => roomOf(name).data.cards.value.map(({ text }) => text),
  attempt: async (run) => {
    try {
      return { ok: true, value: await run() };
    } catch (error) {
      return codeOf(error);
    }
  },
  forge,
  stats,
  close: async (name) => {
    const device = deviceOf(name);
    delete devices[name];
    await device.room?.close();
    await device.client.close();
  },
};
document.documentElement.dataset['ready'] = 'yes';
