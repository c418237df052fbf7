import { expect, test } from 'vitest';
import type { MemoryNetwork } from '../../src/transport/index.js';
import { createMemoryNetwork } from '../../src/transport/index.js';
import { encodeDeclaration } from '../../src/core/schema/index.js';
import { nodeTime, startDevice, testDeclaration, until, type RigDevice, type RigRoom, type RigTab } from './rig.kit.js';

const declaration = encodeDeclaration(testDeclaration);
const profile = { name: 'Bob', color: null };

interface Host {
  readonly device: RigDevice;
  readonly tab: RigTab;
  readonly room: RigRoom;
  readonly network: MemoryNetwork;
  /** A link that lets so many in. */
  readonly invite: (maxUses: number) => Promise<string>;
}

async function startHost(): Promise<Host> {
  const network = createMemoryNetwork({ random: () => 0.5, schedule: (ms, run) => nodeTime.after(ms, run) });
  const device = await startDevice();
  const tab = device.tab();
  const { room } = await tab.call('create', {
    request: 'aa'.repeat(16),
    key: null,
    title: 'Plans',
    declaration,
    profile: { name: 'Ada', color: null },
  });
  tab.lend(room, network.transport('host'));
  let request = 0;
  const invite = async (maxUses: number): Promise<string> => {
    const role = { rank: 20, perms: 7, write: null };
    const made = { room, request: String(request++), role, maxUses, expiresInMs: 60_000 };
    return (await tab.call('createInvite', made)).code ?? '';
  };
  return { device, tab, room: tab.room(room), network, invite };
}

test('[X9] two tabs that join by one link at a time become one device, and a single use is enough for both', async () => {
  const host = await startHost();
  const device = await startDevice();
  const tabs = [device.tab(), device.tab()];
  tabs[0]?.lend(host.room.room, host.network.transport('guest'));
  const link = await host.invite(1);
  const joined = await Promise.all(tabs.map((tab) => tab.call('join', { join: 'j', link, declaration, profile })));
  expect(joined).toEqual([{ room: host.room.room }, { room: host.room.room }]);
  const [first, second] = tabs.map((tab) => tab.room(host.room.room));
  first?.insertCard('of the first');
  second?.insertCard('of the second');
  await until(() => host.room.rows('cards').size === 2);
  expect(host.room.info().members).toHaveLength(2);
  expect(tabs.map((tab) => tab.joins.at(-1)?.step)).toEqual(['loading', 'loading']);
  await host.device.engine.stop();
  await device.engine.stop();
});

test('[X9] who has come in says at once what it holds: the room is up to date for whoever let it in', async () => {
  const host = await startHost();
  const device = await startDevice();
  const tab = device.tab();
  tab.lend(host.room.room, host.network.transport('guest'));
  await tab.call('join', { join: 'j', link: await host.invite(1), declaration, profile });
  await until(() => host.room.info().network === 'up-to-date', { ms: 2_500, what: 'the host is up to date' });
  await host.device.engine.stop();
  await device.engine.stop();
});

test('[X9] of two tabs one gives up and the other is let in; a link that is refused does not refuse another', async () => {
  const host = await startHost();
  const device = await startDevice();
  const [one, two, three] = [device.tab(), device.tab(), device.tab()];
  const link = await host.invite(5);
  const revoked = await host.invite(5);
  const [, id] = host.room.info().invites.map((invite) => invite.id);
  await host.tab.call('revokeInvite', { room: host.room.room, invite: id ?? '' });
  const codeOf = (error: { code?: string }): string | undefined => error.code;
  const refused = one.call('join', { join: 'a', link: revoked, declaration, profile }).catch(codeOf);
  const left = two.call('join', { join: 'b', link, declaration, profile }).catch(codeOf);
  const joined = three.call('join', { join: 'c', link, declaration, profile });
  two.giveUp();
  expect(await left).toBe('aborted');
  three.lend(host.room.room, host.network.transport('guest'));
  expect(await refused).toBe('invite/revoked');
  expect(await joined).toEqual({ room: host.room.room });
  await host.device.engine.stop();
  await device.engine.stop();
});

