import { expect, test, vi } from 'vitest';
import type { RoomInfo } from '../../src/bridge/index.js';
import { createMemoryNetwork, type MemoryNetwork } from '../../src/transport/index.js';
import { encodeDeclaration } from '../../src/core/schema/index.js';
import { nodeTime, startDevice, testDeclaration, until, type RigDevice, type RigRoom, type RigTab } from './rig.kit.js';

const declaration = encodeDeclaration(testDeclaration);
const profile = { name: 'Bob', color: null };
const role = { rank: 20, perms: 7, write: null };

/** Every BEACON says to hold so many entries of each domain. */
const lie = vi.hoisted(() => ({ count: null as number | null }));

vi.mock(import('../../src/core/wire/index.js'), async (original) => {
  const real = await original();
  return {
    ...real,
    encodeBeacon: (beacon) => {
      const domains = beacon.domains.map((said) => ({ ...said, count: lie.count ?? said.count }));
      return real.encodeBeacon({ ...beacon, domains });
    },
  };
});

interface Host {
  readonly device: RigDevice;
  readonly tab: RigTab;
  readonly room: RigRoom;
  readonly network: MemoryNetwork;
  /** Lets one in. */
  readonly link: string;
}

/** Texts that do not shrink: each pack holds few of them. */
const text = (n: number): string =>
  Array.from({ length: 900 }, (_, i) => String.fromCharCode(33 + ((n * 7919 + i * i * 31) % 90))).join('');

async function write(room: RigRoom, count: number): Promise<void> {
  let last = 0;
  for (let n = 0; n < count; n++) {
    last = room.write('main', [{ kind: 'insert', collection: 'cards', id: room.newId(), fields: { text: text(n) } }]);
    if (n % 100 === 99) await until(() => room.saved() === last);
  }
}

async function startHost(cards: number): Promise<Host> {
  const network = createMemoryNetwork({ random: () => 0.5, schedule: (ms, run) => nodeTime.after(ms, run) });
  const device = await startDevice();
  const tab = device.tab();
  const made = { request: 'aa'.repeat(16), key: null, title: 'Plans', declaration, profile };
  const { room } = await tab.call('create', made);
  tab.lend(room, network.transport('host'));
  await write(tab.room(room), cards);
  const invite = { room, request: '1', role, maxUses: 1, expiresInMs: 600_000 };
  const { code } = await tab.call('createInvite', invite);
  return { device, tab, room: tab.room(room), network, link: code ?? '' };
}

/** Keys of all rows of rooms on the disk of a device. */
async function stored({ ports }: RigDevice): Promise<string[]> {
  const tables = ['rooms', 'keys', 'packs', 'drafts', 'marks', 'state'] as const;
  const rows = tables.map(async (table) =>
    (await ports.store.keys(table, [])).map((key) => `${table} ${key.slice(1).join()}`),
  );
  return (await Promise.all(rows)).flat();
}

const codeOf = (error: { code?: string }): string | undefined => error.code;
/** Resolves in the moment in which a tab hears that its join is so far. */
function heard({ joins }: RigTab, progress: number): Promise<void> {
  return new Promise((resolve) => {
    joins.push = (...steps) => {
      if (steps.some((one) => one.progress >= progress)) resolve();
      return Array.prototype.push.apply(joins, steps);
    };
  });
}

const loading = ({ joins }: RigTab): number[] =>
  joins.filter(({ step }) => step === 'loading').map(({ progress }) => progress);

test.each([null, 2 ** 48 - 1])(
  '[B08] a join shows how far it is, also when BEACONs claim %s entries',
  async (count) => {
    lie.count = count;
    const host = await startHost(2_000);
    const guest = await startDevice();
    const tab = guest.tab();
    tab.lend(host.room.room, host.network.transport('guest'));
    await tab.call('join', { join: 'j', link: host.link, declaration, profile });
    lie.count = null;
    const values = loading(tab);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(new Set(values).size).toBeGreaterThanOrEqual(10);
    for (const value of values) expect(value >= 0 && value <= 0.99).toBe(true);
    if (count === null) expect(values.at(-1)).toBeGreaterThan(0.9);
    await guest.engine.stop();
    await host.device.engine.stop();
  },
  30_000,
);

test('[B08] a join that is given up in the middle leaves its request alone, by which the same link lets it in again', async () => {
  const host = await startHost(1_000);
  const guest = await startDevice();
  const tab = guest.tab();
  tab.lend(host.room.room, host.network.transport('guest'));
  const first = tab.call('join', { join: 'a', link: host.link, declaration, profile }).catch(codeOf);
  await heard(tab, 0.2);
  tab.giveUp();
  expect(await first).toBe('aborted');
  await vi.waitFor(async () => expect(await stored(guest)).toEqual(['state join']));
  expect((await tab.call('stats', {})).counters).toEqual({});
  expect(tab.client()?.rooms).toEqual([]);
  await tab.call('join', { join: 'b', link: host.link, declaration, profile });
  await until(() => tab.room(host.room.room).rows('cards').size === 1_000);
  expect(host.room.info().members).toHaveLength(2);
  await guest.engine.stop();
  await host.device.engine.stop();
}, 30_000);

