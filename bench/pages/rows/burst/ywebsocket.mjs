/** y-websocket and a server of its protocol on loopback; nothing is stored, signed or encrypted. */
import { WebsocketProvider } from 'y-websocket';
import { openActor, openWatcher } from '../../kit/clock.mjs';
import { writeYjs, Y } from '../../kit/yjs.mjs';
import { checksumOf, keyName } from '../../work.mjs';
import { burstOf } from './work.mjs';

const KEPT_FOR_LAST = keyName(0);

let doc = null;
let actor = null;

async function connect({ yWebsocketUrl }) {
  doc = new Y.Doc();
  const provider = new WebsocketProvider(yWebsocketUrl, 'burst', doc, { disableBc: true });
  await new Promise((resolve) => provider.once('sync', resolve));
  return doc.getMap('cells');
}

export const other = {
  prepare: async (input) => {
    const watcher = openWatcher('burst');
    const map = await connect(input);
    writeYjs({ ops: input.keys, keys: input.keys, perTransaction: 100 }, doc);
    map.observe(({ keysChanged }) => {
      if (!keysChanged.has(KEPT_FOR_LAST)) return;
      watcher.seen({ id: map.get(KEPT_FOR_LAST), checksum: checksumOf(map.entries()) });
    });
    return {};
  },
};

export const main = {
  prepare: async (input) => {
    const map = await connect(input);
    while (map.size < input.keys) await new Promise((resolve) => setTimeout(resolve, 20));
    actor = await openActor('burst');
    return {};
  },
  sample: async (input) => {
    const map = doc.getMap('cells');
    const { keys, values, last } = burstOf(input);
    const seen = actor.waitFor(last);
    const startMs = performance.now();
    for (let i = 0; i < keys.length; i++) map.set(keyName(keys[i]), values[i]);
    const { atMs, checksum } = await seen;
    return { checksum, metrics: { ms: atMs - startMs } };
  },
};
