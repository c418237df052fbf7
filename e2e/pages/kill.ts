/**
 * What a browser does that is going to be killed: opens its room from the disk alone, says what is there, goes online
 * where it has a network, and then writes without end and says what is saved. Orders come in the fragment.
 */
import type { Role, Via } from './room.js';

export interface KillOrders {
  /** Where to say it. */
  readonly ear: string;
  readonly round: number;
  readonly task:
    /** Makes the room. `guest`: a second device in this profile joins, and is gone with this browser. */
    | { readonly do: 'found'; readonly networks: readonly Via[]; readonly guest: boolean }
    /** Opens it, goes online where there is a network; `write` does not stop writing then. */
    | { readonly do: 'visit' | 'write'; readonly networks: readonly Via[] }
    /** The absent device comes back and gets everything. */
    | { readonly do: 'reunite'; readonly networks: readonly Via[]; readonly count: number };
}

/** Everything of one device that losses, doubles, gaps and forks would show in. */
export interface KillState {
  readonly texts: readonly string[];
  readonly tally: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly counters: Readonly<Record<string, number>>;
}

export type KillReport = { readonly round: number } & (
  | { readonly is: 'founded'; readonly invite: string | null }
  | { readonly is: 'opened'; readonly ada: KillState }
  | { readonly is: 'online'; readonly ada: KillState; readonly tookMs: number }
  | { readonly is: 'saved'; readonly n: number }
  | { readonly is: 'united'; readonly ada: KillState; readonly guest: KillState }
  | { readonly is: 'failed'; readonly why: string }
);

const { kr } = window;
const key = 'board';
/** Writes that are on their way at a time: some share a commit, some wait for the next. */
const atOnce = 4;
const editor: Role = 'editor';
const { ear, round, task } = JSON.parse(decodeURIComponent(location.hash.slice(1))) as KillOrders;

type Said<R> = R extends unknown ? Omit<R, 'round'> : never;
/** Resolves when it was heard: two that are said at once may arrive in any order. */
async function say(report: Said<KillReport>): Promise<void> {
  await fetch(ear, { method: 'POST', mode: 'no-cors', body: JSON.stringify({ ...report, round }) });
}

async function stateOf(name: string): Promise<KillState> {
  const cards = kr.room(name).data.cards.value;
  const { faults, counters } = await kr.stats(name);
  return {
    texts: cards.filter(({ text }) => text !== 'tally').map(({ text }) => text),
    tally: cards.find(({ text }) => text === 'tally')?.votes ?? 0,
    faults: Object.values(faults)[0] ?? {},
    counters: Object.values(counters)[0] ?? {},
  };
}

/** What a disk without the room has, past the package: nothing at all is another matter than all but one row. */
async function rowCounts(): Promise<string> {
  const counts: string[] = [];
  for (const { name = '' } of await indexedDB.databases()) {
    const db = await settled(indexedDB.open(name));
    for (const store of db.objectStoreNames) {
      counts.push(`${name}/${store} ${await settled(db.transaction(store).objectStore(store).count())}`);
    }
    db.close();
  }
  return counts.join(', ') || 'no database';
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new Error(request.error?.name));
  });
}

/** Less than the test waits, so that it is the page that says what is missing. */
const patienceMs = 25_000;

/** Resolves when the room's status, or its cards, satisfy `isSo`; rejects with what the engine counted when they do not. */
function until(name: string, isSo: () => boolean): Promise<void> {
  const room = kr.room(name);
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (isSo()) resolve();
    };
    const tell = async (): Promise<void> => {
      const { errors } = kr.devices[name]!;
      const state = { status: room.status.value, errors, ...(await kr.stats(name)) };
      reject(new Error(`${name} waits in vain: ${JSON.stringify(state)}`));
    };
    setTimeout(() => void tell().catch(reject), patienceMs);
    room.status.subscribe(look);
    room.data.cards.subscribe(look);
  });
}

async function found(networks: readonly Via[], guest: boolean): Promise<void> {
  await kr.create('ada', { key, networks });
  await kr.room('ada').data.cards.insert({ text: 'tally' }).saved();
  const { code } = await kr.invite('ada', { role: editor });
  if (guest) {
    kr.device('guest', { namespace: 'guest' });
    kr.join('guest', code, networks);
    await kr.joined('guest', 20_000);
    await until('guest', () => kr.texts('guest').length === 1);
  }
  await say({ is: 'founded', invite: guest ? null : code });
}

async function visit(networks: readonly Via[]): Promise<void> {
  if (!(await kr.open('ada', key))) throw new Error(`the room is gone; the disk has ${await rowCounts()}`);
  await say({ is: 'opened', ada: await stateOf('ada') });
  if (networks.length > 0) {
    const startedMs = performance.now();
    for (const network of networks) kr.attach('ada', network);
    await until('ada', () => kr.room('ada').status.value.network === 'up-to-date');
    await say({ is: 'online', ada: await stateOf('ada'), tookMs: Math.round(performance.now() - startedMs) });
  }
}

/** Never resolves. */
async function write(): Promise<void> {
  const room = kr.room('ada');
  const { cards } = room.data;
  const tally = cards.value.find(({ text }) => text === 'tally')!.id;
  let next = 0;
  const one = async (): Promise<void> => {
    for (;;) {
      const n = next++;
      const both = room.transact(() => {
        cards.insert({ text: `${round}:${n}` });
        cards.increment(tally, 'votes');
      });
      await both.saved();
      void say({ is: 'saved', n });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

async function reunite(networks: readonly Via[], count: number): Promise<void> {
  kr.device('guest', { namespace: 'guest' });
  const [roomId] = await new Promise<readonly string[]>((resolve) => {
    kr.devices['guest']!.client.rooms.subscribe((rooms) => {
      if (rooms.length > 0) resolve(rooms.map(({ id }) => id));
    });
  });
  await kr.open('guest', roomId!, networks);
  await kr.open('ada', key, networks);
  await until('guest', () => kr.texts('guest').length === count + 1);
  await until('ada', () => kr.room('ada').status.value.undelivered === 0);
  await say({ is: 'united', ada: await stateOf('ada'), guest: await stateOf('guest') });
}

try {
  kr.device('ada', { namespace: 'ada' });
  if (task.do === 'found') await found(task.networks, task.guest);
  else if (task.do === 'reunite') await reunite(task.networks, task.count);
  else {
    await visit(task.networks);
    if (task.do === 'write') await write();
  }
} catch (error) {
  await say({ is: 'failed', why: String(error) });
}
