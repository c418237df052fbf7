/** What lies in IndexedDB: nothing that somebody wrote, no name, no secret, and one write transaction per flush. */
import { createHash, hkdfSync } from 'node:crypto';
import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import type { Leaf } from './pages/dump.js';
import type { Via } from './pages/room.js';
import {
  attachSaid,
  compiled,
  openPage,
  peer,
  probed,
  probeWorker,
  ready,
  startHarness,
  type Peer,
} from './support/keeproom-page.js';
import type { StaticServer } from './support/static-server.js';

let server: StaticServer;
test.beforeAll(async () => {
  server = await startHarness({ files: { '/pages/dump.js': compiled('../pages/dump.ts') } });
});
test.afterAll(() => server.close());
test.afterEach(({ context }, info) => attachSaid(info, [context]));

const network: Via = { via: 'broadcast', channel: 'at-rest' };

async function dump(page: Page): Promise<Leaf[]> {
  await page.addScriptTag({ type: 'module', url: '/pages/dump.js' });
  await page.waitForFunction(() => 'dump' in window, undefined, { timeout: 5_000 });
  return page.evaluate(() => window.dump());
}

/** Where these bytes lie: as they are, or as hex, base64 or base64url, in bytes or in a text or a key. */
function whereIs(needle: Buffer, leaves: readonly Leaf[]): string[] {
  const texts = [needle.toString('hex'), needle.toString('base64url'), needle.toString('base64').replace(/=+$/, '')];
  const utf16 = Buffer.from(needle.toString('latin1'), 'utf16le');
  const forms = [needle, utf16, ...texts.map((text) => Buffer.from(text))].map((form) => form.toString('latin1'));
  return leaves
    .filter((leaf) => {
      if ('bytes' in leaf) {
        const hay = Buffer.from(leaf.bytes, 'hex').toString('latin1');
        return forms.some((form) => hay.includes(form));
      }
      return 'text' in leaf && forms.some((form) => Buffer.from(leaf.text).toString('latin1').includes(form));
    })
    .map(({ path }) => path);
}

/** What people wrote, and the names of the app's collections, fields, roles and domains. */
const canaries = {
  person: 'Ada Canary-Lovelace',
  otherPerson: 'Bob Canary-Babbage',
  title: 'Canary title of the room',
  card: 'canary written while connected',
  offline: 'canary written while nobody was there',
  said: 'canary said in the chat',
  theme: 'canarytheme',
  collections: ['cards', 'settings'],
  fields: ['votes', 'theme'],
  role: 'guest',
  app: 'harness',
};

interface Secrets {
  readonly code: string;
  /** Whole results of getRandomValues in the engines' threads, in hex. */
  readonly random: Set<string>;
  readonly dataKeys: Set<string>;
}

/** Two devices that do everything there is, then one of them alone, and a third that nobody lets in. */
async function livedIn(context: BrowserContext): Promise<{ page: Page; secrets: Secrets; room: string }> {
  const page = await openPage(context, server);
  const secrets: Secrets = { code: '', random: new Set(), dataKeys: new Set() };
  const remember = async (...peers: readonly Peer[]): Promise<void> => {
    for (const one of peers) {
      const { random, encrypted } = await probed(one);
      for (const bytes of random) secrets.random.add(bytes);
      for (const bytes of encrypted) secrets.dataKeys.add(bytes);
    }
  };
  const ada = await peer(page, 'ada', { person: canaries.person, worker: probeWorker });
  const room = await ada.create({ key: 'room', title: canaries.title, networks: [network] });
  const { code } = await ada.invite({ role: 'guest' });
  const { code: editors } = await ada.invite({ role: 'editor' });
  const bob = await peer(page, 'bob', { person: canaries.otherPerson, worker: probeWorker });
  await bob.join(editors, [network]);
  expect(await bob.joined()).toMatchObject({ ok: true });
  await ada.write(canaries.card);
  await bob.shows([canaries.card]);
  await page.evaluate(async ({ said, theme }) => {
    const { chat, settings } = window.kr.room('bob').data;
    await Promise.all([chat.insert({ text: said }), settings.update({ theme })].map((write) => write.delivered()));
  }, canaries);
  await remember(ada, bob);

  await page.reload();
  await ready(page);
  const alone = await peer(page, 'ada', { person: canaries.person, worker: probeWorker });
  await alone.open('room');
  await alone.write(canaries.offline);
  const cem = await peer(page, 'cem', { person: canaries.otherPerson, worker: probeWorker });
  await cem.join(code, [{ via: 'broadcast', channel: 'nobody' }]);
  await expect
    .poll(() => page.evaluate(() => window.kr.devices['cem']?.join?.state.value.step))
    .toBe('waiting-for-host');
  await remember(alone, cem);
  return { page, secrets: { ...secrets, code }, room };
}

