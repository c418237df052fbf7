import { fail } from '../../../src/core/base/index.js';
import type { RoomInfo } from '../../../src/bridge/index.js';
import { StoreError } from '../../../src/ports/index.js';
import { CallError } from '../call-error.js';
import type { Unit } from '../replica/index.js';
import { createCompactor } from './compact.js';
import { commitRows, createTurns, pause, type RoomCore } from './core.js';
import { roomInfo } from './info.js';
import { draftCount } from './drafts/queue.js';
import { hasReadyDrafts, signDrafts, signingProgress } from './drafts/sign.js';
import { canAct, canSign, takeWrites, type LocalWrite, type Signed, type WriteOutcome } from './local.js';
import { loadRoom } from './load.js';
import { createNet, type NetOptions, type RoomNet } from './net.js';
import { createSnapshots } from './snapshot/keep.js';
import { createStepLoop, failureOf, type Job, type Step } from './step.js';
import { createViews, rejectionOf, type Views } from './views.js';

/** What a room tells its engine. */
export interface RoomHost {
  /** The store failed: 'fenced' and 'closed' end the engine, the others are shown and tried again. */
  readonly storeFailed: (failure: 'full' | 'broken' | 'fenced' | 'closed') => void;
  /** A commit went through. */
  readonly committed: () => void;
  /** Title or undelivered count may have changed: what is stored of them goes with the step. */
  readonly summarize: (step: Step) => void;
  /** Codes of the invites made on this device, by invite entry (hex). */
  readonly codes: () => ReadonlyMap<string, string>;
}

/** One open room of an engine: its state, its pages, its networks. */
export interface RoomEngine {
  readonly core: RoomCore;
  readonly views: Views;
  readonly net: RoomNet;
  /** Takes a page's transaction; the outcome reaches the page with the next view message. */
  readonly write: (write: LocalWrite) => void;
  /** Runs a job in the room's turn; resolves with its result once that is stored. */
  readonly act: <T>(run: (step: Step) => Promise<T> | T) => Promise<T>;
  /** Resolves when this device may sign; rejects when the room stops. */
  readonly whenSigning: () => Promise<void>;
  /** As {@link act}, in a turn in which control and meta may be signed, however long that takes to come. */
  readonly actSigning: <T>(run: (step: Step) => Promise<T> | T) => Promise<T>;
  /** Runs once what the room holds in memory is stored: what it tells then cannot be lost (F10). Rejects when it never will be. */
  readonly whenStored: (run: () => void) => Promise<void>;
  readonly info: () => RoomInfo;
  readonly stop: () => Promise<void>;
}

/** How long a refused commit waits before it is tried again, at first and at most. */
const retryFirstMs = 500;
const retryMaxMs = 30_000;
/** Between two attempts to read the room anew, and after one that succeeded. */
const reloadWaitMaxMs = 2_000;

