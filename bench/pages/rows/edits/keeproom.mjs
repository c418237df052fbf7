/** Edits of an open room by its page. */
import { pairsOf, schema, startClient, writeSets } from '../../kit/keeproom.mjs';
import { freshName } from '../../kit/idb.mjs';
import { checksumOf, keyName, mapSets, transactions } from '../../work.mjs';

let room = null;
let ids = null;

export const main = {
  prepare: async ({ keys }) => {
    const client = await startClient(freshName('editor'));
    room = await client.createRoom({ schema });
    const first = { ...mapSets({ ops: keys, keys }), name: keyName };
    ids = await writeSets(room, first, transactions(keys, 100));
    return {};
  },
  sample: async ({ ops, keys, alone }) => {
    const { cells } = room.data;
    const sets = mapSets({ ops, keys });
    const each = [];
    const writes = [];
    const startMs = performance.now();
    for (let i = 0; i < ops; i++) {
      const editMs = performance.now();
      const write = cells.update(ids.get(sets.keys[i]), { value: sets.values[i] });
      if (alone) {
        await write.saved();
        each.push(performance.now() - editMs);
      } else writes.push(write);
    }
    await Promise.all(writes.map((write) => write.saved()));
    const ms = performance.now() - startMs;
    return { checksum: checksumOf(pairsOf(cells.value)), metrics: { ms, each } };
  },
};
