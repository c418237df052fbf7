/** Rules that show only between whole engines on a network. */
import { expect, test } from 'vitest';
import { encodeDeclaration } from '../../src/core/schema/index.js';
import type { NetworkState } from '../../src/bridge/index.js';
import {
  createMemoryNetwork,
  maxFrameBytes,
  type MemoryNetwork,
  type Transport,
  type TransportEvents,
} from '../../src/transport/index.js';
import { nodeTime, startDevice, testDeclaration, until, type RigDevice, type RigRoom, type RigTab } from './rig.kit.js';

const declaration = encodeDeclaration(testDeclaration);
const slow = { ms: 40_000 };

interface Member {
  readonly device: RigDevice;
  readonly tab: RigTab;
  readonly room: RigRoom;
}

function createNetwork(): MemoryNetwork {
  return createMemoryNetwork({ random: () => 0.5, schedule: (ms, run) => nodeTime.after(ms, run) });
}

async function found(network: MemoryNetwork): Promise<Member> {
  const device = await startDevice();
  const tab = device.tab();
  const profile = { name: 'Ada', color: null };
  const request = { request: 'aa'.repeat(16), key: 'plans', title: 'Plans', declaration, profile };
  const { room: id } = await tab.call('create', request);
  tab.lend(id, network.transport('ada'));
  return { device, tab, room: tab.room(id) };
}

async function inviteOf({ tab, room }: Member, maxUses: number): Promise<string> {
  const role = { rank: 20, perms: 7, write: null };
  const made = await tab.call('createInvite', {
    room: room.room,
    request: `invite ${String(maxUses)}`,
    role,
    maxUses,
    expiresInMs: 600_000,
  });
  return made.code ?? '';
}

async function join(
  host: Member,
  o: { network: MemoryNetwork; name: string; link: string; device?: RigDevice },
): Promise<Member> {
  const device = o.device ?? (await startDevice());
  const tab = device.tab();
  tab.lend(host.room.room, o.network.transport(o.name));
  const profile = { name: o.name, color: null };
  await tab.call('join', { join: o.name, link: o.link, declaration, profile });
  return { device, tab, room: tab.room(host.room.room) };
}

async function reopen(disk: RigDevice['disk'], network: MemoryNetwork, address: string): Promise<Member> {
  const device = await startDevice({ disk });
  const tab = device.tab();
  const opened = await tab.call('open', { room: 'plans', declaration });
  if (opened === null) throw new TypeError('no such room');
  tab.lend(opened.room, network.transport(address));
  return { device, tab, room: tab.room(opened.room) };
}

const texts = ({ room }: Member): unknown[] => [...room.rows('cards').values()].map((row) => row['text']).sort();
const isAtRest = (members: readonly Member[]): boolean =>
  members.every(({ room }) => room.info().network === 'up-to-date');

async function countersOf({ tab, room }: Member): Promise<Readonly<Record<string, number>>> {
  return (await tab.call('stats', {})).counters[room.room] ?? {};
}

async function stopAll(members: readonly Member[]): Promise<void> {
  for (const { device } of members) await device.engine.stop();
}

/** Bytes of packs that come for ten missing entries after that many. */
async function bytesForTen(history: number): Promise<number> {
  const network = createNetwork();
  const ada = await found(network);
  const bob = await join(ada, { network, name: 'bob', link: await inviteOf(ada, 5) });
  for (let i = 0; i < history; i++) ada.room.insertCard(`card ${String(i).padStart(6, '0')}`);
  await until(() => bob.room.rows('cards').size === history && isAtRest([ada, bob]), { ms: 120_000, what: 'history' });
  network.partition([['ada'], ['bob']]);
  await until(() => ada.room.info().network === 'alone' && bob.room.info().network === 'alone', slow);
  const before = (await countersOf(bob))['packBytesIn'] ?? 0;
  for (let i = 0; i < 10; i++) ada.room.insertCard(`late ${String(i).padStart(6, '0')}`);
  await until(() => ada.room.saved() === history + 10, slow);
  network.partition([]);
  await until(() => bob.room.rows('cards').size === history + 10 && isAtRest([ada, bob]), slow);
  const bytes = ((await countersOf(bob))['packBytesIn'] ?? 0) - before;
  await stopAll([ada, bob]);
  return bytes;
}

test('[S12] ten missing entries cost the same bytes after 1,000 and after 10,000 entries of history', async () => {
  const [small, large] = [await bytesForTen(1000), await bytesForTen(10_000)];
  console.log(`[S12] ten entries: ${String(small)} B after 1,000, ${String(large)} B after 10,000`);
  expect(small).toBeGreaterThan(0);
  expect(Math.abs(large - small) / small).toBeLessThanOrEqual(0.05);
}, 300_000);

