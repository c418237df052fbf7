/**
 * Somebody writes alone for a long time, with nobody to answer for the end of the chain: every edit is kept as a draft.
 * The clock of `openMs` holds a cold open of that; the others begin when a network comes on which a friend is, and end
 * when every draft is signed (`signedMs`) and when the friend has acknowledged all (`deliveredMs`). Meanwhile a call
 * without work of its own, for a room that does not exist, is made every 50 ms; the longest counts.
 */
import { broadcastChannel, pairsOf, schema, settled, startClient, until, writeSets } from '../../kit/keeproom.mjs';
import { freshName } from '../../kit/idb.mjs';
import { checksumOf, keyName, mapSets, transactions } from '../../work.mjs';

const CALL_EVERY_MS = 50;

export const main = {
  prepare: async () => null,
  sample: async ({ ops, keys }) => {
    const [namespace, channel] = [freshName('alone'), freshName('alone')];
    const friend = await startClient(freshName('friend'), 'friend');
    const id = await meet({ namespace, channel, friend });

    const before = await startClient(namespace);
    const lonely = await before.openRoom(id, { schema });
    await writeSets(lonely, { ...mapSets({ ops, keys }), name: keyName }, transactions(ops, 1));
    await settled(ops);
    await before.close();

    const client = await startClient(namespace);
    const startMs = performance.now();
    const room = await client.openRoom(id, { schema });
    const pairs = pairsOf(room.data.cells.value);
    const openMs = performance.now() - startMs;

    const calls = callUntilDone(client);
    await friend.openRoom(id, { schema, transports: [broadcastChannel(channel)] });
    const attachedMs = performance.now();
    room.attach(broadcastChannel(channel));
    // While drafts are signed the room is syncing, and for a moment before, while it greets.
    let signedMs = Number.NaN;
    const stop = room.status.subscribe(({ network }) => {
      if (network === 'syncing') signedMs = Number.NaN;
      else if (network === 'up-to-date' && Number.isNaN(signedMs)) signedMs = performance.now() - attachedMs;
    });
    await until(room.status, ({ undelivered }) => undelivered === 0);
    stop();
    const deliveredMs = performance.now() - attachedMs;
    const longestCallMs = await calls.stop();
    for (const one of [client, friend]) {
      await one.erase();
      await one.close();
    }
    return { checksum: checksumOf(pairs), metrics: { openMs, signedMs, deliveredMs, longestCallMs } };
  },
};

/** A room of two, who part again: control and schema are known to both. @returns its id */
async function meet({ namespace, channel, friend }) {
  const client = await startClient(namespace);
  const options = { schema, transports: [broadcastChannel(channel)] };
  const room = await client.createRoom(options);
  const { code } = await room.invites.create({ role: 'editor' });
  const joined = await friend.joinRoom(code, options).room;
  await until(room.status, ({ undelivered }) => undelivered === 0);
  await joined.close();
  await client.close();
  return room.id;
}

/** @returns what ends the calls, with the time that the slowest took */
function callUntilDone(client) {
  let isDone = false;
  let longestMs = 0;
  const called = (async () => {
    while (!isDone) {
      const startMs = performance.now();
      await client.openRoom('0'.repeat(64), { schema });
      longestMs = Math.max(longestMs, performance.now() - startMs);
      await new Promise((resolve) => setTimeout(resolve, CALL_EVERY_MS));
    }
    return longestMs;
  })();
  return {
    stop: () => {
      isDone = true;
      return called;
    },
  };
}