/** A room whose state is loaded already. */
export function createRoomEngine(core: RoomCore, host: RoomHost, options: NetOptions): RoomEngine {
  let pending: LocalWrite[] = [];
  let retryMs = retryFirstMs;
  let cancelRetry: (() => void) | null = null;
  let cancelReload: (() => void) | null = null;
  let quietUntilMs = 0;
  let waiters: { resolve: () => void; reject: (error: Error) => void }[] = [];
  let stopped = false;
  let signedIn: Step | null = null;

  const info = (): RoomInfo => {
    const said = { ...net.info(), codes: host.codes() };
    const signing = said.network === 'up-to-date' ? signingProgress(core, net.isCleared()) : null;
    return roomInfo(core, signing === null ? said : { ...said, network: 'syncing', progress: signing });
  };
  const views = createViews(core, info);
  const snapshots = createSnapshots(core);

  const drain: Job = async (step) => {
    const writes = pending;
    pending = [];
    if (writes.length === 0) return;
    step.failures.push(() => (pending = [...writes, ...pending]));
    const { outcomes, signed } = await take(step, writes);
    for (const [i, write] of writes.entries()) report(write, outcomes[i]);
    finish(step, signed);
  };
  const take = async (step: Step, writes: readonly LocalWrite[]): ReturnType<typeof takeWrites> => {
    try {
      await signWaiting(step); // what was written before comes before
      return await takeWrites(core, step, { writes, isCleared: net.isCleared() });
    } catch (error) {
      complain(error);
      throw new StoreError('broken', 'what was written could not be taken', { cause: error });
    }
  };
  const signWaiting = async (step: Step): Promise<void> => {
    if (signedIn === step || draftCount(core) === 0 || !canSign(core, net.isCleared())) return;
    signedIn = step; // once in a turn: others wait for its end
    finish(step, await signDrafts(core, step));
  };
  /** What was signed goes out when it is stored; what can have no effect is undone and told to its author. */
  const finish = (step: Step, { units, dropped, mustReload }: Signed): void => {
    sendAfter(step, units);
    if (!mustReload) return;
    core.state.isStale = true;
    step.effects.push(() => {
      for (const { payload, fault } of dropped) views.reject('', rejectionOf(0, fault, payload));
      core.loop.alone(reload);
    });
  };
  const report = (write: LocalWrite, outcome: WriteOutcome | undefined): void => {
    if (outcome?.outcome === 'refused') views.reject(write.tab, rejectionOf(write.n, outcome.fault, write.payload));
    if (outcome?.outcome === 'taken') views.track(write.tab, write.n, outcome.ref);
  };
  const sendAfter = (step: Step, units: readonly Unit[]): void => {
    if (units.length > 0)
      step.effects.push(() => {
        net.sendUnits(units);
      });
  };

  const complain = (error: unknown): void => {
    if (!(error instanceof StoreError)) core.ports.report?.(error);
  };
  core.loop = createStepLoop({
    report: complain,
    store: { commit: (ops, o) => commitRows(core, ops, o) },
    turns: () => createTurns(core),
    beforeCommit: (step) => {
      if (step.infoChanged) host.summarize(step);
    },
    committed: (step) => {
      retryMs = retryFirstMs;
      views.flush(step.changed, step.infoChanged ? info() : null);
      host.committed();
      if (step.ops.some(({ table }) => table === 'packs' || table === 'drafts')) compactor.look();
      snapshots.committed();
      if (canAct(core, net.isCleared())) release();
      if (canSign(core, net.isCleared()) && hasReadyDrafts(core)) core.loop.enqueue(signWaiting);
    },
    failed: async (error) => {
      core.state.isStale = true;
      complain(error);
      if (error instanceof StoreError) {
        host.storeFailed(error.failure);
        if (error.failure === 'fenced' || error.failure === 'closed') return;
      }
      // What is in memory is ahead of the disk: nothing else runs before it is read anew.
      for (let waitMs = retryFirstMs; !stopped && !(await reloaded()); waitMs = Math.min(reloadWaitMaxMs, waitMs * 2))
        await pause(core, waitMs);
      cancelRetry?.();
      cancelRetry = core.ports.time.after(retryMs, () => {
        core.loop.enqueue(drain);
      });
      retryMs = Math.min(retryMaxMs, retryMs * 2);
    },
  });
  const shown = new Set(core.fallenOwn.keys());
  /** What an own fork has taken: no text is ever lost to its author. */
  const showFallen = (): void => {
    for (const [id, payload] of core.fallenOwn) {
      if (shown.has(id)) continue;
      shown.add(id);
      views.reject('', rejectionOf(0, fail('entry/fork', 'signed twice').fault, payload));
    }
  };
  const reloaded = async (): Promise<boolean> => {
    try {
      await loadRoom(core);
      showFallen();
      views.flush('all', info());
      return true;
    } catch (error) {
      complain(error);
      host.storeFailed(failureOf(error));
      return false;
    }
  };
  /** Others decide how often this is asked for, and in a large room it takes long: half of the time is for the rest. */
  const reload = async (): Promise<void> => {
    const startMs = core.ports.time.now();
    const waitMs = Math.min(quietUntilMs - startMs, reloadWaitMaxMs);
    if (waitMs > 0) {
      cancelReload ??= core.ports.time.after(waitMs, () => {
        cancelReload = null;
        core.loop.alone(reload);
      });
      return;
    }
    await reloaded();
    const endMs = core.ports.time.now();
    quietUntilMs = endMs + Math.min(endMs - startMs, reloadWaitMaxMs);
  };
  const release = (): void => {
    const released = waiters;
    waiters = [];
    for (const waiter of released) waiter.resolve();
  };
  const net: RoomNet = createNet(
    core,
    {
      infoChanged: () => {
        core.loop.enqueue((step) => {
          step.infoChanged = true;
        });
      },
      reload,
      sendAfter,
      rejectedOwn: (fault, payload) => {
        views.reject('', rejectionOf(0, fault, payload));
      },
      cleared: () => {
        core.loop.enqueue(async (step) => {
          if (!canSign(core, net.isCleared())) return;
          step.infoChanged = true;
          await signWaiting(step);
        });
      },
    },
    options,
  );
  const compactor = createCompactor(core, net);

  const act = <T>(run: (step: Step) => Promise<T> | T): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (stopped) {
        reject(new Error('the room is closed'));
        return;
      }
      core.loop.enqueue(async (step) => {
        step.failures.push(reject);
        try {
          const value = await run(step);
          step.effects.push(() => {
            resolve(value);
          });
        } catch (error) {
          if (!(error instanceof CallError)) throw error;
          reject(error); // refused before it changed anything: the step goes on without it
        }
      });
    });

  const whenSigning = (): Promise<void> =>
    new Promise((resolve, reject) => {
      if (stopped) reject(new Error('the room is closed'));
      else if (canAct(core, net.isCleared())) resolve();
      else waiters.push({ resolve, reject });
    });
  const actSigning = async <T>(run: (step: Step) => Promise<T> | T): Promise<T> => {
    for (;;) {
      await whenSigning();
      // What was in the queue before may have taken the epoch away that it was to be written under.
      const done = await act(async (step) => (canAct(core, net.isCleared()) ? { value: await run(step) } : null));
      if (done !== null) return done.value;
    }
  };

  return {
    core,
    views,
    net,
    act,
    actSigning,
    whenSigning,
    info,
    write: (write) => {
      pending.push(write);
      if (pending.length === 1) core.loop.enqueue(drain);
    },
    whenStored: (run) =>
      new Promise((resolve, reject) => {
        const go = (): void => {
          run();
          resolve();
        };
        core.loop.enqueue((step) => {
          step.effects.push(go);
          // After a failed commit the state has been read anew, except in an engine that ends.
          step.failures.push((error) => {
            const failure = failureOf(error);
            if (stopped || failure === 'fenced' || failure === 'closed') reject(new Error('the room is closed'));
            else go();
          });
        });
      }),
    stop: async () => {
      if (stopped) return;
      stopped = true;
      net.stop();
      compactor.stop();
      cancelRetry?.();
      cancelReload?.();
      await core.loop.idle();
      await core.loop.stop();
      views.stop();
      await snapshots.stop();
      for (const waiter of waiters) waiter.reject(new Error('the room is closed'));
    },
  };
}
