/** Rules of docs/protocol.md that only a running engine shows. */
import { describe, expect, test } from 'vitest';
import { fromHex } from '../../src/core/base/index.js';
import { verifyStrict } from '../../src/core/crypto/index.js';
import { headMessage } from '../../src/core/entry/index.js';
import { decodePack } from '../../src/core/pack/index.js';
import { storedBytes } from '../../src/ports/index.js';
import { encodeDeclaration } from '../../src/core/schema/index.js';
import { createMemoryNetwork } from '../../src/transport/index.js';
import {
  nodeTime,
  startDevice,
  testDeclaration,
  until,
  type RigDevice,
  type RigRoom,
  type RigTab,
} from '../../worker/engine/rig.kit.js';

const declaration = encodeDeclaration(testDeclaration);
const profile = { name: 'Ada', color: null };

type Network = ReturnType<typeof createMemoryNetwork>;

function createNetwork(): Network {
  return createMemoryNetwork({ random: () => 0.5, schedule: (ms, run) => nodeTime.after(ms, run) });
}

interface Member {
  readonly device: RigDevice;
  readonly tab: RigTab;
  readonly room: RigRoom;
}

/** Ada's room, and Bob in it; both are up to date and each knows that the other has everything. */
async function twoMembers(network: Network): Promise<readonly [Member, Member]> {
  const device = await startDevice();
  const tab = device.tab();
  const { room: id } = await tab.call('create', {
    request: 'aa'.repeat(16),
    key: 'plans',
    title: 'Plans',
    declaration,
    profile,
  });
  const room = tab.room(id);
  tab.lend(id, network.transport('ada'));
  const invite = await tab.call('createInvite', {
    room: id,
    request: 'bb',
    role: { rank: 20, perms: 7, write: null },
    maxUses: 5,
    expiresInMs: 60_000,
  });
  const other = await startDevice();
  const otherTab = other.tab();
  otherTab.lend(id, network.transport('bob'));
  await otherTab.call('join', {
    join: 'j',
    link: invite.code ?? '',
    declaration,
    profile: { name: 'Bob', color: null },
  });
  const otherRoom = otherTab.room(id);
  await until(() => room.info().members.length === 2 && room.info().network === 'up-to-date');
  return [
    { device, tab, room },
    { device: other, tab: otherTab, room: otherRoom },
  ];
}

/** The same device again, from its disk or an older copy of it; on the network when `address` says where. */
async function restart(
  from: RigDevice['disk'],
  o: { readonly network?: Network; readonly address?: string } = {},
): Promise<Member> {
  const device = await startDevice({ disk: from });
  const tab = device.tab();
  const opened = await tab.call('open', { room: 'plans', declaration });
  if (opened === null) throw new TypeError('no such room');
  const { room: id } = opened;
  if (o.network !== undefined && o.address !== undefined) tab.lend(id, o.network.transport(o.address));
  const room = tab.room(id);
  await until(() => room.saved() >= 0 && room.info().members.length > 0);
  return { device, tab, room };
}

async function counterOf({ tab, room }: Member, name: string): Promise<number> {
  return (await tab.call('stats', {})).counters[room.room]?.[name] ?? 0;
}

async function faultsOf({ tab, room }: Member): Promise<Readonly<Record<string, number>>> {
  return (await tab.call('stats', {})).faults[room.room] ?? {};
}

const texts = (room: RigRoom): unknown[] => [...room.rows('cards').values()].map((row) => row['text']).sort();

describe('[F10] late signing', () => {
  test('[F10] a start that nobody has answered keeps drafts; they outlive it, and are signed once a peer has answered', async () => {
    const network = createNetwork();
    const [ada, bob] = await twoMembers(network);
    ada.room.insertCard('before');
    await until(() => texts(bob.room).length === 1);
    await ada.device.engine.stop();
    const alone = await restart(ada.device.disk);
    alone.room.insertCard('draft 1');
    alone.room.insertCard('draft 2');
    await until(() => alone.room.saved() === 2);
    expect(await counterOf(alone, 'entriesSigned')).toBe(0);
    await alone.device.engine.stop();
    const again = await restart(ada.device.disk);
    expect(texts(again.room)).toEqual(['before', 'draft 1', 'draft 2']);
    again.room.insertCard('draft 3');
    await until(() => again.room.saved() === 1);
    expect(await counterOf(again, 'entriesSigned')).toBe(0);
    again.tab.lend(again.room.room, network.transport('ada again'));
    await until(() => texts(bob.room).length === 4, { what: 'Bob has the drafts' });
    expect(await counterOf(again, 'entriesSigned')).toBe(3);
    expect(await counterOf(again, 'resumed')).toBe(1);
    expect(await faultsOf(bob)).not.toHaveProperty('entry/fork');
    for (const { device } of [again, bob]) await device.engine.stop();
  }, 30_000);

  test('[F10] a device started from an older copy of its disk fetches what it lacks of its own, and goes on without a fork', async () => {
    const network = createNetwork();
    const [ada, bob] = await twoMembers(network);
    ada.room.insertCard('kept');
    await until(() => texts(bob.room).length === 1 && ada.room.delivered() > 0);
    const older = ada.device.disk.copy();
    for (const text of ['lost 1', 'lost 2']) ada.room.insertCard(text);
    await until(() => texts(bob.room).length === 3);
    await ada.device.engine.stop();
    const back = await restart(older);
    back.room.insertCard('new');
    await until(() => back.room.saved() === 1);
    expect(texts(back.room)).toEqual(['kept', 'new']);
    back.tab.lend(back.room.room, network.transport('ada again'));
    await until(() => texts(back.room).length === 4 && texts(bob.room).length === 4, { what: 'everything at both' });
    expect(await counterOf(back, 'tailsRecovered')).toBe(1);
    expect(await faultsOf(bob)).not.toHaveProperty('entry/fork');
    expect(back.room.info().blocked).toBeNull();
    for (const { device } of [back, bob]) await device.engine.stop();
  }, 30_000);

  test('[F10] two copies of one device: the one that meets entries of the other never signs again', async () => {
    const network = createNetwork();
    const [ada, bob] = await twoMembers(network);
    const copy = ada.device.disk.copy();
    await ada.device.engine.stop();
    const first = await restart(ada.device.disk, { network, address: 'ada 1' });
    first.room.insertCard('by the first');
    await until(() => texts(bob.room).length === 1);
    await first.device.engine.stop();
    const second = await restart(copy, { network, address: 'ada 2' });
    second.room.insertCard('by the second');
    await until(() => second.room.info().blocked === 'device/cloned', { what: 'the clone is told' });
    expect(await counterOf(second, 'entriesSigned')).toBe(0);
    expect(texts(bob.room)).toEqual(['by the first']);
    for (const { device } of [second, bob]) await device.engine.stop();
  }, 30_000);
});

