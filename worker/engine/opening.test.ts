import { expect, test, vi } from 'vitest';
import { fromHex } from '../../src/core/base/index.js';
import { encodeInviteCode } from '../../src/core/invite/index.js';
import { encodeDeclaration } from '../../src/core/schema/index.js';
import { startDevice, testDeclaration, until, type RigDevice } from './rig.kit.js';

const declaration = encodeDeclaration(testDeclaration);

/** A device that was started again over a room of so many entries. */
async function restarted(entries: number): Promise<{ device: RigDevice; room: string }> {
  const first = await startDevice();
  const tab = first.tab();
  const profile = { name: 'Ada', color: null };
  const { room } = await tab.call('create', { request: 'aa'.repeat(16), key: 'k', title: '', declaration, profile });
  const view = tab.room(room);
  for (let n = 0; n < entries; n++) {
    view.insertCard(`card ${String(n)}`);
    if (n % 100 === 99) await until(() => view.saved() === n + 1);
  }
  await first.engine.stop();
  return { device: await startDevice({ disk: first.disk }), room };
}

test('[B08] opening ends when nobody waits for it any more, and not before; the next one opens the room', async () => {
  const { device, room } = await restarted(300);
  const [one, two] = [device.tab(), device.tab()];
  const codeOf = (error: { code?: string }): string | undefined => error.code;
  const first = one.call('open', { room, declaration }).catch(codeOf);
  const second = two.call('open', { room, declaration });
  one.giveUp();
  expect(await first).toBe('aborted');
  expect(await second).toEqual({ room });
  await two.call('close', { room });
  const again = one.call('open', { room, declaration }).catch(codeOf);
  one.giveUp();
  expect(await one.call('open', { room, declaration })).toEqual({ room });
  expect(await again).toBe('aborted');
  await one.call('close', { room });
  const third = one.call('open', { room, declaration }).catch(codeOf);
  one.giveUp();
  expect(await third).toBe('aborted');
  expect((await one.call('stats', {})).counters).toEqual({});
  expect(await one.call('open', { room, declaration })).toEqual({ room });
  expect(one.room(room).rows('cards').size).toBe(300);
  await device.engine.stop();
});

test('[B08] a join to a room that is here already opens it, and ends the same way; creating one that is given up leaves none', async () => {
  const { device, room } = await restarted(300);
  const tab = device.tab();
  const codeOf = (error: { code?: string }): string | undefined => error.code;
  const profile = { name: 'Ada', color: null };
  const link = encodeInviteCode({ roomId: fromHex(room)!, secret: new Uint8Array(16) });
  const join = tab.call('join', { join: 'j', link, declaration, profile }).catch(codeOf);
  tab.giveUp();
  expect(await join).toBe('aborted');
  const made = { request: 'bb'.repeat(16), key: 'other', title: '', declaration, profile };
  const create = tab.call('create', made).catch(codeOf);
  tab.giveUp();
  expect(await create).toBe('aborted');
  expect((await tab.call('stats', {})).counters).toEqual({});
  expect(tab.client()?.rooms.map(({ id }) => id)).toEqual([room]);
  expect(new Set((await device.ports.store.keys('packs', [])).map(([id]) => id))).toEqual(new Set([room]));
  expect(await tab.call('join', { join: 'k', link, declaration, profile })).toEqual({ room });
  await device.engine.stop();
});

test('[B08] a room that is deleted while it is being read is gone: who opens it is told so, and the list does not show it again', async () => {
  const { device, room } = await restarted(300);
  const tab = device.tab();
  const { store } = device.ports;
  const list = store.list.bind(store);
  const forgotten: Promise<null>[] = [];
  vi.spyOn(store, 'list').mockImplementation(async (...range) => {
    if (forgotten.length === 0) forgotten.push(tab.call('forget', { room }));
    return list(...range);
  });
  const codeOf = (error: { code?: string }): string | undefined => error.code;
  const opened = tab.call('open', { room, declaration }).catch(codeOf);
  await vi.waitFor(() => expect(forgotten).toHaveLength(1));
  await Promise.all(forgotten);
  expect(await opened).toBe('room/closed');
  expect(tab.client()?.rooms).toEqual([]);
  expect(await tab.call('open', { room, declaration })).toBe(null);
  expect(await device.ports.store.keys('rooms', [])).toEqual([]);
  await device.engine.stop();
});
