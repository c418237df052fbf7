import { expect, test } from 'vitest';
import { fromHex } from '../../src/core/base/index.js';
import { encodePayload } from '../../src/core/op/index.js';
import { encodeDeclaration, schemaPrefix } from '../../src/core/schema/index.js';
import type { FromEngine } from '../../src/bridge/index.js';
import { createMemoryNetwork } from '../../src/transport/index.js';
import { createMemoryDisk } from '../storage/index.js';
import { nodeTime, startDevice, testDeclaration, until, type RigDevice, type RigRoom } from './rig.kit.js';

const declaration = encodeDeclaration(testDeclaration);
const profile = { name: 'Ada', color: null };
const create = { request: 'aa', key: 'plans', title: 'Plans', declaration, profile };

/** A page that says exactly what the test wants. */
function rawTab(device: RigDevice, id: string) {
  const heard: FromEngine[] = [];
  const served = device.engine.attach(id, (message) => void heard.push(message));
  let calls = 0;
  const of = <T extends FromEngine['t']>(type: T) =>
    heard.filter((message): message is FromEngine & { readonly t: typeof type } => message.t === type);
  const views = () => of('view').map(({ update }) => update);
  return {
    of,
    open: async (room: string) => {
      const call = ++calls;
      served.deliver({ t: 'call', id: call, name: 'open', args: { room, declaration } });
      await until(() => of('reply').some((reply) => reply.id === call));
    },
    close: (room: string) => served.deliver({ t: 'call', id: ++calls, name: 'close', args: { room } }),
    saved: () => Math.max(0, ...views().map(({ savedUpTo }) => savedUpTo)),
    write: (room: string, n: number, prev: number) => {
      const { device: author = '', domains = {} } = views().findLast(({ info }) => info !== null)?.info ?? {};
      const recordId = new Uint8Array(28).fill(n);
      recordId.set(fromHex(author.slice(0, 32)) ?? [], 12);
      const ops = [
        { kind: 'insert', collection: 'cards', id: recordId, fields: { text: `card ${String(n)}` } },
      ] as const;
      const payload = encodePayload({ schema: schemaPrefix(declaration), ops });
      served.deliver({ t: 'write', room, n, prev, domain: domains['main'] ?? '', payload });
    },
  };
}

/** What the disk holds, as another start of the engine shows it. */
async function cardsOnDisk(device: RigDevice, room: string): Promise<unknown[]> {
  const again = await startDevice({ disk: device.disk.copy() });
  const tab = again.tab();
  await tab.call('open', { room, declaration });
  const cards = [...tab.room(room).rows('cards').values()].map((row) => row['text']);
  await again.engine.stop();
  return cards;
}

