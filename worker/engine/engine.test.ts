import { expect, test } from 'vitest';
import { createMemoryNetwork } from '../../src/transport/index.js';
import { encodeDeclaration } from '../../src/core/schema/index.js';
import { nodeTime, startDevice, testDeclaration, until, type RigDevice, type RigRoom, type RigTab } from './rig.kit.js';

const declaration = encodeDeclaration(testDeclaration);
const ada = { name: 'Ada', color: null };
const bob = { name: 'Bob', color: null };

async function createRoom(device: RigDevice, key: string | null = null): Promise<{ tab: RigTab; room: RigRoom }> {
  const tab = device.tab();
  const { room } = await tab.call('create', {
    request: 'aa'.repeat(16),
    key,
    title: 'Plans',
    declaration,
    profile: ada,
  });
  return { tab, room: tab.room(room) };
}

test('a room is made, written to alone, and opened again from the disk with everything in order', async () => {
  const device = await startDevice();
  const { room } = await createRoom(device, 'plans');
  for (let i = 0; i < 100; i++) room.insertCard(`card ${String(i)}`);
  await until(() => room.saved() === 100);
  expect(room.rows('cards').size).toBe(100);
  await device.engine.stop();

  const again = await startDevice({ disk: device.disk });
  const tab = again.tab();
  const opened = await tab.call('open', { room: 'plans', declaration });
  expect(opened).toEqual({ room: room.room });
  const view = tab.room(room.room);
  await until(() => view.rows('cards').size === 100);
  expect([...view.rows('cards').values()].map((row) => row['text'])).toEqual(
    Array.from({ length: 100 }, (_, i) => `card ${String(i)}`),
  );
  expect(view.info().members).toHaveLength(1);
  await again.engine.stop();
});

test('[F10] a device of which another copy has written makes no invite, and is told so at once', async () => {
  const before = await startDevice();
  const { room } = await createRoom(before, 'plans');
  await before.engine.stop();
  before.disk.damage([{ do: 'put', table: 'state', key: [room.room, 'blocked'], value: 'device/cloned' }]);
  const device = await startDevice({ disk: before.disk });
  const tab = device.tab();
  await tab.call('open', { room: 'plans', declaration });
  const role = { rank: 20, perms: 7, write: null };
  const invite = { room: room.room, request: 'r', role, maxUses: 1, expiresInMs: 60_000 };
  await expect(tab.call('createInvite', invite)).rejects.toMatchObject({ code: 'device/blocked' });
  await device.engine.stop();
});

test('[F10] what throws in a turn is no failure of the disk, its text holds nothing that anybody wrote, and what waited is taken', async () => {
  const device = await startDevice();
  const { tab, room } = await createRoom(device);
  const title = 'secret plans '.repeat(20); // a page would have refused it
  const args = { request: 'bb'.repeat(16), key: null, title, declaration, profile: ada };
  const refused = await tab.call('create', args).catch((error: unknown) => error);
  expect(refused).toMatchObject({ message: expect.stringContaining('entry/schema') as unknown });
  const { message, stack } = refused as Error;
  expect(message + String(stack)).not.toMatch(/secret|115,101,99|Ada/);
  expect(tab.client()?.storage).toBe('memory');
  const role = { rank: 70_000, perms: 7, write: null };
  const spoiled = tab.call('createInvite', { room: room.room, request: 'r', role, maxUses: 1, expiresInMs: 1_000 });
  room.insertCard('beside it');
  await expect(spoiled).rejects.toThrow();
  await until(() => room.saved() === 1, { what: 'saved' });
  expect(tab.client()?.storage).toBe('memory');
  await device.engine.stop();
});

test('[F23] an owner that opens a room with a grown schema can write by it when the room is open', async () => {
  const device = await startDevice();
  const { tab, room } = await createRoom(device, 'plans');
  const { cards } = testDeclaration.collections;
  const grown = encodeDeclaration({
    ...testDeclaration,
    collections: { ...testDeclaration.collections, tags: cards! },
  });
  expect(room.info().declarations).toHaveLength(1);
  await tab.call('open', { room: 'plans', declaration: grown });
  expect(room.info().declarations.at(-1)).toEqual(grown);
  await device.engine.stop();
});

