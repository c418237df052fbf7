/** A simulated device: a disk that survives, and engine lives on it that may end at any call of a port. */
import { copyBytes, equalBytes, readU48, toHex, type Bytes } from '../../src/core/base/index.js';
import { labels } from '../../src/core/crypto/index.js';
import type { Store } from '../../src/ports/index.js';
import { createEngine, type EnginePorts, type ServedEngine, type Weakness } from '../engine/index.js';
import { createMemoryDisk, type MemoryDisk } from '../storage/index.js';
import { createReferenceVault } from '../vault/reference.js';
import { createNodeVault, nodeDeflate, type PureMemo } from './platform.kit.js';
import type { Chance } from './random.js';
import type { Timeline } from './timeline.js';

/** What devices of one world share: time, verdicts that are the same for all, and where mistakes are reported. */
export interface DeviceWorld {
  readonly timeline: Timeline;
  /** Milliseconds since 1970, before a device's own error. */
  readonly wallMs: () => number;
  readonly memo: PureMemo;
  readonly failed: (error: unknown) => void;
  readonly log: (text: string) => void;
  readonly weaknesses: ReadonlySet<Weakness>;
  /** Others have their turn after each job of a step, which otherwise takes no time here. */
  readonly isPausing: boolean;
}

export interface DeviceOptions {
  readonly name: string;
  readonly chance: Chance;
  /** How wrong its clock is. */
  readonly skewMs: number;
  /** Longest wait for one step of the disk; 0: at once. */
  readonly diskMs: number;
  /** Checks signatures by the reference instead of the platform. */
  readonly isReference: boolean;
}

/** One engine from its start to its end. */
export interface Life {
  readonly number: number;
  readonly isAlive: () => boolean;
  /** Null until it has started. */
  readonly engine: () => ServedEngine | null;
  /** Another engine has taken over the store. */
  readonly isFenced: () => boolean;
  /** Ends it at once: it hears, says and writes nothing any more. What its disk was asked for may still land. */
  readonly kill: () => void;
  /** Ends it by `then` at its n-th call of a port from now, before or after the call's effect. */
  readonly killAtCall: (n: number, then: () => void) => void;
  /** Ends it by `then` right after its next commit has landed, before it has heard of that. */
  readonly killAfterCommit: (then: () => void) => void;
}

/** One head certificate. */
export interface Signing {
  readonly atMs: number;
  readonly domain: string;
  readonly seq: number;
}

export interface Device {
  readonly name: string;
  readonly chance: Chance;
  readonly dataKey: Bytes;
  /** Its own clock, wrong as it is, in milliseconds since 1970. */
  readonly nowMs: () => number;
  disk: () => MemoryDisk;
  /** Goes on with another disk: a restored backup. */
  readonly useDisk: (disk: MemoryDisk) => void;
  /** What the disk of this device is made with, also for copies. */
  readonly pace: () => Promise<void>;
  readonly start: (ready: (life: Life, engine: ServedEngine) => void) => Life;
  readonly lives: () => readonly Life[];
  /** Every head it was asked to sign for, oldest first. */
  readonly signed: Signing[];
  /** Ports of this device without an engine, for a client of one's own. */
  readonly borrow: () => Promise<EnginePorts>;
}

export function createDevice(world: DeviceWorld, o: DeviceOptions): Device {
  const { chance } = o;
  const dataKey = chance.fork('data-key').bytes(32);
  const disks = chance.fork('disk');
  const pace = (): Promise<void> =>
    o.diskMs === 0
      ? Promise.resolve()
      : new Promise((resolve) => void world.timeline.after(disks.next() * o.diskMs, resolve));
  let disk = createMemoryDisk({ pace });
  const lives: Life[] = [];
  const device: Device = {
    name: o.name,
    chance,
    dataKey,
    nowMs: () => Math.floor(world.wallMs() + o.skewMs),
    disk: () => disk,
    useDisk: (other) => {
      disk = other;
    },
    pace,
    start: (ready) => {
      const life = startLife({ world, o, device, number: lives.length }, ready);
      lives.push(life);
      return life;
    },
    lives: () => lives,
    signed: [],
    borrow: async () => {
      const generation = await device.disk().raiseGeneration();
      const own = chance.fork('borrowed');
      const birth = { world, o, device, number: lives.length };
      return portsOf(birth, { chance: own, guard: (work) => work(), isAlive: () => true, generation });
    },
  };
  return device;
}

