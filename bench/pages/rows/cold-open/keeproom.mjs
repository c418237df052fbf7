/**
 * A page that has just loaded opens a room of its disk. Worker and database run already (`startMs`, printed apart); the
 * clock runs from `openRoom` until the sorted query has been read.
 */
import { schema, settled, startClient, writeSets } from '../../kit/keeproom.mjs';
import { freshName } from '../../kit/idb.mjs';
import { checksumOfRows, keyName, mapSets, transactions } from '../../work.mjs';

const ROWS = 100;

let client = null;

export const main = {
  prepare: async ({ ops, keys, perTransaction }) => {
    const namespace = freshName('opener');
    const writer = await startClient(namespace);
    const room = await writer.createRoom({ schema });
    await writeSets(room, { ...mapSets({ ops, keys }), name: keyName }, transactions(ops, perTransaction));
    await settled(ops);
    const roomId = room.id;
    await room.close();
    await writer.close();
    return { namespace, roomId };
  },
  arrive: async ({ namespace }) => {
    const startMs = performance.now();
    client = await startClient(namespace);
    return { startMs: performance.now() - startMs };
  },
  sample: async ({ roomId }) => {
    const startMs = performance.now();
    const room = await client.openRoom(roomId, { schema });
    const rows = room.data.cells.orderBy('value').limit(ROWS).value;
    const ms = performance.now() - startMs;
    return { checksum: checksumOfRows(rows.map(({ key, value }) => [key, value])), metrics: { ms } };
  },
};
