/**
 * A provider on a page of its own holds the history; an empty peer joins by an invite over a BroadcastChannel. The clock
 * starts when the join may fetch (`loading`), and stops when the room's query shows the end of the history and its
 * status says that all is on the disk and nobody has more. The whole join, greetings included, is reported beside it.
 */
import { BEGIN, checksumOf, END, keyName, mapSets, transactions } from '../../work.mjs';
import {
  broadcastChannel,
  counted,
  emptyCount,
  historyBytes,
  isSettled,
  pairsOf,
  schema,
  settled,
  startClient,
  until,
  writeSets,
} from '../../kit/keeproom.mjs';
import { freshName } from '../../kit/idb.mjs';

const CHANNEL = 'bench-catch-up';

/** Invites are made for a limited number of people; one serves all samples of a run. */
const MAX_USES = 1_000;

export const provider = {
  prepare: async ({ ops, keys, perTransaction }) => {
    const client = await startClient(freshName('provider'));
    const room = await client.createRoom({ schema, transports: [broadcastChannel(CHANNEL)] });
    const sets = { ...mapSets({ ops, keys }), name: keyName };
    const beganMs = performance.now();
    await writeSets(room, sets, transactions(ops, perTransaction));
    const writeMs = performance.now() - beganMs;
    await settled(ops);
    const invite = await room.invites.create({ role: 'editor', maxUses: MAX_USES });
    return { code: invite.code, writeMs };
  },
};

export const main = {
  prepare: async () => null,
  sample: async ({ code, keys, live, countsHistory, isProfiled, keepsOpen }) => {
    const namespace = freshName('joiner');
    const client = await startClient(namespace);
    const count = emptyCount();
    const startMs = performance.now();
    const join = client.joinRoom(code, { schema, transports: [counted(broadcastChannel(CHANNEL), count)] });
    await until(join.state, ({ step }) => step === 'loading' || step === 'joined');
    const loadingMs = performance.now();
    performance.mark(BEGIN);
    const room = await join.room;
    const { cells } = room.data;
    const query = live ? cells.orderBy('value', 'desc').limit(100) : cells;
    const stop = query.subscribe(() => undefined);
    await until(room.status, isSettled);
    const rows = cells.value;
    const endMs = performance.now();
    performance.mark(END);
    stop();
    const checksum = checksumOf(pairsOf(rows));
    const history = countsHistory ? await historyBytes(namespace) : Number.NaN;
    // A worker that ends takes its profile along.
    if (!isProfiled && !keepsOpen) {
      await client.erase();
      await client.close();
    }
    if (rows.length !== keys) throw new Error(`keeproom: ${rows.length} records of ${keys}`);
    return {
      checksum,
      metrics: { ms: endMs - loadingMs, joinMs: endMs - startMs, wireBytes: count.in, historyBytes: history },
    };
  },
};
