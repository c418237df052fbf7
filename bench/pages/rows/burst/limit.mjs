/**
 * Page to worker in one message, sealed and signed in units, stored, handed to the other worker over a BroadcastChannel,
 * opened, checked, stored, handed to the page in one message.
 */
import { openActor, openWatcher } from '../../kit/clock.mjs';
import { freshName } from '../../kit/idb.mjs';
import { startLimit } from '../../limit/host.mjs';
import { createKeys } from '../../limit/pack.mjs';
import { checksumOf, keyName, mapSets } from '../../work.mjs';
import { burstOf } from './work.mjs';

const CHANNEL = 'bench-limit-burst';

let worker = null;
let actor = null;

async function start(keys) {
  worker = startLimit();
  await worker.call('keys', keys);
  await worker.call('open', { name: freshName('limit') });
  await worker.call('join', { channel: CHANNEL });
}

export const other = {
  prepare: async ({ keys: keyCount }) => {
    const watcher = openWatcher('burst');
    const keys = await createKeys();
    await start({ seal: keys.seal, publicKey: keys.author.publicKey });
    const line = new BroadcastChannel(`${CHANNEL}-keys`);
    line.onmessage = () => line.postMessage(keys);
    const table = new Map();
    const first = mapSets({ ops: keyCount, keys: keyCount });
    first.keys.forEach((key, i) => table.set(keyName(key), first.values[i]));
    worker.listen(({ keys: column, values }) => {
      for (let i = 0; i < column.length; i++) table.set(keyName(column[i]), values[i]);
      const last = table.get(keyName(0));
      if (last < 0) watcher.seen({ id: last, checksum: checksumOf(table) });
    });
    return {};
  },
};

export const main = {
  prepare: async () => {
    const line = new BroadcastChannel(`${CHANNEL}-keys`);
    const keys = await new Promise((resolve) => {
      line.onmessage = ({ data }) => resolve(data);
      line.postMessage('keys');
    });
    line.close();
    await start({ seal: keys.seal, publicKey: keys.author.publicKey, privateKey: keys.author.privateKey });
    actor = await openActor('burst');
    return {};
  },
  sample: async (input) => {
    const { keys, values, last } = burstOf(input);
    const seen = actor.waitFor(last);
    const startMs = performance.now();
    void worker.call('send', { keys, values }, [keys.buffer, values.buffer]);
    const { atMs, checksum } = await seen;
    return { checksum, metrics: { ms: atMs - startMs } };
  },
};