describe('[X8] delivery', () => {
  test('[X8] alone nothing is delivered; what another member has stored is, and stays so over a restart', async () => {
    const network = createNetwork();
    const [ada, bob] = await twoMembers(network);
    bob.tab.gone();
    await bob.device.engine.stop();
    await until(() => ada.room.info().network === 'alone');
    const before = ada.room.info().undelivered;
    ada.room.insertCard('nobody has it');
    await until(() => ada.room.saved() === 1);
    expect(ada.room.delivered()).toBe(0);
    expect(ada.room.info().undelivered).toBe(before + 1);
    const back = await startDevice({ disk: bob.device.disk });
    const tab = back.tab();
    await tab.call('open', { room: ada.room.room, declaration });
    tab.lend(ada.room.room, network.transport('bob again'));
    await until(() => ada.room.delivered() === 1, { what: 'Ada is told' });
    await until(() => ada.room.info().undelivered === 0);
    await back.engine.stop();
    await ada.device.engine.stop();
    const again = await restart(ada.device.disk);
    expect(again.room.info().undelivered).toBe(0);
    await again.device.engine.stop();
  }, 30_000);
});

test('[F8] units are cut at seq 1023 mod 1024, end in their author’s signature, and hold at most 1,024 entries', async () => {
  const device = await startDevice();
  const tab = device.tab();
  const { room: id } = await tab.call('create', {
    request: 'aa'.repeat(16),
    key: null,
    title: 'Plans',
    declaration,
    profile,
  });
  const room = tab.room(id);
  for (let i = 0; i < 2100; i++) room.insertCard(`card ${String(i)}`);
  await until(() => room.saved() === 2100, { ms: 20_000 });
  const domain = room.info().domains['main'];
  const packs = (device.disk.dump().get('packs') ?? []).flatMap((row) => {
    const bytes = storedBytes(row.value);
    const read = bytes && decodePack(bytes);
    return row.key[1] === domain && read?.ok === true ? [read.value] : [];
  });
  packs.sort((a, b) => a.fromSeq - b.fromSeq);
  let next = 0;
  for (const { fromSeq, count, endId, endSig, author, domainId } of packs) {
    expect(fromSeq).toBe(next);
    next += count;
    expect(Math.floor(fromSeq / 1024)).toBe(Math.floor((next - 1) / 1024));
    const message = headMessage(fromHex(id) ?? domainId, domainId, { seq: next - 1, id: endId });
    expect(verifyStrict(author, message, endSig)).toBe(true);
  }
  expect(next).toBe(2100);
  expect(packs.length).toBeLessThan(200);
  await device.engine.stop();
}, 60_000);

describe('[F20] transactions', () => {
  test('[F20] what is written while a commit runs shares the next one, and each transaction stays an entry of its own', async () => {
    const device = await startDevice();
    const tab = device.tab();
    const { room: id } = await tab.call('create', {
      request: 'aa'.repeat(16),
      key: null,
      title: 'Plans',
      declaration,
      profile,
    });
    const room = tab.room(id);
    const before = (await tab.call('stats', {})).commits;
    for (let i = 0; i < 40; i++) room.insertCard(`card ${String(i)}`);
    await until(() => room.saved() === 40);
    const stats = await tab.call('stats', {});
    expect(stats.commits - before).toBeLessThan(10);
    expect(stats.counters[id]?.['entriesSigned']).toBe(40);
    await device.engine.stop();
  });

  test('[F20] a transaction with one op that is not allowed does nothing at all, and is told to its writer', async () => {
    const device = await startDevice();
    const tab = device.tab();
    const { room: id } = await tab.call('create', {
      request: 'aa'.repeat(16),
      key: null,
      title: 'Plans',
      declaration,
      profile,
    });
    const room = tab.room(id);
    const good = { kind: 'insert', collection: 'cards', id: room.newId(), fields: { text: 'fits' } } as const;
    const bad = { kind: 'insert', collection: 'cards', id: room.newId(), fields: { text: 7 } } as const;
    const n = room.write('main', [good, bad]);
    await until(() => room.rejected.length > 0);
    expect(room.rejected).toMatchObject([{ n, code: 'entry/schema' }]);
    expect(texts(room)).toEqual([]);
    await device.engine.stop();
  });
});
