/** What a memory disk is about to do when it asks for its pace. */
export type MemoryStep = 'commit' | 'get' | 'list' | 'generation';

/** Steps of one disk, one at a time, in order. */
export interface Queue {
  readonly add: <T>(step: MemoryStep, run: () => T) => Promise<T>;
  /** Resolves when nothing is under way. */
  readonly idle: () => Promise<void>;
  /** Forgets every step without an answer, after the oldest `landed` commits have taken effect. */
  readonly crash: (landed: number) => void;
}

interface Job {
  readonly step: MemoryStep;
  readonly run: () => void;
  /** For a commit: its effect without its answer. */
  readonly land?: () => void;
}

/** `pace` says how long each step takes. */
export function createQueue(pace: (step: MemoryStep) => Promise<void>): Queue {
  const jobs: Job[] = [];
  const waiting: (() => void)[] = [];
  /** Each crash ends the pump of its life: its pace may never resolve again. */
  let pump = 0;
  let running = false;
  const work = async (): Promise<void> => {
    if (running) return;
    running = true;
    const mine = pump;
    for (let job = jobs[0]; job !== undefined; job = jobs[0]) {
      await pace(job.step);
      if (mine !== pump) return;
      jobs.shift();
      job.run();
    }
    running = false;
    for (const resolve of waiting.splice(0)) resolve();
  };
  return {
    add: (step, run) =>
      new Promise((resolve) => {
        const attempt = async (): Promise<ReturnType<typeof run>> => run();
        const answer = (): void => resolve(attempt());
        const land = (): void => void attempt().catch(() => undefined);
        jobs.push(step === 'commit' ? { step, run: answer, land } : { step, run: answer });
        void work();
      }),
    idle: () => (running ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve()),
    crash: (landed) => {
      pump++;
      running = false;
      waiting.length = 0;
      const commits = jobs.splice(0).flatMap((job) => (job.land === undefined ? [] : [job.land]));
      for (const land of commits.slice(0, landed)) land();
    },
  };
}
