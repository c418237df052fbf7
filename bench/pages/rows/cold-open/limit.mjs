/** One sealed, deflated snapshot is read, opened and given to the page in one buffer. */
import { startLimit } from '../../limit/host.mjs';
import { decodeState, encodeState } from '../../limit/state.mjs';
import { checksumOfRows, finalValues, topRows } from '../../work.mjs';

const DATABASE = 'limit-open';

let worker = null;

async function start(rawKey) {
  const seal = await crypto.subtle.importKey('raw', new Uint8Array(rawKey), 'AES-GCM', false, ['encrypt', 'decrypt']);
  worker = startLimit();
  await worker.call('keys', { seal });
  await worker.call('open', { name: DATABASE });
}

export const main = {
  prepare: async (work) => {
    const rawKey = [...crypto.getRandomValues(new Uint8Array(32))];
    await start(rawKey);
    await worker.call('drop', { name: DATABASE });
    await worker.call('open', { name: DATABASE });
    await worker.call('keepSnapshot', { state: encodeState(finalValues(work)) });
    return { rawKey };
  },
  arrive: async ({ rawKey }) => {
    const startMs = performance.now();
    await start(rawKey);
    return { startMs: performance.now() - startMs };
  },
  sample: async () => {
    const startMs = performance.now();
    const rows = topRows(decodeState(await worker.call('readSnapshot')));
    return { checksum: checksumOfRows(rows), metrics: { ms: performance.now() - startMs } };
  },
};
