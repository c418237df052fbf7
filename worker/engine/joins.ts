import { toHex, type Bytes } from '../../src/core/base/index.js';
import type { InviteCode } from '../../src/core/invite/index.js';
import type { JoinStep, ProfileData } from '../../src/bridge/index.js';
import { storedBytes, type DeviceKeys, type StoreKey, type StoreOp } from '../../src/ports/index.js';
import { CallError, givenUp } from './call-error.js';
import { profileOp, writeMeta } from './create.js';
import type { EnginePorts } from './ports.js';
import { keepJoinKey, myGrant } from './room/core.js';
import { runJoin } from './room/joiner.js';
import { loadRoom } from './room/load.js';
import { newRow, putRoom } from './room/rows.js';
import type { OpenRoom, Rooms } from './rooms.js';

/** A page that waits to be let into a room. */
export interface JoinWaiter {
  /** Holds the room once it is joined. */
  readonly holder: string;
  /** Whether it does no longer. */
  readonly isOver: () => boolean;
  readonly code: InviteCode;
  readonly profile: ProfileData;
  readonly onStep: (step: JoinStep, progress: number) => void;
}

/** The joins of an engine: one at a time for a room, whoever waits for it. */
export interface Joins {
  /**
   * Resolves with the room, held. `cancel` ends this wait; the join itself ends with its last waiter. Then what it has
   * fetched is deleted, unless the waiter `isGone`: who has reloaded its page goes on from there.
   */
  readonly start: (waiter: JoinWaiter) => {
    readonly room: Promise<OpenRoom>;
    readonly cancel: (o: GivingUp) => void;
  };
}

/** What a join needs to be the same join after a reload (X9), kept until it ends. */
interface JoinRow {
  readonly requestId: Bytes;
  readonly handle: unknown;
}

/** Why nobody waits any more. */
interface GivingUp {
  readonly isGone: boolean;
}

interface Running {
  readonly secret: string;
  readonly waiters: Set<JoinWaiter>;
  readonly done: Promise<void>;
  /** Null: somebody waits for it. Else whoever comes now waits for its end and begins anew. */
  over: GivingUp | null;
  cancel: () => void;
  last: { readonly step: JoinStep; readonly progress: number };
}

/** See {@link Joins}. */
export function createJoins(ports: EnginePorts, rooms: Rooms): Joins {
  const byRoom = new Map<string, Running>();

  const begin = (waiter: JoinWaiter): Running => {
    const room = toHex(waiter.code.roomId);
    const running: Running = {
      secret: toHex(waiter.code.secret),
      waiters: new Set(),
      last: { step: 'connecting', progress: 0 },
      over: null,
      cancel: () => undefined,
      done: Promise.resolve().then(async () => {
        try {
          await runOne(ports, rooms, { ...waiter, holder: holderOf(room), onStep: tell }, running);
        } finally {
          byRoom.delete(room);
          if (running.waiters.size === 0) await rooms.release(room, holderOf(room));
        }
      }),
    };
    const tell: JoinWaiter['onStep'] = (step, progress) => {
      if (running.last.step === step && running.last.progress === progress) return;
      running.last = { step, progress };
      for (const one of running.waiters) one.onStep(step, progress);
    };
    byRoom.set(room, running);
    return running;
  };

  const wait = async (waiter: JoinWaiter, gaveUp: Promise<GivingUp>): Promise<OpenRoom> => {
    const room = toHex(waiter.code.roomId);
    while (rooms.rowOf(room) === null) {
      const running = byRoom.get(room) ?? begin(waiter);
      const isOwn = running.over === null && running.secret === toHex(waiter.code.secret);
      running.waiters.add(waiter);
      waiter.onStep(running.last.step, running.last.progress);
      // What another link is refused says nothing of this one.
      const ended = running.done.then(() => null);
      const done = isOwn ? ended : ended.catch(() => null);
      const over = await Promise.race([done, gaveUp]).finally(() => running.waiters.delete(waiter));
      if (over === null) continue;
      if (running.waiters.size === 0) {
        running.over ??= over;
        running.cancel();
      }
      throw givenUp();
    }
    const open = await rooms.acquire(room, waiter.holder, waiter.isOver);
    await rooms.release(room, holderOf(room));
    return open;
  };

  return {
    start: (waiter) => {
      let cancel: (o: GivingUp) => void = () => undefined;
      const gaveUp = new Promise<GivingUp>((resolve) => {
        cancel = resolve;
      });
      return { room: wait(waiter, gaveUp), cancel };
    },
  };
}