test('[F10] a job that throws takes none along that is behind it: each has its turn afterwards', async () => {
  const device = await startDevice();
  const { tab, room } = await createRoom(device, 'plans');
  const invite = { room: room.room, maxUses: 1, expiresInMs: 60_000 };
  const role = { rank: 20, perms: 7, write: null };
  const spoiled = tab.call('createInvite', { ...invite, request: 'r', role: { ...role, rank: 70_000 } });
  const good = tab.call('createInvite', { ...invite, request: 'r2', role });
  const other = device.tab();
  const opened = other.call('open', { room: 'plans', declaration });
  await expect(spoiled).rejects.toThrow();
  expect((await good).usesLeft).toBe(1);
  expect(await opened).toEqual({ room: room.room });
  await device.engine.stop();
});

test('[AUTH-9] who may not invite is told so', async () => {
  const network = createMemoryNetwork({ random: () => 0.5, schedule: (ms, run) => nodeTime.after(ms, run) });
  const [host, guest] = [await startDevice(), await startDevice()];
  const { tab, room } = await createRoom(host);
  tab.lend(room.room, network.transport('a'));
  const made = { room: room.room, request: 'r', maxUses: 1, expiresInMs: 60_000 };
  const invite = await tab.call('createInvite', { ...made, role: { rank: 25, perms: 3, write: null } });
  const guests = guest.tab();
  guests.lend(room.room, network.transport('b'));
  await guests.call('join', { join: 'j', link: invite.code ?? '', declaration, profile: bob });
  const refused = guests.call('createInvite', { ...made, role: { rank: 40, perms: 3, write: null } });
  await expect(refused).rejects.toMatchObject({ code: 'access/forbidden' });
  await host.engine.stop();
  await guest.engine.stop();
});

test('[X8] a revocation counts as undelivered until another device has it', async () => {
  const network = createMemoryNetwork({ random: () => 0.5, schedule: (ms, run) => nodeTime.after(ms, run) });
  const [host, guest] = [await startDevice(), await startDevice()];
  const { tab, room } = await createRoom(host);
  tab.lend(room.room, network.transport('a'));
  const role = { rank: 20, perms: 7, write: null };
  const invite = { room: room.room, request: 'r', role, maxUses: 5, expiresInMs: 60_000 };
  const { id, code } = await tab.call('createInvite', invite);
  const guests = guest.tab();
  guests.lend(room.room, network.transport('b'));
  await guests.call('join', { join: 'j', link: code ?? '', declaration, profile: bob });
  await until(() => room.info().undelivered === 0);
  guests.gone();
  await guest.engine.stop();
  await until(() => room.info().network !== 'up-to-date');
  await tab.call('revokeInvite', { room: room.room, invite: id });
  await until(() => room.info().invites.length === 0);
  expect(room.info().undelivered).toBe(1);
  const again = await startDevice({ disk: guest.disk });
  const back = again.tab();
  await back.call('open', { room: room.room, declaration });
  back.lend(room.room, network.transport('c'));
  await until(() => room.info().undelivered === 0);
  await host.engine.stop();
  await again.engine.stop();
}, 30_000);

test('[AUTH-10] a schema of more domains than a room takes is refused, at once or where it grows beyond; none is left unpublished', async () => {
  const withDomains = (names: readonly string[]): Uint8Array<ArrayBuffer> => {
    const of = (domain: string) => [`of-${domain}`, { domain, owned: false, single: false, fields: {} }] as const;
    return encodeDeclaration({ app: 'test', roles: {}, collections: Object.fromEntries(names.map(of)) });
  };
  const names = Array.from({ length: 15 }, (_, i) => `d${String(i)}`);
  const device = await startDevice();
  const tab = device.tab();
  const create = { request: 'cc'.repeat(16), key: 'many', title: 'Many', profile: ada };
  const tooMany = tab.call('create', { ...create, declaration: withDomains(names) });
  await expect(tooMany).rejects.toThrow('at most 15 with "main", got 16');
  const { room } = await tab.call('create', { ...create, declaration: withDomains(names.slice(1)) });
  expect(Object.keys(tab.room(room).info().domains)).toHaveLength(16);
  const grown = device.tab().call('open', { room, declaration: withDomains(['d0']) });
  await expect(grown).rejects.toMatchObject({ code: 'schema/conflict' });
  expect(await device.tab().call('open', { room, declaration: withDomains(['d1']) })).toEqual({ room });
  await device.engine.stop();
});

test('[S17] the list of rooms knows what each takes, also of those that are not open', async () => {
  const before = await startDevice();
  const { tab, room } = await createRoom(before, 'plans');
  for (let i = 0; i < 5; i++) room.insertCard(`${String(i)} ${'long '.repeat(100)}`);
  await until(() => room.saved() === 5 && (tab.client()?.rooms[0]?.undelivered ?? 0) > 4);
  const [bytes = 0, used] = [tab.client()?.rooms[0]?.bytes, tab.client()?.usedBytes];
  expect(bytes).toBeGreaterThan(1_000);
  expect(used).toBe(bytes);
  await before.engine.stop();

  const device = await startDevice({ disk: before.disk });
  const again = device.tab();
  await until(() => again.client() !== null);
  expect(again.client()).toMatchObject({ usedBytes: bytes, rooms: [{ bytes }] });
  await device.engine.stop();
});

