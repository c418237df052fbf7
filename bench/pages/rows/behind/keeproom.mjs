/**
 * Five authors write on the provider's page. As many peers as there will be samples join before the last part of the
 * history is written, and close. The clock runs from the attaching of the network to a room that is open but behind
 * until its query shows the end of the history and its status says that all is stored and nobody has more.
 */
import {
  broadcastChannel,
  counted,
  emptyCount,
  historyBytes,
  isSettled,
  pairsOf,
  schema,
  startClient,
  until,
} from '../../kit/keeproom.mjs';
import { freshName } from '../../kit/idb.mjs';
import { authoredSets, checksumOf, keyName, valuesAfter } from '../../work.mjs';

const CHANNEL = 'bench-behind';
const SAVED_AT_A_TIME = 32;

let rooms = [];
let ownerNamespace = '';
let sets = null;
const ids = new Map();

/** Writes ops [from, to) by their authors. */
async function write({ perTransaction }, from, to) {
  let writes = [];
  for (let at = from; at < to; at += perTransaction) {
    const end = Math.min(at + perTransaction, to);
    const room = rooms[sets.author[at]];
    writes.push(
      room.transact(() => {
        for (let i = at; i < end; i++) {
          const key = sets.keys[i];
          const id = ids.get(key);
          if (id === undefined) ids.set(key, room.data.cells.insert({ key: keyName(key), value: sets.values[i] }).id);
          else room.data.cells.update(id, { value: sets.values[i] });
        }
      }),
    );
    if (writes.length < SAVED_AT_A_TIME && end < to) continue;
    await Promise.all(writes.map((one) => one.saved()));
    writes = [];
  }
}

/** Resolves when a room shows these values. */
function shows(room, values) {
  const wanted = checksumOf(values);
  return until(room.data.cells, (rows) => checksumOf(pairsOf(rows)) === wanted);
}

/** The last of the ops that a peer has before it falls behind, at the end of a transaction. */
function firstPart({ ops, behind, perTransaction }) {
  return Math.floor((ops - behind) / perTransaction) * perTransaction;
}

export const provider = {
  prepare: async (work) => {
    sets = authoredSets(work);
    ownerNamespace = freshName('author');
    const owner = await startClient(ownerNamespace, 'author 0');
    rooms = [await owner.createRoom({ schema, transports: [broadcastChannel(CHANNEL)] })];
    const { code } = await rooms[0].invites.create({ role: 'editor' });
    await write(work, 0, sets.made);
    for (let i = 1; i < work.authors; i++) {
      const client = await startClient(freshName('author'), `author ${i}`);
      rooms.push(await client.joinRoom(code, { schema, transports: [broadcastChannel(CHANNEL)] }).room);
    }
    await Promise.all(rooms.map((room) => shows(room, valuesAfter(sets, sets.made))));
    await write(work, sets.made, firstPart(work));
    await shows(rooms[0], valuesAfter(sets, firstPart(work)));
    return { code };
  },
  extend: async (work) => {
    const before = await historyBytes(ownerNamespace);
    await write(work, firstPart(work), work.ops);
    await shows(rooms[0], valuesAfter(sets));
    // One source is enough, and the others would only take turns with the clock.
    for (const room of rooms.slice(1)) await room.close();
    return { packBytes: (await historyBytes(ownerNamespace)) - before };
  },
};

export const main = {
  prepare: async (work) => {
    sets = authoredSets(work);
    const namespaces = [];
    let roomId = null;
    for (let i = 0; i < work.samples; i++) {
      const namespace = freshName('behind');
      const client = await startClient(namespace);
      const room = await client.joinRoom(work.code, { schema, transports: [broadcastChannel(CHANNEL)] }).room;
      await shows(room, valuesAfter(sets, firstPart(work)));
      roomId = room.id;
      await room.close();
      await client.close();
      namespaces.push(namespace);
    }
    return { namespaces, roomId };
  },
  sample: async ({ namespaces, roomId, sample, packBytes }) => {
    const client = await startClient(namespaces[sample]);
    const room = await client.openRoom(roomId, { schema });
    const { cells } = room.data;
    const count = emptyCount();
    let sum = 0;
    for (const value of valuesAfter(sets).values()) sum += value;
    const startMs = performance.now();
    room.attach(counted(broadcastChannel(CHANNEL), count));
    await until(cells, (rows) => rows.reduce((total, { value }) => total + value, 0) === sum);
    const shownMs = performance.now() - startMs;
    await until(room.status, isSettled);
    const ms = performance.now() - startMs;
    const wireBytes = count.in;
    const checksum = checksumOf(pairsOf(cells.value));
    await client.erase();
    await client.close();
    const bytes = { wireBytes, sentBytes: count.out, overPacks: wireBytes / packBytes };
    return { checksum, metrics: { ms, shownMs, ...bytes } };
  },
};