function holderOf(room: string): string {
  return `join/${room}`;
}

/**
 * Joins, lists the room and introduces its new member. Until control shows a grant, a refusal forgets everything; from
 * an admitter that may have granted, nothing is: the same link asks again with the same keys and gets the same answer.
 * Who gives up keeps of all that was fetched nothing but the request, once it was sent.
 */
async function runOne(ports: EnginePorts, rooms: Rooms, waiter: JoinWaiter, running: Running): Promise<void> {
  const { code, profile, holder, onStep } = waiter;
  const { keys, request, isKnown } = await requestOf(ports, toHex(code.roomId));
  const { requestId, handle } = request;
  const boot = ports.random.bytes(8);
  const row = newRow({ key: null, request: toHex(requestId), handle, title: '', boot });
  const core = rooms.newCore({ roomId: code.roomId, keys, boot, row });
  let room: OpenRoom;
  try {
    // A join that was interrupted has stored what came until then.
    await loadRoom(core, { isOver: () => running.over !== null });
    room = rooms.adopt(core, holder, { start: 'join', isCold: ports.isCold === true });
    const join = runJoin(room.engine, { secret: code.secret, requestId, profile, onStep });
    running.cancel = join.cancel;
    if (running.over !== null) join.cancel();
    await join.done;
    await settleJoin(room, ports);
  } catch (error) {
    const isRefused = running.over === null && error instanceof CallError && myGrant(core) === null;
    const hasAsked = isKnown || running.last.step !== 'connecting';
    const left = isRefused || !hasAsked ? [] : [putJoin(core.room, request)];
    await (isRefused || running.over?.isGone === false
      ? rooms.forget(core.room, left)
      : rooms.release(core.room, holder));
    throw error;
  }
  rooms.listed(core);
  await introduce(room, profile);
}

/** The room's row in place of the request's. */
function settleJoin({ engine }: OpenRoom, ports: EnginePorts): Promise<void> {
  const { core, net } = engine;
  return engine.act((step) => {
    for (const kid of core.state.access.kids.keys()) keepJoinKey(core, step, kid);
    const key = joinKey(core.room);
    step.ops.push(putRoom(ports.vault, core.room, core.row), { do: 'delete', table: 'state', key });
    step.strict = true;
    step.effects.push(net.joined);
  });
}

/** The profile of a new member; when it cannot be signed yet, the page offers it again. */
async function introduce(room: OpenRoom, profile: ProfileData): Promise<void> {
  const { core, actSigning, net } = room.engine;
  await actSigning(async (step) => {
    const units = await writeMeta(core, step, [profileOp(core, profile)]);
    step.effects.push(() => {
      net.sendUnits(units);
    });
  });
}

/** What it was asked with before, or is asked with from now on. */
async function requestOf(
  { store, vault, random }: EnginePorts,
  room: string,
): Promise<{ keys: DeviceKeys; request: JoinRow; isKnown: boolean }> {
  const stored = readJoinRow(await store.get('state', joinKey(room)));
  const known = stored && (await vault.openDeviceKeys(stored.handle));
  if (stored && known) return { keys: known, request: stored, isKnown: true };
  const keys = await vault.createDeviceKeys();
  const request = { requestId: random.bytes(16), handle: keys.handle };
  await store.commit([putJoin(room, request)], { strict: true });
  return { keys, request, isKnown: false };
}

/** Rooms (hex) that somebody has begun to join, whether or not that goes on. */
export async function begunJoins({ store }: Pick<EnginePorts, 'store'>): Promise<string[]> {
  const keys = await store.keys('state', []);
  return keys.flatMap(([room, what]) => (what === 'join' ? [String(room)] : []));
}

function joinKey(room: string): StoreKey {
  return [room, 'join'];
}

function putJoin(room: string, value: JoinRow): StoreOp {
  return { do: 'put', table: 'state', key: joinKey(room), value };
}

function readJoinRow(value: unknown): JoinRow | null {
  if (typeof value !== 'object' || value === null || !('requestId' in value) || !('handle' in value)) return null;
  const requestId = storedBytes(value.requestId);
  return requestId?.length === 16 ? { requestId, handle: value.handle } : null;
}
