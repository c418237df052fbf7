/** Edits one by one, many saved at a time; then the room rests and the page loads anew. */
import { schema, startClient, writeSets } from '../../kit/keeproom.mjs';
import { diskBytes } from '../../kit/disk.mjs';
import { freshName } from '../../kit/idb.mjs';
import { keyName, mapSets, transactions } from '../../work.mjs';

export const main = {
  prepare: async ({ ops, keys }) => {
    const client = await startClient(freshName('disk'));
    const room = await client.createRoom({ schema });
    await writeSets(room, { ...mapSets({ ops, keys }), name: keyName }, transactions(ops, 1));
    await room.close();
    await client.close();
    return {};
  },
  sample: async ({ checksum, restMs }) => ({ checksum, metrics: { bytes: await diskBytes(restMs) } }),
};
