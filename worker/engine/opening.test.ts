import { expect, test } from 'vitest';
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
