import type { Time } from '../../../src/ports/index.js';

/** The longest delay a browser's timer keeps; a longer one fires at once. */
const maxTimerMs = 2 ** 31 - 1;

/** What is to run in tasks of their own, and the port whose messages are these tasks. */
const waiting: (() => void)[] = [];
let tasks: MessagePort | null = null;

/** Timers without a delay wait 4 ms all the same once a few have followed each other; a message to oneself does not. */
function soon(run: () => void): () => void {
  if (tasks === null) {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => waiting.shift()?.();
    tasks = port2;
  }
  let isOver = false;
  waiting.push(() => {
    if (!isOver) run();
  });
  tasks.postMessage(null);
  return () => {
    isOver = true;
  };
}

/** The clock and timers of this thread. A delay may be any number of milliseconds; one below zero counts as none. */
export const browserTime: Time = {
  now: () => Date.now(),
  after: (delayMs, run) => {
    if (!(delayMs > 0)) return soon(run);
    let timer: ReturnType<typeof setTimeout>;
    const wait = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, maxTimerMs);
      timer = setTimeout(() => (leftMs > stepMs ? wait(leftMs - stepMs) : run()), stepMs);
    };
    wait(delayMs);
    return () => clearTimeout(timer);
  },
};