test('[S10] nothing in IndexedDB can be read: no text, name, private key, epoch key, data key or invite secret', async ({
  context,
  browserName,
}) => {
  const { page, secrets, room } = await livedIn(context);
  const leaves = await dump(page);
  const rowsOf = (store: string): number =>
    new Set(leaves.filter(({ path }) => path.includes(`/${store}/`)).map(({ path }) => path.split(']')[0])).size;
  // Every kind of row is there to be looked at.
  for (const store of ['client', 'rooms', 'keys', 'packs', 'drafts', 'marks', 'state'])
    expect(rowsOf(store), store).toBeGreaterThan(0);

  for (const canary of Object.values(canaries).flat()) expect(whereIs(Buffer.from(canary), leaves), canary).toEqual([]);

  const roomId = Buffer.from(room, 'hex');
  const secret = Buffer.from(secrets.code, 'base64url').subarray(33, 49);
  const derived = ['keeproom/invsg01', 'keeproom/invpk01'].map((label) =>
    Buffer.from(hkdfSync('sha256', secret, roomId, label, 32)),
  );
  for (const hidden of [secret, Buffer.from(secrets.code), ...derived]) expect(whereIs(hidden, leaves)).toEqual([]);

  // An epoch key is known by its id, which is the key of its row.
  const kidOf = (key: Buffer): string =>
    createHash('sha256').update('keeproom/kid/001').update(roomId).update(Buffer.alloc(32)).update(key).digest('hex');
  const epochKeys = [...secrets.random].filter(
    (hex) => hex.length === 64 && isRowKey(leaves, kidOf(Buffer.from(hex, 'hex'))),
  );
  expect(epochKeys).toHaveLength(1);
  // One data key per device: ada's, bob's and cem's.
  expect(secrets.dataKeys.size).toBe(3);
  for (const key of [...epochKeys, ...secrets.dataKeys]) expect(whereIs(Buffer.from(key, 'hex'), leaves)).toEqual([]);

  const publicRandom = [...secrets.random].flatMap((hex) => whereIs(Buffer.from(hex, 'hex'), leaves));
  for (const path of publicRandom) expect(path).toMatch(mayBeRandom);

  const keys = leaves.flatMap((leaf) => ('key' in leaf ? [leaf.key] : []));
  const hidden = keys.filter(({ type }) => type !== 'public');
  expect(hidden.length).toBeGreaterThanOrEqual(3);
  expect(hidden.filter(({ extractable }) => extractable)).toEqual([]);
  console.log(
    `[S10] ${browserName}: ${leaves.length} values looked at; ${secrets.random.size} random outputs, ` +
      `${publicRandom.length} of them in the clear and public; ${hidden.length} private or secret CryptoKeys, none extractable`,
  );
});

/** The only random numbers that may lie there as they are: names of requests. */
const mayBeRandom = /\/(request|requestId)$/;

function isRowKey(leaves: readonly Leaf[], text: string): boolean {
  return leaves.some((leaf) => 'text' in leaf && leaf.path.includes('/keys/') && leaf.text === text);
}

test('[S10] what is looked for is found when it is there, in every form', async ({ context }) => {
  const page = await openPage(context, server);
  const needle = 'needle in a haystack';
  await page.evaluate(async (text) => {
    const bytes = new TextEncoder().encode(`around ${text} around`);
    const hex = Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, '0')).join('');
    const key = [text, 1];
    const values = {
      bytes: bytes.slice(),
      // Outside of the view, but in what is stored.
      beside: new Uint8Array(bytes.buffer, 0, 4),
      deep: [{ map: new Map([['a', new Set([btoa(text)])]]) }],
      hex,
      name: { [text]: 1 },
    };
    await new Promise<void>((resolve, reject) => {
      const opening = indexedDB.open('haystack');
      opening.onupgradeneeded = () => opening.result.createObjectStore('rows').put(values, key);
      opening.onsuccess = () => {
        opening.result.close();
        resolve();
      };
      opening.onerror = () => reject(new Error(opening.error?.name));
    });
  }, needle);
  const found = whereIs(Buffer.from(needle), await dump(page)).map((path) => path.split(']').at(-1));
  expect(found).toEqual(['/key/0', '/bytes', '/beside', '/deep/0/map/a/*', '/hex', '/name']);
});

/** No transaction of a room this small is under way for so long. */
const quietMs = 500;

/** Both counts at a moment in which nothing is under way: neither moved for a while, so none was begun and not counted yet. */
async function counts(one: Peer): Promise<{ readwrite: number; commits: number }> {
  const read = async () => ({ readwrite: (await probed(one)).readwrite, commits: (await one.stats()).commits });
  for (let last = await read(); ;) {
    await new Promise((resolve) => setTimeout(resolve, quietMs));
    const now = await read();
    if (now.readwrite === last.readwrite && now.commits === last.commits) return now;
    last = now;
  }
}

test('[S10] one readwrite transaction per flush', async ({ context, browserName }) => {
  const page = await openPage(context, server);
  const ada = await peer(page, 'ada', { worker: probeWorker });
  await ada.create({ networks: [network] });
  const { code } = await ada.invite({ role: 'editor' });
  const bob = await peer(page, 'bob');
  await bob.join(code, [network]);
  expect(await bob.joined()).toMatchObject({ ok: true });
  const before = await counts(ada);

  const together = Array.from({ length: 100 }, (_, n) => `together ${n}`);
  await ada.write(...together);
  const written = await counts(ada);
  for (let n = 0; n < 20; n++) await ada.write(`alone ${n}`);
  const foreign = Array.from({ length: 50 }, (_, n) => `foreign ${n}`);
  await bob.write(...foreign);
  await expect.poll(async () => (await ada.texts()).length).toBe(170);
  await expect.poll(async () => (await ada.status()).undelivered).toBe(0);
  const after = await counts(ada);

  const commits = after.commits - before.commits;
  expect(after.readwrite - before.readwrite).toBe(commits);
  // A hundred writes of one task share their commits; twenty that wait for each other have one each at least.
  expect(written.commits - before.commits).toBeLessThan(20);
  expect(commits).toBeGreaterThan(20);
  console.log(
    `[S10] ${browserName}: ${commits} readwrite transactions for ${commits} flushes of 170 entries; ` +
      `${written.commits - before.commits} for 100 writes of one task`,
  );
});
