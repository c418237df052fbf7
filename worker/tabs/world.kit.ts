import type { FromWorker, ToEngine } from '../../src/bridge/index.js';
import type { Time } from '../../src/ports/index.js';
import type { MemoryDisk } from '../storage/index.js';
import { createMemoryDisk } from '../storage/index.js';
import type { Logged } from './echo.kit.js';
import { startEcho } from './echo.kit.js';
import type { LockManagerLike, StartEngine, Tabs } from './index.js';
import { createTabs } from './index.js';

/** A task of one worker: a timer, a message, a lock. While the worker is stopped it waits. */
interface Task {
  readonly at: number;
  readonly order: number;
  readonly worker: FakeWorker;
  readonly run: () => void;
}

interface LockRequest {
  readonly worker: FakeWorker;
  readonly mode: 'exclusive' | 'shared';
  readonly grant: () => void;
  readonly refuse: (error: DOMException) => void;
}

/** A browser with a virtual clock: Web Locks, BroadcastChannel, one disk, workers that die, stop and wake. */
export class World {
  now = 1_000_000;
  steals = 0;
  /** Messages that never arrive. */
  loses: (message: unknown, from: FakeWorker, to: FakeWorker) => boolean = () => false;
  readonly disk: MemoryDisk = createMemoryDisk({ pace: () => this.diskPace });
  diskPace: Promise<void> = Promise.resolve();
  private readonly tasks: Task[] = [];
  private readonly workers: FakeWorker[] = [];
  private readonly held = new Map<string, LockRequest[]>();
  private readonly waiting = new Map<string, LockRequest[]>();
  private order = 0;

  worker(): FakeWorker {
    const worker = new FakeWorker(this);
    this.workers.push(worker);
    return worker;
  }

  schedule(worker: FakeWorker, delayMs: number, run: () => void): () => void {
    const task = { at: this.now + delayMs, order: this.order++, worker, run };
    this.tasks.push(task);
    return () => {
      const index = this.tasks.indexOf(task);
      if (index >= 0) this.tasks.splice(index, 1);
    };
  }

  broadcast(from: FakeWorker, message: unknown): void {
    for (const to of this.workers) {
      if (to === from || to.hear === null || this.loses(message, from, to)) continue;
      const copy: unknown = structuredClone(message);
      const { hear } = to;
      this.schedule(to, 1, () => to.hear === hear && hear(copy));
    }
  }

  requestLock(name: string, request: LockRequest, steal: boolean): void {
    if (steal) {
      this.steals++;
      for (const holder of this.held.get(name) ?? []) holder.refuse(new DOMException('stolen', 'AbortError'));
      this.held.set(name, [request]);
      request.grant();
      return;
    }
    this.waiting.set(name, [...(this.waiting.get(name) ?? []), request]);
    this.grantNext(name);
  }

  releaseLock(name: string, request: LockRequest): void {
    for (const requests of [this.held, this.waiting]) {
      const left = (requests.get(name) ?? []).filter((other) => other !== request);
      requests.set(name, left);
    }
    this.grantNext(name);
  }

  holders(name: string): FakeWorker[] {
    return (this.held.get(name) ?? []).map((request) => request.worker);
  }

  kill(worker: FakeWorker): void {
    worker.state = 'dead';
    worker.hear = null;
    for (const task of this.tasks.filter((each) => each.worker === worker)) {
      this.tasks.splice(this.tasks.indexOf(task), 1);
    }
    for (const requests of [this.waiting, this.held]) {
      for (const [name, all] of [...requests]) {
        for (const request of all) if (request.worker === worker) this.releaseLock(name, request);
      }
    }
  }

  /** Lets `ms` pass, or stops earlier when `until` holds; gives the time that passed. */
  async run(ms: number, until: () => boolean = () => false): Promise<number> {
    const started = this.now;
    const end = started + ms;
    await settled();
    while (!until()) {
      const next = this.nextTask();
      if (next === undefined || next.at > end) {
        this.now = end;
        break;
      }
      this.now = Math.max(this.now, next.at);
      this.tasks.splice(this.tasks.indexOf(next), 1);
      next.run();
      await settled();
    }
    return this.now - started;
  }

  log(): Logged[] {
    return (this.disk.dump().get('packs') ?? []).map((row) => row.value as Logged);
  }

  private nextTask(): Task | undefined {
    const ready = this.tasks.filter((task) => task.worker.state === 'running');
    return ready.sort((a, b) => a.at - b.at || a.order - b.order)[0];
  }

