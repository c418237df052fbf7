/** Two pages of one origin that tell each other when they saw something, on one clock. */

const PINGS = 40;

/**
 * The page that watches. `seen` tells the other when something was seen there.
 *
 * @param {string} name of the line between the two
 */
export function openWatcher(name) {
  const line = new BroadcastChannel(name);
  line.onmessage = ({ data }) => {
    if (data.ping !== undefined) line.postMessage({ pong: data.ping, atMs: performance.now() });
  };
  return { seen: (what) => line.postMessage({ seen: what, atMs: performance.now() }) };
}

/** The page that acts. `waitFor` resolves with when the watcher saw it, on this page's clock. */
export async function openActor(name) {
  const line = new BroadcastChannel(name);
  const waiting = new Map();
  let onPong = () => undefined;
  line.onmessage = ({ data }) => {
    if (data.pong !== undefined) onPong(data);
    else waiting.get(data.seen.id)?.({ atMs: data.atMs - offsetMs, ...data.seen });
  };
  // The fastest of many pings has the least of everything that is not the clocks' difference.
  let offsetMs = 0;
  let bestMs = Infinity;
  for (let i = 0; i < PINGS; i++) {
    const beganMs = performance.now();
    const { atMs } = await new Promise((resolve) => {
      onPong = resolve;
      line.postMessage({ ping: i });
    });
    const tookMs = performance.now() - beganMs;
    if (tookMs >= bestMs) continue;
    bestMs = tookMs;
    offsetMs = atMs - beganMs - tookMs / 2;
  }
  return {
    waitFor: (id) =>
      new Promise((resolve) => {
        waiting.set(id, (seen) => {
          waiting.delete(id);
          resolve(seen);
        });
      }),
  };
}
