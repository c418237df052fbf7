/** keeproom as its users see it: the public API, and the shipped worker behind it. */
import { broadcastChannel, collection, createClient, defineSchema, s } from 'keeproom';

export const schema = defineSchema({
  app: 'bench',
  data: {
    cells: collection({ key: s.string({ maxLength: 32 }), value: s.number({ integer: true }) }),
  },
});

/** Saved writes waited for at a time while a history is made. */
const WAIT_EVERY = 32;

/** A client whose engine runs: worker started, database open. */
export async function startClient(namespace, name = 'bench') {
  const client = createClient({ namespace, profile: { name } });
  await until(client.status, ({ storage }) => storage !== 'starting');
  return client;
}

/** Resolves with the first value of a signal that is as wanted. */
export function until(signal, isWanted) {
  return new Promise((resolve) => {
    let isDone = false;
    let stop = null;
    stop = signal.subscribe((value) => {
      if (isDone || !isWanted(value)) return;
      isDone = true;
      stop?.();
      resolve(value);
    });
    if (isDone) stop();
  });
}

/** Whether what a room shows is on this device's disk, and nobody who is here has more. */
export function isSettled({ network, storage, unsaved }) {
  return network === 'up-to-date' && (storage === 'durable' || storage === 'evictable') && unsaved === 0;
}

/**
 * Writes sets into `cells`: a key's first set is an insert, the others are updates.
 *
 * @param ids record ids by key index, filled here
 */
export async function writeSets(room, sets, slices, ids = new Map()) {
  const { cells } = room.data;
  let writes = [];
  for (const [from, to] of slices) {
    const write = room.transact(() => {
      for (let i = from; i < to; i++) {
        const key = sets.keys[i];
        const id = ids.get(key);
        if (id !== undefined) cells.update(id, { value: sets.values[i] });
        else ids.set(key, cells.insert({ key: sets.name(key), value: sets.values[i] }).id);
      }
    });
    writes.push(write);
    if (writes.length < WAIT_EVERY) continue;
    await Promise.all(writes.map((one) => one.saved()));
    writes = [];
  }
  await Promise.all(writes.map((one) => one.saved()));
  return ids;
}

/** What the engine does in idle time is done: small packs are joined, the state is told in short. */
export function settled(ops) {
  // Of few there is little to do.
  return new Promise((resolve) => setTimeout(resolve, Math.min(7_000, ops) + ops / 20));
}

export function pairsOf(rows) {
  return rows.map(({ key, value }) => [key, value]);
}

/** Bytes of the history as the engine counts them now: a client hears of them when it comes, and not of every change. */
export async function historyBytes(namespace) {
  const client = await startClient(namespace);
  const [{ bytes }] = await until(client.rooms, ([one]) => one !== undefined);
  await client.close();
  return bytes;
}

/** A transport of which every frame is counted. */
export function counted(below, count) {
  return {
    type: below.type,
    open: (on) => {
      const use = below.open({
        ...on,
        frame: (bytes, from) => {
          count.in += bytes.length;
          count.framesIn++;
          on.frame(bytes, from);
        },
      });
      return {
        get self() {
          return use.self;
        },
        maxFrameBytes: use.maxFrameBytes,
        send: (frame, to, o) => {
          count.out += frame.length;
          count.framesOut++;
          return use.send(frame, to, o);
        },
        close: use.close,
      };
    },
  };
}

export function emptyCount() {
  return { in: 0, out: 0, framesIn: 0, framesOut: 0 };
}

export { broadcastChannel };
