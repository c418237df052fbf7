import type { Time } from '../../../src/ports/index.js';

/** The longest delay a browser's timer keeps; a longer one fires at once. */
const maxTimerMs = 2 ** 31 - 1;

/** The clock and timers of this thread. A delay may be any number of milliseconds; one below zero counts as none. */
export const browserTime: Time = {
  now: () => Date.now(),
  after: (delayMs, run) => {
    let timer: ReturnType<typeof setTimeout>;
    const wait = (leftMs: number): void => {
      const stepMs = Math.min(Math.max(leftMs, 0), maxTimerMs);
      timer = setTimeout(() => (leftMs > stepMs ? wait(leftMs - stepMs) : run()), stepMs);
    };
    wait(Number.isNaN(delayMs) ? 0 : delayMs);
    return () => clearTimeout(timer);
  },
};
