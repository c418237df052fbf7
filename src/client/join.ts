import type { JoinStep, ProfileData } from '../bridge/index.js';
import { briefHex } from '../core/base/index.js';
import type { Schema, Scope } from '../view/index.js';
import { createScheduler, createScope, createSignal, isKeeproomError, modelOf, onAbort } from '../view/index.js';
import { randomBytes } from './check.js';
import { invitedRoom } from './invite.js';
import type { Lending } from './lending.js';
import type { EngineLink } from './link.js';
import type { Join, JoinState, Room, RoomOptions } from './types.js';

/** Hears how far a join got. */
export type JoinHearing = (message: { readonly step: JoinStep; readonly progress: number }) => void;

/** What a join stands on. */
export interface JoinParts {
  readonly link: EngineLink;
  readonly lending: Lending;
  /** Joins under way, by id. */
  readonly joins: Map<string, JoinHearing>;
  readonly profile: ProfileData;
  readonly open: <S extends Schema>(
    o: RoomOptions<S>,
    opened: Promise<{ readonly room: string } | null>,
  ) => Promise<Room<S> | null>;
  readonly scope: Scope;
}

/** Asks to be let in. The engine goes on asking through reloads of the host and changes of leader, until it is over. */
export function createJoin<S extends Schema>(from: string, options: RoomOptions<S>, parts: JoinParts): Join<S> {
  const id = briefHex(randomBytes(16));
  const scheduler = createScheduler();
  const changed = scheduler.createEmitter();
  const canceller = new AbortController();
  const { signal } = canceller;
  const cancel = (): void => canceller.abort(options.signal?.reason);
  let state: JoinState = Object.freeze({ step: 'connecting', progress: 0, error: null });
  const set = (next: Partial<JoinState>): void => {
    state = Object.freeze({ ...state, ...next });
    scheduler.batch(changed.emit);
  };
  const run = async (): Promise<Room<S>> => {
    const forgetSignal = onAbort(options.signal, cancel);
    // Another engine begins anew; what was shown stays.
    parts.joins.set(id, ({ step, progress }) => set({ step, progress: Math.max(state.progress, progress) }));
    // The engine needs the networks to ask for the room; the handle adds them again.
    const room = signal.aborted ? null : invitedRoom(from);
    const detach = room === null ? [] : (options.transports ?? []).map((one) => parts.lending.attach(room, one));
    try {
      const { declaration } = modelOf(options.schema);
      const args = { join: id, link: from, declaration, profile: parts.profile };
      const joined = await parts.open(
        { ...options, signal },
        parts.link.call('join', args, { signal, scope: parts.scope }),
      );
      // The engine answers a join with a room, or not at all.
      set({ step: 'joined', progress: 1 });
      return joined!;
    } catch (error) {
      set({ step: 'failed', error: isKeeproomError(error) ? error : null });
      throw error;
    } finally {
      parts.joins.delete(id);
      for (const end of detach) end();
      forgetSignal();
    }
  };
  const room = run();
  // Who only looks at `state` has not ignored anything.
  room.catch(() => undefined);
  return Object.freeze({
    room,
    cancel,
    state: createSignal({ get: () => state, watch: changed.watch }, createScope()),
  });
}