interface Birth {
  readonly world: DeviceWorld;
  readonly o: DeviceOptions;
  readonly device: Device;
  readonly number: number;
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

function startLife(birth: Birth, ready: (life: Life, engine: ServedEngine) => void): Life {
  const { world, device, number } = birth;
  const chance = device.chance.fork(`life ${String(number)}`);
  let alive = true;
  let fenced = false;
  let engine: ServedEngine | null = null;
  let fuse: { calls: number; then: () => void; isAtCommit?: boolean } | null = null;
  const mayDie = (hasCommitted: boolean): void => {
    if (fuse === null || (fuse.isAtCommit === true ? !hasCommitted : --fuse.calls > 0)) return;
    const { then } = fuse;
    fuse = null;
    then();
  };
  /** A call of a port is where an engine waits: there it can die, before or after the call has done its work. */
  const guard: Guard = async <T>(work: () => Promise<T>, isCommit = false): Promise<T> => {
    mayDie(false);
    if (!life.isAlive()) return never();
    try {
      const value = await work();
      mayDie(isCommit);
      return life.isAlive() ? value : await never<T>();
    } catch (error) {
      if (!life.isAlive()) return never();
      throw error;
    }
  };
  const life: Life = {
    number,
    isAlive: () => alive,
    engine: () => (alive ? engine : null),
    isFenced: () => fenced,
    kill: () => {
      alive = false;
      engine = null;
    },
    killAtCall: (n, then) => {
      fuse = { calls: Math.max(1, n), then };
    },
    killAfterCommit: (then) => {
      fuse = { calls: 0, then, isAtCommit: true };
    },
  };
  const open = async (): Promise<void> => {
    // With the fence switched off every engine writes under the first generation, and none is ever replaced.
    const isUnfenced = world.weaknesses.has('fence') && number > 0;
    const generation = isUnfenced ? 1 : await guard(() => device.disk().raiseGeneration());
    const ports = portsOf(birth, { chance, guard, isAlive: life.isAlive, generation });
    const made = await createEngine(ports, {
      lost: (failure) => {
        world.log(`${device.name} life ${String(number)} lost its store: ${failure}`);
        fenced = true;
      },
    });
    if (!alive) return;
    engine = made;
    ready(life, made);
  };
  open().catch((error: unknown) => {
    if (alive) world.failed(error);
  });
  return life;
}

type Guard = <T>(work: () => Promise<T>, isCommit?: boolean) => Promise<T>;

interface LifePorts {
  readonly chance: Chance;
  readonly guard: Guard;
  readonly isAlive: () => boolean;
  readonly generation: number;
}

function portsOf({ world, o, device }: Birth, life: LifePorts): EnginePorts {
  const { guard, isAlive } = life;
  const random = { bytes: life.chance.fork('random').bytes };
  const vault = o.isReference
    ? createReferenceVault({ dataKey: device.dataKey, random, memo: world.memo.verdicts })
    : createNodeVault({ dataKey: device.dataKey, random, memo: world.memo });
  const store = device.disk().open(life.generation);
  return {
    store: guardStore(store, guard),
    vault: {
      ...vault,
      createDeviceKeys: () => guard(() => vault.createDeviceKeys()),
      openDeviceKeys: (handle) => guard(() => vault.openDeviceKeys(handle)),
      sign: (keys, message) => {
        const head = readHead(message);
        if (head !== null) device.signed.push({ atMs: world.timeline.now(), ...head });
        return guard(() => vault.sign(keys, copyBytes(message)));
      },
      agree: (keys, peer) => guard(() => vault.agree(keys, copyBytes(peer))),
      signerOfSeed: (seed) => guard(() => vault.signerOfSeed(seed)),
      verify: (jobs) => guard(() => vault.verify(jobs)),
    },
    time: {
      now: device.nowMs,
      after: (delayMs, run) =>
        world.timeline.after(delayMs, () => {
          if (isAlive()) run();
        }),
    },
    random,
    deflate: {
      deflate: (bytes) => guard(() => nodeDeflate.deflate(bytes)),
      inflate: (bytes, maxBytes) => guard(() => nodeDeflate.inflate(bytes, maxBytes)),
    },
    generation: life.generation,
    durability: 'durable',
    // Its rooms are small: two packs are enough.
    fanIn: 2,
    weaknesses: world.weaknesses,
    // So eagerly that most lives write several and begin with one.
    snapshots: { minChanges: 1, waitMs: 900 },
    ...(world.isPausing && { turnMs: 0 }),
    report: world.failed,
  };
}

/** What a head message names: label ‖ room ‖ domain ‖ 0 u16 ‖ seq u48 ‖ id. */
function readHead(message: Bytes): Pick<Signing, 'domain' | 'seq'> | null {
  const at = labels.head.length + 32;
  if (!equalBytes(message.subarray(0, labels.head.length), labels.head)) return null;
  return { domain: toHex(message.subarray(at, at + 32)), seq: readU48(message, at + 34) };
}

function guardStore(store: Store, guard: LifePorts['guard']): Store {
  return {
    commit: (ops, options) => guard(() => store.commit(ops, options), true),
    get: (table, key) => guard(() => store.get(table, key)),
    list: (table, prefix, from) => guard(() => store.list(table, prefix, from)),
    keys: (table, prefix) => guard(() => store.keys(table, prefix)),
    close: () => guard(() => store.close()),
  };
}
