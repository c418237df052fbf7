import { toHex, type Bytes } from '../../src/core/base/index.js';
import type { InviteCode } from '../../src/core/invite/index.js';
import type { JoinStep, ProfileData } from '../../src/bridge/index.js';
import { storedBytes, type DeviceKeys } from '../../src/ports/index.js';
import { callError } from './call-error.js';
import { profileOp, writeMeta } from './create.js';
import type { EnginePorts } from './ports.js';
import { keepJoinKey, myGrant } from './room/core.js';
import { runJoin } from './room/joiner.js';
import { loadRoom } from './room/load.js';
import { putRoom, type RoomRow } from './room/rows.js';
import type { OpenRoom, Rooms } from './rooms.js';

/** A page that waits to be let into a room. */
export interface JoinWaiter {
  /** Holds the room once it is joined. */
  readonly holder: string;
  readonly code: InviteCode;
  readonly profile: ProfileData;
  readonly onStep: (step: JoinStep, progress: number) => void;
}

/** The joins of an engine: one at a time for a room, whoever waits for it. */
export interface Joins {
  /** Resolves with the room, held. `cancel` ends this wait; the join itself ends with its last waiter. */
  readonly start: (waiter: JoinWaiter) => { readonly room: Promise<OpenRoom>; readonly cancel: () => void };
}

/** What a join needs to be the same join after a reload (X9), kept until it ends. */
interface JoinRow {
  readonly requestId: Bytes;
  readonly handle: unknown;
}

interface Running {
  readonly secret: string;
  readonly waiters: Set<JoinWaiter>;
  readonly done: Promise<void>;
  /** Its last waiter gave up: whoever comes now waits for its end and begins anew. */
  isCancelled: boolean;
  cancel: () => void;
  last: { readonly step: JoinStep; readonly progress: number } | null;
}

/** See {@link Joins}. */
export function createJoins(ports: EnginePorts, rooms: Rooms): Joins {
  const byRoom = new Map<string, Running>();

  const begin = (waiter: JoinWaiter): Running => {
    const room = toHex(waiter.code.roomId);
    const running: Running = {
      secret: toHex(waiter.code.secret),
      waiters: new Set(),
      last: null,
      isCancelled: false,
      cancel: () => undefined,
      done: Promise.resolve().then(async () => {
        try {
          const started = await startJoin(ports, rooms, { ...waiter, holder: holderOf(room), onStep: tell });
          running.cancel = started.cancel;
          if (running.isCancelled) started.cancel();
          await started.done;
        } finally {
          byRoom.delete(room);
          if (running.waiters.size === 0) await rooms.release(room, holderOf(room));
        }
      }),
    };
    const tell: JoinWaiter['onStep'] = (step, progress) => {
      running.last = { step, progress };
      for (const one of running.waiters) one.onStep(step, progress);
    };
    byRoom.set(room, running);
    return running;
  };

  const wait = async (waiter: JoinWaiter, gaveUp: Promise<never>): Promise<OpenRoom> => {
    const room = toHex(waiter.code.roomId);
    while (rooms.rowOf(room) === null) {
      const running = byRoom.get(room) ?? begin(waiter);
      const isOwn = !running.isCancelled && running.secret === toHex(waiter.code.secret);
      running.waiters.add(waiter);
      if (running.last !== null) waiter.onStep(running.last.step, running.last.progress);
      // What another link is refused says nothing of this one.
      const done = isOwn ? running.done : running.done.catch(() => undefined);
      try {
        await Promise.race([done, gaveUp]);
      } finally {
        running.waiters.delete(waiter);
        if (running.waiters.size === 0) {
          running.isCancelled = true;
          running.cancel();
        }
      }
    }
    const open = await rooms.acquire(room, waiter.holder);
    await rooms.release(room, holderOf(room));
    return open;
  };

  return {
    start: (waiter) => {
      let cancel = (): void => undefined;
      const gaveUp = new Promise<never>((_, reject) => {
        cancel = () => {
          reject(callError('aborted', 'the join was cancelled'));
        };
      });
      gaveUp.catch(() => undefined); // it may have ended before
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
 */
async function startJoin(
  ports: EnginePorts,
  rooms: Rooms,
  { code, profile, holder, onStep }: JoinWaiter,
): Promise<{ readonly done: Promise<void>; readonly cancel: () => void }> {
  const { keys, requestId, boot } = await joinKeys(ports, toHex(code.roomId));
  const row: RoomRow = {
    key: null,
    request: toHex(requestId),
    handle: keys.handle,
    boots: [toHex(boot)],
    title: '',
    undelivered: 0,
    bytes: 0,
  };
  const core = rooms.newCore({ roomId: code.roomId, keys, boot, row });
  await loadRoom(core); // a join that was interrupted has stored what came until then
  const room = rooms.adopt(core, holder, { start: 'join', isCold: ports.isCold === true });
  const running = runJoin(room.engine, { secret: code.secret, requestId, profile, onStep });
  const settle = async (): Promise<void> => {
    try {
      await running.done;
      await room.engine.act((step) => {
        for (const kid of core.state.access.kids) keepJoinKey(core, step, kid);
        const joinRow = [core.room, 'join'];
        step.ops.push(putRoom(ports.vault, core.room, core.row), { do: 'delete', table: 'state', key: joinRow });
        step.strict = true;
        step.effects.push(room.engine.net.joined);
      });
    } catch (error) {
      const isRefused = myGrant(core) === null && refusals.has(codeOf(error));
      await (isRefused ? rooms.forget(core.room) : rooms.release(core.room, holder));
      throw error;
    }
    rooms.listed(core);
    await introduce(room, profile);
  };
  return { done: settle(), cancel: running.cancel };
}

/** After these the link is of no more use to this device. */
const refusals: ReadonlySet<string> = new Set(['invite/expired', 'invite/used', 'invite/revoked', 'access/forbidden']);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
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

async function joinKeys(
  ports: EnginePorts,
  roomHex: string,
): Promise<{ keys: DeviceKeys; requestId: Bytes; boot: Bytes }> {
  const boot = ports.random.bytes(8);
  const stored = readJoinRow(await ports.store.get('state', [roomHex, 'join']));
  const known = stored && (await ports.vault.openDeviceKeys(stored.handle));
  if (stored && known) return { keys: known, requestId: stored.requestId, boot };
  const keys = await ports.vault.createDeviceKeys();
  const requestId = ports.random.bytes(16);
  const value: JoinRow = { requestId, handle: keys.handle };
  await ports.store.commit([{ do: 'put', table: 'state', key: [roomHex, 'join'], value }], { strict: true });
  return { keys, requestId, boot };
}

function readJoinRow(value: unknown): JoinRow | null {
  if (typeof value !== 'object' || value === null || !('requestId' in value) || !('handle' in value)) return null;
  const requestId = storedBytes(value.requestId);
  return requestId?.length === 16 ? { requestId, handle: value.handle } : null;
}
