/** What takes long shows how far it is, and ends when it is told to: a join to a large room, and opening one. */
import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import type { Via } from './pages/room.js';
import { attachSaid, openPage, peer, ready, startHarness, type Peer } from './support/keeproom-page.js';
import type { StaticServer } from './support/static-server.js';

let server: StaticServer;
let channels = 0;
test.beforeAll(async () => {
  server = await startHarness();
});
test.afterAll(() => server.close());
test.afterEach(({ context }, info) => attachSaid(info, [context]));

/** So many sets of records, in transactions of so many. */
interface Size {
  readonly sets: number;
  readonly perTransaction: number;
  /** Records that the sets are of. */
  readonly records: number;
}

const large: Size = { sets: 100_000, perTransaction: 100, records: 2_000 };
const long: Size = { sets: 20_000, perTransaction: 1, records: 2_000 };

interface Host {
  readonly ada: Peer;
  readonly network: Via;
  readonly code: string;
}

/** A member with a room of this size, in a page of her own. */
async function hostOf(context: BrowserContext, size: Size, maxUses: number): Promise<Host> {
  const network: Via = { via: 'broadcast', channel: `progress-${channels++}` };
  const ada = await peer(await openPage(context, server), 'ada');
  await ada.create({ networks: [network] });
  await ada.page.evaluate(async ({ sets, perTransaction, records }) => {
    const room = window.kr.room('ada');
    const { cards } = room.data;
    const ids: string[] = [];
    for (let from = 0; from < sets;) {
      const writes = [];
      for (let n = 0; n < 64 && from < sets; n++, from += perTransaction) {
        const write = room.transact(() => {
          for (let i = from; i < from + perTransaction; i++) {
            const id = ids[i % records];
            if (id === undefined) ids.push(cards.insert({ text: `card ${i}` }).id);
            else cards.update(id, { text: `card ${i}` });
          }
        });
        writes.push(write);
      }
      await Promise.all(writes.map((write) => write.saved()));
    }
  }, size);
  const { code } = await ada.invite({ role: 'editor', maxUses });
  return { ada, network, code };
}

interface Seen {
  /** Each value of `progress` while it loaded, and when it came. */
  readonly moves: readonly { readonly progress: number; readonly ms: number }[];
  readonly ms: number;
  readonly end: string;
}

/** Joins and writes down how far it says to be; aborts when it says to be at `until`. */
async function join(page: Page, o: { name: string; code: string; network: Via; until: number }): Promise<Seen> {
  return page.evaluate(async ({ name, code, network, until }) => {
    const started = performance.now();
    window.kr.join(name, code, [network]);
    const { join } = window.kr.devices[name]!;
    const moves: { progress: number; ms: number }[] = [];
    await new Promise<void>((resolve) => {
      join!.state.subscribe(({ step, progress }) => {
        const ms = Math.round(performance.now() - started);
        if (progress !== (moves.at(-1)?.progress ?? 0)) moves.push({ progress, ms });
        if (step === 'failed' || step === 'joined') resolve();
        if (progress >= until && step === 'loading') join!.cancel();
      });
    });
    const ended = await window.kr.joined(name, 10_000);
    const ms = Math.round(performance.now() - started);
    return { moves, ms, end: ended.ok ? 'joined' : ended.code };
  }, o);
}

/** Keys of what is stored for the rooms of a device, by table. */
function stored(page: Page, namespace: string): Promise<readonly string[]> {
  return page.evaluate(async (of) => {
    const settled = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(new Error(request.error?.name));
      });
    const [{ name = '' } = {}] = (await indexedDB.databases()).filter((one) => one.name?.includes(of) === true);
    const db = await settled(indexedDB.open(name));
    const found: string[] = [];
    for (const table of ['rooms', 'keys', 'packs', 'drafts', 'marks', 'state'])
      for (const key of await settled(db.transaction(table).objectStore(table).getAllKeys()))
        found.push(`${table} ${JSON.stringify(key)}`);
    db.close();
    return found;
  }, namespace);
}

