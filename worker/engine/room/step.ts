import type { ChangedRecords } from '../../../src/core/record/index.js';
import { StoreError, type Store, type StoreOp } from '../../../src/ports/index.js';

/** One turn of a room: what it will store, what changed, and what happens once that is stored. */
export interface Step {
  readonly ops: StoreOp[];
  /** Records that look different after this step. */
  readonly changed: ChangedRecords;
  /** Run after the commit, in order: nothing is sent or acknowledged before it is stored (F10). */
  readonly effects: (() => void)[];
  /** Run instead of the effects when the commit fails. */
  readonly failures: ((error: unknown) => void)[];
  /** Whether this commit must reach the disk (boot, keys, grants, migration). */
  strict: boolean;
  /** Whether members, invites, status or schema look different. */
  infoChanged: boolean;
}

/** What a job does in its turn; it may wait for crypto and for old packs (hydrate.ts), never for a commit or the network. */
export type Job = (step: Step) => Promise<void> | void;

export interface StepLoop {
  /** Jobs run in order. All that are queued when a turn begins share its commit (group commit without a timer, F20). */
  readonly enqueue: (job: Job) => void;
  /** Runs when what has been done so far is stored: with the present turn's commit, or now when there is none. Not after a failed one. */
  readonly afterCommit: (run: () => void) => void;
  /**
   * Runs between two turns, with nothing uncommitted and no other job beside it: for what replaces the state, or where it
   * lies. Asked for again before it ran, it runs once.
   */
  readonly alone: (job: () => Promise<void>) => void;
  readonly queued: () => number;
  /** Whether what is in memory is on the disk: no turn runs, or none of its jobs so far has anything to store. */
  readonly isStored: () => boolean;
  /** Nothing is queued and no turn runs: what is in memory is on the disk. */
  readonly isResting: () => boolean;
  /** Resolves when everything queued so far is committed or failed. */
  readonly idle: () => Promise<void>;
  /** No turn begins after this; the current one ends. */
  readonly stop: () => Promise<void>;
}

export interface StepHost {
  /** Something of ours threw where nothing may: it is told and the room goes on. */
  readonly report: (error: unknown) => void;
  readonly store: Pick<Store, 'commit'>;
  /** Made anew for each turn, called between its jobs. */
  readonly turns?: () => () => Promise<void> | undefined;
  /** All jobs of a step have run: what follows from them goes into the same commit. */
  readonly beforeCommit?: (step: Step) => void;
  /** After a successful commit, before the effects. */
  readonly committed: (step: Step) => void;
  /** The store refused, or a job threw: nothing of the step is stored, the state in memory is ahead of the disk. */
  readonly failed: (error: unknown) => Promise<void>;
}

/** Most jobs that share one commit: keeps a turn short, so that a control call waits for one at most. */
const maxJobsPerStep = 64;

export function createStepLoop(host: StepHost): StepLoop {
  let queue: Job[] = [];
  let running: Promise<void> | null = null;
  let stopped = false;
  let present: Step | null = null;
  const lonely = new Set<() => Promise<void>>();
  const turn = async (): Promise<void> => {
    while (queue.length + lonely.size > 0 && !stopped) {
      for (const first of lonely) {
        lonely.delete(first);
        await first().catch(host.report);
      }
      const jobs = queue.slice(0, maxJobsPerStep);
      queue = queue.slice(maxJobsPerStep);
      present = emptyStep();
      const left = await runStep(host, jobs, present);
      present = null;
      queue = [...left, ...queue];
    }
    running = null;
  };
  const wake = (): void => {
    running ??= Promise.resolve().then(turn);
  };
  return {
    enqueue: (job) => {
      if (stopped) return;
      queue.push(job);
      wake();
    },
    alone: (job) => {
      if (stopped) return;
      lonely.add(job);
      wake();
    },
    afterCommit: (run) => {
      if (present === null) run();
      else present.effects.push(run);
    },
    queued: () => queue.length,
    isStored: () => present === null || present.ops.length === 0,
    isResting: () => running === null,
    idle: async () => {
      while (running !== null) await running;
    },
    stop: async () => {
      stopped = true;
      queue = [];
      await running;
    },
  };
}

function emptyStep(): Step {
  return { ops: [], changed: new Map(), effects: [], failures: [], strict: false, infoChanged: false };
}

/** Gives the jobs behind one that threw: nothing of them is done, and their turn comes when the state is read anew. */
async function runStep(host: StepHost, jobs: readonly Job[], step: Step): Promise<readonly Job[]> {
  let begun = 0;
  const othersDue = host.turns?.();
  try {
    for (const job of jobs) {
      begun++;
      await job(step);
      await othersDue?.();
    }
    host.beforeCommit?.(step);
    if (step.ops.length > 0) await host.store.commit(step.ops, { strict: step.strict });
  } catch (error) {
    await host.failed(error);
    for (const failure of step.failures) failure(error);
    return jobs.slice(begun);
  }
  const attempt = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      host.report(error);
    }
  };
  attempt(() => {
    host.committed(step);
  });
  // Effects may add some: what they want after the commit comes last.
  for (const effect of step.effects) attempt(effect);
  return [];
}

/** The store's reason, or 'broken' for anything else. */
export function failureOf(error: unknown): StoreError['failure'] {
  return error instanceof StoreError ? error.failure : 'broken';
}