test('[F10] a page that opens a room while a commit is under way is shown and told only what is stored', async () => {
  let isHeld = false;
  let free = (): void => undefined;
  const hold = (): Promise<void> => new Promise((resolve) => (free = resolve));
  const disk = createMemoryDisk({ pace: (at) => (isHeld && at === 'commit' ? hold() : Promise.resolve()) });
  const device = await startDevice({ disk });
  const tab = device.tab();
  const { room } = await tab.call('create', create);
  isHeld = true;
  tab.room(room).insertCard('not stored');
  await new Promise((resolve) => setTimeout(resolve, 50));
  const second = device.tab();
  const opened = Promise.all([tab.call('open', { room, declaration }), second.call('open', { room, declaration })]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(tab.room(room).saved()).toBe(0);
  expect(second.room(room).rows('cards').size).toBe(0);
  isHeld = false;
  free();
  await opened;
  expect([tab.room(room).saved(), second.room(room).rows('cards').size]).toEqual([1, 1]);
  await device.engine.stop();
});

test('[F10] a room opens beside a write that the disk refuses, and shows what is stored', async () => {
  const device = await startDevice();
  const tab = device.tab();
  const { room } = await tab.call('create', create);
  device.disk.failNext('full', 1);
  tab.room(room).insertCard('later');
  await tab.call('open', { room, declaration });
  expect(tab.room(room).saved()).toBe(0);
  expect(tab.room(room).rows('cards').size).toBe(0);
  await until(() => tab.room(room).saved() === 1);
  await device.engine.stop();
});

test('[X11] a write to a room that the tab has not open is answered, and no later one covers it', async () => {
  const device = await startDevice();
  const { room } = await device.tab().call('create', create);
  const tab = rawTab(device, 'ab');
  await tab.open(room);
  tab.write(room, 1, 0);
  await until(() => tab.saved() === 1);
  tab.close(room);
  tab.write(room, 2, 0);
  expect(tab.of('room-error').map(({ error }) => error.code)).toEqual(['room/closed']);
  await tab.open(room);
  tab.write(room, 3, 2);
  await tab.open(room);
  expect(tab.saved()).toBe(1);
  tab.write(room, 2, 0);
  tab.write(room, 3, 2);
  await until(() => tab.saved() === 3);
  expect(await cardsOnDisk(device, room)).toEqual(['card 1', 'card 2', 'card 3']);
  await device.engine.stop();
});

test('[X11] every tab that shows a room is told when it is deleted from the device', async () => {
  const device = await startDevice();
  const tab = device.tab();
  const { room } = await tab.call('create', create);
  const [other, stranger] = [rawTab(device, 'ab'), rawTab(device, 'cd')];
  await other.open(room);
  await tab.call('forget', { room });
  expect(other.of('room-error')).toMatchObject([{ room, error: { code: 'room/closed' } }]);
  expect(stranger.of('room-error')).toEqual([]);
  await device.engine.stop();
});

test('[X11] a request for an invite that is asked twice at a time, and of the next engine, is one invite', async () => {
  const device = await startDevice();
  const tab = device.tab();
  const { room } = await tab.call('create', create);
  const request = { request: 'bb', role: { rank: 20, perms: 7, write: null }, maxUses: 5, expiresInMs: 60_000 };
  const [first, second] = await Promise.all([
    tab.call('createInvite', { room, ...request }),
    tab.call('createInvite', { room, ...request }),
  ]);
  expect(second).toEqual(first);
  expect(first.code).not.toBeNull();
  await until(() => tab.room(room).info().invites.length === 1);
  await device.engine.stop();
  const again = await startDevice({ disk: device.disk });
  const next = again.tab();
  await next.call('open', { room, declaration });
  expect(await next.call('createInvite', { room, ...request })).toEqual(first);
  expect(next.room(room).info().invites).toHaveLength(1);
  await again.engine.stop();
});

test('[X8] what is delivered of one tab does not wait for what another goes on writing', async () => {
  const faults = { minLatencyMs: 40, maxLatencyMs: 60 };
  const network = createMemoryNetwork({ random: () => 0.5, schedule: (ms, run) => nodeTime.after(ms, run), faults });
  const [device, bob] = [await startDevice(), await startDevice()];
  const tab = device.tab('ab');
  const { room } = await tab.call('create', create);
  tab.lend(room, network.transport('a'));
  const role = { rank: 20, perms: 7, write: null };
  const invite = await tab.call('createInvite', { room, request: 'bb', role, maxUses: 5, expiresInMs: 60_000 });
  const bobs = bob.tab();
  bobs.lend(room, network.transport('b'));
  await bobs.call('join', { join: 'j', link: invite.code ?? '', declaration, profile: { name: 'Bob', color: null } });
  const busy = device.tab();
  await busy.call('open', { room, declaration });
  await until(() => tab.room(room).info().undelivered === 0);
  tab.room(room).insertCard('one');
  const rest = keepWriting(busy.room(room));
  await until(() => tab.room(room).delivered() === 1, { ms: 3_000, what: 'delivered beside a busy tab' });
  await rest();
  await device.engine.stop();

  const again = await startDevice({ disk: device.disk });
  const [back, busyAgain] = [again.tab('ab'), again.tab()];
  for (const one of [back, busyAgain]) await one.call('open', { room, declaration });
  const restAgain = keepWriting(busyAgain.room(room));
  back.lend(room, network.transport('c'));
  await until(() => back.room(room).delivered() === 1, { what: 'delivered of the engine before' });
  await restAgain();
  await again.engine.stop();
  await bob.engine.stop();
}, 30_000);

/** Writes every 30 ms until the returned function is called. */
function keepWriting(room: RigRoom): () => Promise<void> {
  let isOver = false;
  const writing = (async () => {
    for (let i = 0; !isOver; i++) {
      room.insertCard(`busy ${String(i)}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  })();
  return () => {
    isOver = true;
    return writing;
  };
}
