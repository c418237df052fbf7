import { expect, test } from 'vitest';
import { foundCore, memberCore, copyAll } from './core.kit.js';
import { domainNamed, insertOf, payloadOf, write } from './content.kit.js';
import { createRoomCore, type RoomCore } from './room/core.js';
import { loadRoom } from './room/load.js';
import { freezeRoom, snapshotOps } from './room/snapshot/write.js';
import { stateDifference } from './state.kit.js';

async function snap(core: RoomCore): Promise<void> {
  await core.ports.store.commit(await snapshotOps(core, freezeRoom(core)));
}

/** The room of a core's disk, as the next start opens it. */
async function openAgain(core: RoomCore, o: { readonly isReplay?: boolean } = {}): Promise<RoomCore> {
  const { ports, roomId, keys, boot, row, loop } = core;
  const again = createRoomCore({ ports, roomId, keys, boot, row, loop });
  await loadRoom(again, o);
  return again;
}

test('[B03] a room opens from a snapshot and what came after it as from all of its history', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  const main = domainNamed(ada, 'main');
  for (let n = 0; n < 5; n++)
    await write(ada, main, { payload: payloadOf(insertOf(ada, 'cards', { text: `before ${String(n)}` })) });
  await copyAll(ada, bob);
  await write(bob, main, { payload: payloadOf(insertOf(bob, 'cards', { text: 'from bob' })) });
  await copyAll(bob, ada);
  await snap(ada);
  await write(ada, main, { payload: payloadOf(insertOf(ada, 'cards', { text: 'after' })) });
  const [opened, replayed] = [await openAgain(ada), await openAgain(ada, { isReplay: true })];
  expect(opened.snapshot).toMatchObject({ isBad: false });
  expect(stateDifference(opened, replayed)).toBeNull();
  expect(opened.faults.size).toBe(0);
});