test('[B08] what joins that were given up have left, keys and packs, goes when everything is erased', async () => {
  const host = await startHost(1_000);
  const guest = await startDevice();
  const [tab, page] = [guest.tab(), guest.tab()];
  page.lend(host.room.room, host.network.transport('guest'));
  page.call('join', { join: 'a', link: host.link, declaration, profile }).catch(codeOf);
  await heard(page, 0.2);
  page.gone();
  await vi.waitFor(async () => expect((await tab.call('stats', {})).counters).toEqual({}));
  expect(await stored(guest)).toEqual(expect.arrayContaining(['state join']));
  await tab.call('erase', {});
  expect(await stored(guest)).toEqual([]);
  await guest.engine.stop();
  await host.device.engine.stop();
}, 30_000);

test('[B08] a join that nobody could have heard of leaves nothing', async () => {
  const host = await startHost(1);
  const guest = await startDevice();
  const tab = guest.tab();
  const join = tab.call('join', { join: 'a', link: host.link, declaration, profile }).catch(codeOf);
  await vi.waitFor(async () => expect(await stored(guest)).toEqual(['state join']));
  tab.giveUp();
  expect(await join).toBe('aborted');
  await vi.waitFor(async () => expect(await stored(guest)).toEqual([]));
  await guest.engine.stop();
  await host.device.engine.stop();
});

test('[B08] a page that goes while it joins finds what was fetched when it comes back', async () => {
  const host = await startHost(1_000);
  const guest = await startDevice();
  const tab = guest.tab();
  tab.lend(host.room.room, host.network.transport('guest'));
  tab.call('join', { join: 'a', link: host.link, declaration, profile }).catch(codeOf);
  await heard(tab, 0.2);
  tab.gone();
  const again = guest.tab();
  await vi.waitFor(async () => expect((await again.call('stats', {})).counters).toEqual({}));
  expect(await stored(guest)).toContainEqual(expect.stringMatching(/^packs/));
  again.lend(host.room.room, host.network.transport('guest again'));
  await again.call('join', { join: 'b', link: host.link, declaration, profile });
  const { counters } = await again.call('stats', {});
  expect(counters[host.room.room]?.['entriesFetched'] ?? 0).toBeLessThan(1_000);
  await until(() => again.room(host.room.room).rows('cards').size === 1_000);
  expect(host.room.info().members).toHaveLength(2);
  await guest.engine.stop();
  await host.device.engine.stop();
}, 30_000);

/** A device that has joined and was away for a while: its room from the disk alone, and what its pages hear of syncing. */
async function comeBack(host: Host, whileAway: () => Promise<void>) {
  const { room } = host.room;
  const guest = await startDevice();
  const tab = guest.tab();
  tab.lend(room, host.network.transport('guest'));
  await tab.call('join', { join: 'a', link: host.link, declaration, profile });
  await guest.engine.stop();
  await whileAway();
  const device = await startDevice({ disk: guest.disk });
  const back = device.tab();
  await back.call('open', { room, declaration });
  const syncing: RoomInfo[] = [];
  const spy = device.engine.attach('spy', (message) => {
    const info = message.t === 'view' ? message.update.info : null;
    if (info?.network === 'syncing') syncing.push(info);
  });
  spy.deliver({ t: 'call', id: 1, name: 'open', args: { room, declaration } });
  const lend = (): void => back.lend(room, host.network.transport('guest again'));
  return { device, view: back.room(room), syncing, lend };
}

test('[B08] a device that comes back shows in its status how much of its catching up is done', async () => {
  const host = await startHost(10);
  const { device, view, syncing, lend } = await comeBack(host, () => write(host.room, 6_000));
  expect(view.info()).toMatchObject({ network: 'offline', progress: 1 });
  lend();
  await until(() => view.info().network === 'up-to-date' && view.rows('cards').size === 6_010);
  const seen = syncing.map(({ progress }) => progress);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(new Set(seen).size).toBeGreaterThan(2);
  expect(view.info().progress).toBe(1);
  await device.engine.stop();
  await host.device.engine.stop();
}, 30_000);

test('[B08] how much of what was written alone is signed shows in the status, once somebody has come', async () => {
  const host = await startHost(10);
  const { device, view, syncing, lend } = await comeBack(host, () => Promise.resolve());
  await write(view, 1_000);
  expect(view.info()).toMatchObject({ network: 'offline', progress: 1 });
  expect(view.info().undelivered).toBeGreaterThanOrEqual(1_000);
  lend();
  await until(() => view.info().network === 'up-to-date' && view.info().undelivered === 0);
  const seen = syncing.filter(({ undelivered }) => undelivered > 0).map(({ progress }) => progress);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(new Set(seen).size).toBeGreaterThan(4);
  expect([view.info().progress, host.room.rows('cards').size]).toEqual([1, 1_010]);
  await device.engine.stop();
  await host.device.engine.stop();
}, 30_000);
