/** Delay after the first failed try. */
const firstDelayMs = 250;

/** Delays stop growing here for a while: a server that restarts is met within seconds. */
const briskDelayMs = 4_000;

/** Tries, one every few seconds, until the delay grows again: about two minutes. */
const briskTries = 30;

/** Longest delay; the jitter comes on top. */
const maxDelayMs = 64_000;

/** Share by which a delay is made longer or shorter, so that the clients of one server do not come all at once. */
const jitter = 0.25;

/** Delay before try `failures` + 1, in milliseconds: 2^n, held at 4 s for two minutes, then up to 64 s; ±25 %. */
export function retryDelayMs(failures: number, random: () => number): number {
  const brisk = Math.min(firstDelayMs * 2 ** failures, briskDelayMs);
  const slow = Math.min(briskDelayMs * 2 ** Math.max(0, failures - briskTries), maxDelayMs);
  return (failures < briskTries ? brisk : slow) * (1 - jitter + 2 * jitter * random());
}
