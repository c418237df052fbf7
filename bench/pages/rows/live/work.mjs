/** One edit after the other, each when the one before has been seen and some time has passed. */
import { createRandom } from '../../work.mjs';

/** So that edits do not fall into step with anybody's timer. */
const PAUSE_MS = [20, 45];

/** Sends `edits` of them with `send(value)`; what `actor` hears of each makes the latencies. */
export async function sendEdits({ edits, sample }, actor, send) {
  const random = createRandom(sample + 1);
  const each = [];
  for (let i = 0; i < edits; i++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS[0] + random() * (PAUSE_MS[1] - PAUSE_MS[0])));
    const value = sample * 100_000 + i + 1;
    const seen = actor.waitFor(value);
    const startMs = performance.now();
    send(value);
    each.push((await seen).atMs - startMs);
  }
  return { checksum: 'every edit was seen', metrics: { each } };
}
