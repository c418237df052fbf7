/**
 * The same function, from which nothing is thrown: a throw in a handler of a signalling event ends the SDK's signal
 * stream (livekit.md V4). The error surfaces as an uncaught one of the page, where errors are looked for.
 */
export function guard<A extends readonly unknown[]>(run: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    try {
      run(...args);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}

/** Runs `run` once after `delayMs`; the result cancels it. */
export function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => {
    clearTimeout(timer);
  };
}
