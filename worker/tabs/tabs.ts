import type { ToEngine } from '../../src/bridge/index.js';
import type { Disk } from '../storage/index.js';
import { takenOverError } from './errors.js';
import type { Life, LifeOptions } from './life.js';
import { createLife } from './life.js';
import type { Term, TermOptions } from './term.js';
import { createTerm } from './term.js';
import { firstRetryMs, maxRetryMs } from './times.js';

/** One tab's way to the engine of its namespace, wherever that runs. */
export interface Tabs {
  readonly deliver: (message: ToEngine) => void;
  /** The page goes to sleep (tabs.md rule 2). Resolves when nothing is held any more. */
  readonly abdicate: () => Promise<void>;
  /** The page is back; without effect on one that was never away. */
  readonly resume: () => void;
  /** For good. */
  readonly stop: () => Promise<void>;
}

export interface TabsOptions extends Pick<TermOptions, 'namespace' | 'tab' | 'time' | 'startEngine' | 'post'> {
  /** Unique to this worker: what the browser still holds for an earlier one of the same tab is not ours. */
  readonly instance: string;
  /** `onBlocked` hears when the disk makes its user wait and when no longer. */
  readonly openDisk: (onBlocked: (blocked: boolean) => void) => Disk;
  /** Null where the platform has none, and for `storage: 'memory'`: this tab has an engine of its own. */
  readonly platform: Pick<LifeOptions, 'locks' | 'openChannel'> | null;
}

/** Takes part at once. */
export function createTabs(o: TabsOptions): Tabs {
  let life: Life | null = null;
  let stopped = false;
  let lives = 0;
  let highest = 0;
  const disk = o.openDisk((blocked) => life?.setBlocked(blocked));

  const common = {
    namespace: o.namespace,
    tab: o.tab,
    time: o.time,
    startEngine: o.startEngine,
    post: o.post,
    disk,
    highest: () => highest,
    onGeneration: (generation: number) => void (highest = Math.max(highest, generation)),
  };
  const begin = (): Life => {
    if (o.platform === null) return createSolo(common);
    return createLife({ ...common, ...o.platform, life: `${o.instance}-${++lives}` });
  };
  const end = async (): Promise<void> => {
    const ending = life;
    life = null;
    await ending?.end();
  };

  life = begin();
  return {
    deliver: (message) => life?.deliver(message),
    abdicate: end,
    resume: () => {
      if (!stopped) life ??= begin();
    },
    stop: () => {
      stopped = true;
      return end();
    },
  };
}

type SoloOptions = Omit<TermOptions, 'locks' | 'send' | 'onStarted' | 'onEnded'>;

/** An engine without other tabs. Over a database, the generation still keeps two of them from writing at once. */
function createSolo(o: SoloOptions): Life {
  let failures = 0;
  let term: Term | null = null;
  let cancelRetry = (): void => undefined;
  const lead = (): void => {
    term = createTerm({
      ...o,
      locks: { request: () => Promise.resolve() },
      send: () => undefined,
      onStarted: () => (failures = 0),
      onEnded: (error) => {
        o.post({
          t: 'engine',
          state: 'waiting',
          generation: o.highest(),
          leader: false,
          error: error ?? takenOverError,
        });
        // Taken over: the other one stays until somebody asks for this tab again.
        if (error !== null) cancelRetry = o.time.after(Math.min(firstRetryMs * 2 ** failures++, maxRetryMs), lead);
      },
    });
  };
  lead();
  return {
    deliver: (message) => term?.deliver(message),
    setBlocked: (blocked) => term?.setBlocked(blocked),
    end: async () => {
      cancelRetry();
      await term?.giveUp();
      o.disk.close();
    },
  };
}