test('[X9] an invite lets a second device in; both write, both see, both are told that it was delivered', async () => {
  const network = createMemoryNetwork({ random: () => 0.5, schedule: (ms, run) => nodeTime.after(ms, run) });
  const [a, b] = [await startDevice(), await startDevice()];
  const { tab, room } = await createRoom(a);
  tab.lend(room.room, network.transport('a'));
  room.insertCard('from Ada');
  const invite = await tab.call('createInvite', {
    room: room.room,
    request: 'bb',
    role: { rank: 20, perms: 7, write: null },
    maxUses: 5,
    expiresInMs: 60_000,
  });
  const tabB = b.tab();
  tabB.lend(room.room, network.transport('b'));
  const joined = await tabB.call('join', { join: 'j1', link: invite.code ?? '', declaration, profile: bob });
  expect(joined.room).toBe(room.room);
  const viewB = tabB.room(room.room);
  await until(() => viewB.rows('cards').size === 1, { what: 'Bob sees the first card' });
  viewB.insertCard('from Bob');
  await until(() => room.rows('cards').size === 2, { what: 'Ada sees the second card' });
  await until(() => viewB.delivered() === 1, { what: 'Bob is told' });
  await until(() => room.delivered() === 1, { what: 'Ada is told' });
  await until(() => room.info().network === 'up-to-date' && viewB.info().network === 'up-to-date');
  expect(room.info().members.map((member) => member.online)).toEqual([true, true]);
  const faults = (await tab.call('stats', {})).faults;
  expect(faults[room.room]).toEqual({});
  await a.engine.stop();
  await b.engine.stop();
}, 30_000);

test('[F5] a grant made while its invite was revoked has no effect, and what is written then is under a key it never gets', async () => {
  const network = createMemoryNetwork({ random: () => 0.5, schedule: (ms, run) => nodeTime.after(ms, run) });
  const devices = [await startDevice(), await startDevice(), await startDevice()] as const;
  const [a, b, c] = devices;
  const { tab: tabA, room: roomA } = await createRoom(a);
  const id = roomA.room;
  const invite = (perms: number, rank: number) =>
    tabA.call('createInvite', {
      room: id,
      request: `i${String(rank)}`,
      role: { rank, perms, write: null },
      maxUses: 9,
      expiresInMs: 60_000,
    });
  tabA.lend(id, network.transport('a'));
  const admin = await invite(127, 10);
  const viewer = await invite(3, 25);
  const tabB = b.tab();
  tabB.lend(id, network.transport('b'));
  await tabB.call('join', { join: 'b', link: admin.code ?? '', declaration, profile: bob });
  const roomB = tabB.room(id);
  // Bob may still be fetching when the network parts.
  await until(() => roomA.info().members.length === 2 && roomA.info().network === 'up-to-date');

  network.partition([['a'], ['b', 'c']]);
  await tabA.call('revokeInvite', { room: id, invite: viewer.id });
  const tabC = c.tab();
  tabC.lend(id, network.transport('c'));
  await tabC.call('join', { join: 'c', link: viewer.code ?? '', declaration, profile: { name: 'Cyd', color: null } });
  expect(roomB.info().members).toHaveLength(3);
  network.partition([]);
  await until(() => roomA.info().members.length === 2 && roomB.info().members.length === 2, {
    what: 'two members again',
  });
  // Whoever does not know of the grant yet writes under the key that the device was given with it.
  const keysOf = ({ disk }: RigDevice): number => disk.dump().get('keys')?.length ?? 0;
  // Two, where both made one at a time.
  await until(() => keysOf(a) > 1 && keysOf(b) > 1, { ms: 20_000, what: 'a new epoch at both' });
  roomA.insertCard('not for Cyd');
  await until(() => roomB.rows('cards').size === 1, { what: 'Bob reads it' });
  await until(() => roomA.delivered() === 1, { what: 'delivered' });
  const held = await tabC.call('stats', {});
  expect(tabC.room(id).rows('cards').size).toBe(0);
  expect(held.faults[id]?.['frame/unknown-key']).toBeGreaterThan(0);
  for (const device of devices) await device.engine.stop();
}, 60_000);
