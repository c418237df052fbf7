/**
 * A peer that has everything comes back: from the attaching of its network until its status says up to date, and what
 * passed both ways by then and in the moment after (the other side's greeting may still be under way).
 */
import {
  broadcastChannel,
  counted,
  emptyCount,
  isSettled,
  pairsOf,
  schema,
  startClient,
  until,
} from '../../kit/keeproom.mjs';
import { freshName } from '../../kit/idb.mjs';
import { checksumOf } from '../../work.mjs';

export { provider } from '../catch-up/keeproom.mjs';

const CHANNEL = 'bench-catch-up';
const MOMENT_MS = 250;

let room = null;
let detach = null;

export const main = {
  prepare: async ({ code }) => {
    const client = await startClient(freshName('returning'));
    const network = broadcastChannel(CHANNEL);
    const joined = await client.joinRoom(code, { schema, transports: [network] }).room;
    const { id } = joined;
    await until(joined.status, isSettled);
    await joined.close();
    room = await client.openRoom(id, { schema });
    return {};
  },
  sample: async () => {
    detach?.();
    await until(room.status, ({ network }) => network === 'offline');
    const count = emptyCount();
    const startMs = performance.now();
    detach = room.attach(counted(broadcastChannel(CHANNEL), count));
    await until(room.status, isSettled);
    const ms = performance.now() - startMs;
    await new Promise((resolve) => setTimeout(resolve, MOMENT_MS));
    const metrics = { ms, bytes: count.in + count.out, inBytes: count.in, outBytes: count.out };
    return {
      checksum: checksumOf(pairsOf(room.data.cells.value)),
      metrics: { ...metrics, framesIn: count.framesIn, framesOut: count.framesOut },
    };
  },
};