for (const [what, size] of [
  ['100,000 sets in 1,000 transactions', large],
  ['20,000 entries of one set', long],
] as const)
  test(`[B08] a joiner to ${what} sees progress; given up in the middle, it leaves its request alone`, async ({
    context,
    browserName,
  }) => {
    const began = Date.now();
    const { ada, network, code } = await hostOf(context, size, 1);
    const madeMs = Date.now() - began;
    const page = await openPage(context, server);
    const bob = await peer(page, 'bob');

    const first = await join(page, { name: 'bob', code, network, until: 0.4 });
    expect(first.end).toBe('aborted');
    const cleaning = Date.now();
    await expect.poll(() => stored(page, 'bob'), { intervals: [20] }).toHaveLength(1);
    const cleanMs = Date.now() - cleaning;
    expect(await stored(page, 'bob')).toEqual([expect.stringMatching(/^state \["[0-9a-f]{64}","join"\]$/)]);
    expect(await page.evaluate(() => window.kr.devices['bob']!.client.rooms.value)).toEqual([]);
    const framesAt = await bob.frames().then((frames) => frames.length);
    await page.waitForTimeout(500);
    expect((await bob.frames()).length).toBe(framesAt);

    const second = await join(page, { name: 'bob', code, network, until: 2 });
    expect(second.end).toBe('joined');
    expect(await ada.members()).toHaveLength(2);
    const values = second.moves.map(({ progress }) => progress);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(values.at(-1)).toBe(1);
    expect(values.length).toBeGreaterThanOrEqual(10);
    expect((await bob.texts()).length).toBe(size.records);
    const status = (): Promise<unknown> => page.evaluate(() => window.kr.room('bob').status.value);
    await expect.poll(status).toMatchObject({ network: 'up-to-date', progress: 1 });
    const moves = second.moves.map(({ progress, ms }) => `${progress}@${ms}`);
    console.log(
      `[B08] ${browserName}, ${what}: made in ${madeMs} ms; given up at ${first.moves.at(-1)?.progress} after ${first.ms} ms, clean ${cleanMs} ms later; joined again in ${second.ms} ms, ${moves.length} moves: ${moves.join(' ')}`,
    );
  });

test('[B08] opening a large room ends with its signal, in the worker too', async ({ context, browserName }) => {
  const size: Size = { ...large, records: 20_000 };
  const { ada } = await hostOf(context, size, 1);
  const id = await ada.page.evaluate(() => window.kr.room('ada').id);
  await ada.page.reload();
  await ready(ada.page);
  const again = await peer(ada.page, 'ada');
  const seen = await ada.page.evaluate(async (room) => {
    const { schema, attempt, stats } = window.kr;
    const { client } = window.kr.devices['ada']!;
    await stats('ada'); // the engine runs
    const open = (signal: AbortSignal) =>
      attempt(async () => {
        await client.openRoom(room, { schema, signal });
      });
    const started = performance.now();
    const before = await open(AbortSignal.abort());
    const atOnceMs = performance.now() - started;
    const later = await open(AbortSignal.timeout(100));
    const aborted = performance.now();
    const { counters } = await stats('ada');
    return { before, later, open: Object.keys(counters), atOnceMs, closedMs: performance.now() - aborted };
  }, id);
  const aborted = { ok: false, name: 'KeeproomError', code: 'aborted' };
  expect(seen).toMatchObject({ before: aborted, later: aborted, open: [] });
  const opening = Date.now();
  expect(await again.open(id)).toBe(true);
  const openMs = Date.now() - opening;
  expect((await again.texts()).length).toBe(size.records);
  expect(await again.faults()).toEqual({});
  console.log(
    `[B08] ${browserName}: opening given up after 100 ms, the worker free ${Math.round(seen.closedMs)} ms later; opened in ${openMs} ms`,
  );
});
