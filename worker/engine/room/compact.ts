import { StoreError } from '../../../src/ports/index.js';
import { mergeOnce, type CompactMemory } from './compact-merge.js';
import type { RoomCore } from './core.js';
import { mergeDrafts } from './drafts/merge.js';
import { failureOf } from './step.js';

/** A pause after something was stored, */
const restMs = 1_000;
/** between two packs that are written anew, */
const gapMs = 20;
/** and after the store refused one. */
const refusedMs = 30_000;
/** Transfers are waited for so often: who asks without end must not make a disk grow without end. */
const maxWaits = 60;

/** Rewrites many small packs, and rows of drafts, into few large ones while nothing else is to be done. */
export interface Compactor {
  /** Something was stored: there may be something to do after a while. */
  readonly look: () => void;
  /** Nothing is begun after this, and what is under way is not committed unless it is about to be. */
  readonly stop: () => void;
}

/** Idle means: the step loop rests and nothing is transferred. One pack is made at a time, with pauses. */
export function createCompactor(core: RoomCore, host: { readonly isTransferring: () => boolean }): Compactor {
  const { time } = core.ports;
  let cancel: (() => void) | null = null;
  let isRunning = false;
  let stopped = false;
  let waits = 0;
  const memory: CompactMemory = { settled: null, ends: new WeakSet(), isOver: () => stopped };
  const look = (ms: number): void => {
    if (stopped) return;
    cancel ??= time.after(ms, () => {
      cancel = null;
      void turn();
    });
  };
  const turn = async (): Promise<void> => {
    const isBusy = isRunning || !core.loop.isResting() || (host.isTransferring() && waits++ < maxWaits);
    if (isBusy) return look(restMs);
    [isRunning, waits] = [true, 0];
    try {
      if ((await mergeDrafts(core)) || (await mergeOnce(core, memory))) look(gapMs);
    } catch (error) {
      const failure = failureOf(error);
      if (!(error instanceof StoreError)) core.ports.report?.(error);
      else if (failure !== 'fenced' && failure !== 'closed') look(refusedMs);
    }
    isRunning = false;
  };
  look(restMs);
  return {
    look: () => {
      look(restMs);
    },
    stop: () => {
      stopped = true;
      cancel?.();
    },
  };
}