  private grantNext(name: string): void {
    const held = this.held.get(name) ?? [];
    const [first, ...rest] = this.waiting.get(name) ?? [];
    if (first === undefined) return;
    if (held.length > 0 && (first.mode === 'exclusive' || held.some((other) => other.mode === 'exclusive'))) return;
    this.held.set(name, [...held, first]);
    this.waiting.set(name, rest);
    first.grant();
    this.grantNext(name);
  }
}

/** Promises run in real microtasks; virtual time stands still until they have. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class FakeWorker {
  state: 'running' | 'stopped' | 'dead' = 'running';
  hear: ((message: unknown) => void) | null = null;
  readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  readonly time: Time = {
    now: () => this.world.now,
    after: (delayMs, run) => this.world.schedule(this, delayMs, run),
  };

  readonly locks: LockManagerLike = {
    request: (name, { mode = 'exclusive', steal = false, signal }, callback) =>
      new Promise((resolve, reject) => {
        const request: LockRequest = {
          worker: this,
          mode,
          grant: () => {
            this.world.schedule(this, 0, () => {
              void Promise.resolve(callback()).then(() => {
                if (this.state === 'dead') return;
                this.world.releaseLock(name, request);
                resolve(undefined);
              });
            });
          },
          refuse: (error) => void this.world.schedule(this, 0, () => reject(error)),
        };
        signal?.addEventListener('abort', () => {
          if (this.world.holders(name).includes(this)) return;
          this.world.releaseLock(name, request);
          reject(new DOMException('given up', 'AbortError'));
        });
        this.world.requestLock(name, request, steal);
      }),
  };

  openChannel(hear: (message: unknown) => void): { send: (message: unknown) => void; close: () => void } {
    this.hear = hear;
    return {
      // A dead worker's promises still run here; in a browser they do not.
      send: (message) => this.state !== 'dead' && this.world.broadcast(this, message),
      close: () => {
        if (this.hear === hear) this.hear = null;
      },
    };
  }
}

export interface PageOptions {
  readonly startEngine?: StartEngine;
  readonly alone?: boolean;
}

/** A page and its worker: writes, and writes again what is not saved whenever an engine becomes ready. */
export class Page {
  readonly worker: FakeWorker;
  readonly tabs: Tabs;
  readonly heard: FromWorker[] = [];
  engine: (FromWorker & { readonly t: 'engine' }) | null = null;
  readies = 0;
  written = 0;
  saved = 0;
  readonly name: string;
  private setBlocked: (blocked: boolean) => void = () => undefined;
  private readonly calls = new Map<number, ToEngine>();

  constructor(world: World, name: string, { startEngine = startEcho, alone = false }: PageOptions = {}) {
    this.name = name;
    this.worker = world.worker();
    const { worker } = this;
    this.tabs = createTabs({
      namespace: 'app',
      tab: name,
      instance: name,
      time: worker.time,
      startEngine,
      post: (message) => worker.state === 'dead' || this.receive(message),
      openDisk: (setBlocked) => {
        this.setBlocked = setBlocked;
        return world.disk;
      },
      platform: alone ? null : { locks: worker.locks, openChannel: (_name, hear) => worker.openChannel(hear) },
    });
  }

  /** What the disk of this tab tells. */
  block(blocked: boolean): void {
    this.setBlocked(blocked);
  }

  write(count = 1): void {
    for (let i = 0; i < count; i++) this.sendWrite(++this.written);
  }

  call(id: number, name: 'stats' | 'erase'): void {
    const call = { t: 'call', id, name, args: {} } as const;
    this.calls.set(id, call);
    this.tabs.deliver(call);
  }

  get isReady(): boolean {
    return this.engine !== null && this.engine.state !== 'waiting';
  }

  get isSaved(): boolean {
    return this.saved === this.written;
  }

  get answered(): boolean {
    return this.calls.size === 0;
  }

  private receive(message: FromWorker): void {
    this.heard.push(structuredClone(message));
    if (message.t === 'engine') {
      this.engine = message;
      if (message.state !== 'ready') return;
      this.readies++;
      for (const call of this.calls.values()) this.tabs.deliver(call);
      for (let n = this.saved + 1; n <= this.written; n++) this.sendWrite(n);
    }
    if (message.t === 'view') this.saved = Math.max(this.saved, message.update.savedUpTo);
    if (message.t === 'reply' || message.t === 'reply-error') this.calls.delete(message.id);
  }

  private sendWrite(n: number): void {
    const prev = n > this.saved + 1 ? n - 1 : 0;
    this.tabs.deliver({ t: 'write', room: 'r', n, prev, domain: 'd', payload: new Uint8Array([n & 255]) });
  }
}