test('[X9] a join that is given up after the host has granted, and tried again, is the same join', async () => {
  const host = await startHost();
  const device = await startDevice();
  const link = await host.invite(1);
  const tab = device.tab();
  tab.lend(host.room.room, host.network.transport('guest'));
  const first = tab.call('join', { join: 'a', link, declaration, profile }).catch((error: unknown) => error);
  await until(() => host.room.info().members.length === 2);
  tab.giveUp();
  // It may have been through by then.
  expect([{ room: host.room.room }, expect.objectContaining({ code: 'aborted' })]).toContainEqual(await first);
  expect(await tab.call('join', { join: 'b', link, declaration, profile })).toEqual({ room: host.room.room });
  expect(host.room.info().members).toHaveLength(2);
  await host.device.engine.stop();
  await device.engine.stop();
});

test('[X11] a room that is let go and opened again at once reads its disk when the former engine has stopped', async () => {
  const host = await startHost();
  const { device, tab, room } = host;
  for (let round = 0; round < 5; round++) {
    room.insertCard(`card ${String(round)}`);
    const closed = tab.call('close', { room: room.room });
    const opened = await tab.call('open', { room: room.room, declaration });
    await closed;
    expect(opened).toEqual({ room: room.room });
    await until(() => room.rows('cards').size === round + 1, { what: `card ${String(round)}` });
  }
  const stats = await tab.call('stats', {});
  expect(stats.faults[room.room]).toEqual({});
  await device.engine.stop();
});

test('[X11] a tab that goes while its room is opened does not keep the room open', async () => {
  const { device, room } = await startHost();
  await device.engine.stop();
  const again = await startDevice({ disk: device.disk });
  const gone = again.tab();
  gone.call('open', { room: room.room, declaration }).catch(() => undefined);
  gone.gone();
  const other = again.tab();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect((await other.call('stats', {})).counters).toEqual({});
  await again.engine.stop();
});

test('[F10] drafts are signed before what is written while they wait for it', async () => {
  const host = await startHost();
  const device = await startDevice();
  const tab = device.tab();
  tab.lend(host.room.room, host.network.transport('guest'));
  await tab.call('join', { join: 'a', link: await host.invite(1), declaration, profile });
  await device.engine.stop();

  const again = await startDevice({ disk: device.disk });
  const second = again.tab();
  await second.call('open', { room: host.room.room, declaration });
  const view = second.room(host.room.room);
  const texts = Array.from({ length: 200 }, (_, n) => `card ${String(n)}`);
  for (const [n, text] of texts.entries()) {
    if (n === 20) second.lend(host.room.room, host.network.transport('guest'));
    view.insertCard(text);
    await new Promise((resolve) => setTimeout(resolve, n < 20 ? 0 : 2));
  }
  await until(() => host.room.rows('cards').size === texts.length);
  expect([...host.room.rows('cards').values()].map((row) => row['text'])).toEqual(texts);
  expect((await host.tab.call('stats', {})).faults[host.room.room]).toEqual({});
  await host.device.engine.stop();
  await again.engine.stop();
});

test('[F23] an app that declares a published name otherwise is told so, and opens nothing', async () => {
  const { device, tab, room } = await startHost();
  const { cards } = testDeclaration.collections;
  const other = { ...testDeclaration, collections: { cards: { ...cards!, owned: true } }, roles: {} };
  const opened = device.tab().call('open', { room: room.room, declaration: encodeDeclaration(other) });
  await expect(opened).rejects.toMatchObject({
    code: 'schema/conflict',
    message: 'collection "cards": the room has it in domain "main", not owned, not single',
  });
  await tab.call('close', { room: room.room });
  expect((await tab.call('stats', {})).counters).toEqual({});
  await device.engine.stop();
});

test('[F10] an invite that cannot be signed, because nobody says where the chain ends, is a typed error in time', async () => {
  const host = await startHost();
  const device = await startDevice();
  const tab = device.tab();
  tab.lend(host.room.room, host.network.transport('guest'));
  await tab.call('join', { join: 'a', link: await host.invite(1), declaration, profile });
  await device.engine.stop();
  await host.device.engine.stop();
  const after: typeof nodeTime.after = (ms, run) => nodeTime.after(ms === 20_000 ? 100 : ms, run);
  const alone = await startDevice({ disk: device.disk, ports: { time: { ...nodeTime, after } } });
  const again = alone.tab();
  await again.call('open', { room: host.room.room, declaration });
  const role = { rank: 30, perms: 3, write: null };
  const made = { room: host.room.room, request: 'x', role, maxUses: 2, expiresInMs: 60_000 };
  await expect(again.call('createInvite', made)).rejects.toMatchObject({ code: 'invite/busy' });
  await alone.engine.stop();
});
