/** Longest wait between two tries. */
export const maxRetryDelayMs = 64_000;

/** 2^attempt seconds, at most {@link maxRetryDelayMs}, moved by up to a quarter; `random` is in [0, 1). */
export function retryDelayMs(attempt: number, random: number): number {
  return jittered(Math.min(maxRetryDelayMs, 1000 * 2 ** Math.max(0, attempt)), random);
}

/** A delay moved by up to ±25 %, so that peers that failed together do not try together. */
export function jittered(delayMs: number, random: number): number {
  return Math.round(delayMs * (0.75 + random / 2));
}
