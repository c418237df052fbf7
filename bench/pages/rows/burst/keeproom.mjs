/** A burst on page A until page B shows the last edit; both are in one room over a BroadcastChannel. */
import { openActor, openWatcher } from '../../kit/clock.mjs';
import { freshName } from '../../kit/idb.mjs';
import { broadcastChannel, isSettled, pairsOf, schema, startClient, until, writeSets } from '../../kit/keeproom.mjs';
import { checksumOf, keyName, mapSets, transactions } from '../../work.mjs';
import { burstOf } from './work.mjs';

const CHANNEL = 'bench-burst';

let room = null;
let actor = null;
const ids = new Map();

export const other = {
  prepare: async ({ keys }) => {
    const watcher = openWatcher('burst');
    const client = await startClient(freshName('burst'), 'watcher');
    room = await client.createRoom({ schema, transports: [broadcastChannel(CHANNEL)] });
    await writeSets(room, { ...mapSets({ ops: keys, keys }), name: keyName }, transactions(keys, 100), ids);
    // The last edit of a burst has a value that nothing else has.
    room.data.cells.subscribe((rows) => {
      const last = rows.find(({ value }) => value < 0);
      if (last !== undefined) watcher.seen({ id: last.value, checksum: checksumOf(pairsOf(rows)) });
    });
    return { code: (await room.invites.create({ role: 'editor' })).code };
  },
};

export const main = {
  prepare: async ({ code, keys }) => {
    const client = await startClient(freshName('burst'), 'actor');
    room = await client.joinRoom(code, { schema, transports: [broadcastChannel(CHANNEL)] }).room;
    await until(room.status, isSettled);
    const rows = await until(room.data.cells, (all) => all.length === keys);
    for (const { id, key } of rows) ids.set(key, id);
    actor = await openActor('burst');
    return {};
  },
  sample: async (input) => {
    const { keys, values, last } = burstOf(input);
    const seen = actor.waitFor(last);
    const startMs = performance.now();
    for (let i = 0; i < keys.length; i++) room.data.cells.update(ids.get(keyName(keys[i])), { value: values[i] });
    const { atMs, checksum } = await seen;
    return { checksum, metrics: { ms: atMs - startMs } };
  },
};