test('[X11] alone is who has every network up and nobody there; until then it says connecting', async () => {
  const ada = await found(createNetwork());
  const call: TransportEvents[] = [];
  const open: Transport['open'] = (on) => {
    call.push(on);
    return { self: 'ada', maxFrameBytes, send: async () => undefined, close: () => undefined };
  };
  const shows = (state: NetworkState): Promise<void> => until(() => ada.room.info().network === state);
  await shows('alone');
  ada.tab.lend(ada.room.room, { type: 'call', open });
  await shows('connecting');
  call[0]?.state('up');
  await shows('alone');
  call[0]?.state('stalled');
  await shows('connecting');
  await ada.device.engine.stop();
});

test('[S16] an invite for one, used by two at the same time, lets exactly one in', async () => {
  const network = createNetwork();
  const ada = await found(network);
  const link = await inviteOf(ada, 1);
  const joins = ['bob', 'cyd'].map((name) => join(ada, { network, name, link }));
  const results = await Promise.allSettled(joins);
  const refused = results.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []));
  expect(refused).toEqual([expect.objectContaining({ code: 'invite/used' })]);
  expect(ada.room.info().members).toHaveLength(2);
  expect((await countersOf(ada))['grantsWritten']).toBe(1);
  const inside = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  await stopAll([ada, ...inside]);
}, 90_000);

test('[X8] a lost ACK is made good by the next beacon, and is known after a restart', async () => {
  const network = createNetwork();
  const ada = await found(network);
  const bob = await join(ada, { network, name: 'bob', link: await inviteOf(ada, 5) });
  await until(() => isAtRest([ada, bob]), slow);
  network.cut('bob', 'ada');
  ada.room.insertCard('heard, and not acknowledged');
  await until(() => texts(bob).length === 1, slow);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(ada.room.delivered()).toBe(0);
  network.mend('bob', 'ada');
  await until(() => ada.room.delivered() === 1, { ms: 40_000, what: 'the beacon tells' });
  expect(ada.room.info().undelivered).toBe(0);
  await stopAll([ada, bob]);
  const alone = await reopen(ada.device.disk, createNetwork(), 'ada');
  await until(() => texts(alone).length === 1, slow);
  expect(alone.room.info().undelivered).toBe(0);
  await stopAll([alone]);
}, 120_000);

test('[F6] a device restored from an older copy, where nobody knew better, forks: all end alike, and it signs no more', async () => {
  const network = createNetwork();
  const ada = await found(network);
  const link = await inviteOf(ada, 5);
  const [bob, cyd] = [await join(ada, { network, name: 'bob', link }), await join(ada, { network, name: 'cyd', link })];
  await until(() => isAtRest([ada, bob, cyd]), slow);
  bob.room.insertCard('before');
  await until(() => [ada, bob, cyd].every((one) => texts(one).length === 1) && isAtRest([ada, bob, cyd]), slow);
  const copy = bob.device.disk.copy();
  // Only Ada hears the one, only Cyd the other.
  network.partition([
    ['ada', 'bob'],
    ['cyd', 'copy'],
  ]);
  bob.room.insertCard('on one branch');
  await until(() => texts(ada).length === 2, slow);
  await bob.device.engine.stop();
  const again = await startDevice({ disk: copy });
  const tab = again.tab();
  const [room] = (await tab.call('stats', {}), [ada.room.room]);
  tab.lend(room, network.transport('copy'));
  await tab.call('open', { room, declaration });
  const other: Member = { device: again, tab, room: tab.room(room) };
  await until(() => texts(other).length === 1, slow);
  other.room.insertCard('on the other');
  await until(() => texts(cyd).length === 2, { ms: 40_000, what: 'Cyd has the other branch' });
  network.partition([]);
  await until(() => [ada, cyd].every((one) => texts(one).join() === 'before'), {
    ms: 40_000,
    what: 'no branch stands',
  });
  await until(() => other.room.info().blocked === 'device/forked', { ms: 40_000, what: 'the device is told' });
  ada.room.insertCard('after');
  await until(() => [ada, cyd].every((one) => texts(one).join() === 'after,before'), slow);
  await stopAll([ada, cyd, other]);
}, 180_000);

test('[F17] a device whose clock is hours off writes and reads with the others, and nothing of it waits', async () => {
  const network = createNetwork();
  const ada = await found(network);
  const link = await inviteOf(ada, 5);
  const bob = await join(ada, { network, name: 'bob', link });
  const late = { now: () => Date.now() - 5 * 3_600_000, after: nodeTime.after };
  const cyd = await join(ada, { network, name: 'cyd', link, device: await startDevice({ ports: { time: late } }) });
  const all = [ada, bob, cyd];
  await until(() => isAtRest(all), slow);
  for (const one of all) one.room.insertCard('hello');
  await until(() => all.every((one) => texts(one).length === 3), { ms: 40_000, what: 'all see all' });
  for (const one of all) expect((await countersOf(one))['held entry/future-clock'] ?? 0).toBe(0);
  await stopAll(all);
}, 120_000);
