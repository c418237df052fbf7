/** A burst: sets of known keys, the last of them to a value that tells which burst it ends. */
import { createRandom } from '../../work.mjs';

const VALUE_RANGE = 1_000_000;

/** @returns key index and value per edit; `last`, the value of the last, is negative and of this sample alone */
export function burstOf({ edits, keys: keyCount, sample }) {
  const random = createRandom(100 + sample);
  const keys = new Int32Array(edits);
  const values = new Int32Array(edits);
  for (let i = 0; i < edits; i++) {
    // The first key is kept for the last edit.
    keys[i] = 1 + Math.floor(random() * (keyCount - 1));
    values[i] = Math.floor(random() * VALUE_RANGE);
  }
  const last = -1 - sample;
  keys[edits - 1] = 0;
  values[edits - 1] = last;
  return { keys, values, last };
}
