/** A device that comes back while its network still takes its leave, or whose question is answered late. */
import { expect, test } from 'vitest';
import type { RoomInfo } from '../../src/bridge/index.js';
import { encodeDeclaration } from '../../src/core/schema/index.js';
import { frameTypes } from '../../src/core/wire/index.js';
import { createMemoryNetwork, type Transport, type TransportEvents } from '../../src/transport/index.js';
import { nodeTime, startDevice, testDeclaration, until, type RigDevice, type RigRoom } from './rig.kit.js';

const declaration = encodeDeclaration(testDeclaration);

/** What happens to a frame that Bob sends; false: it is not sent, or sent by the test. */
type OnSend = (frame: Uint8Array, events: TransportEvents, send: () => void) => boolean;

function watched(below: Transport, onSend: OnSend): Transport {
  return {
    ...below,
    open: (on) => {
      const open = below.open(on);
      return {
        get self() {
          return open.self;
        },
        maxFrameBytes: open.maxFrameBytes,
        send: async (frame, to, o) => {
          const copy = frame.slice();
          if (onSend(copy, on, () => void open.send(copy, to, o))) await open.send(frame, to, o);
        },
        close: () => open.close(),
      };
    },
  };
}

const typeOf = (frame: Uint8Array): number => (frame[0] ?? 0) * 256 + (frame[1] ?? 0);

interface Pair {
  readonly bob: RigRoom;
  readonly ada: RigRoom;
  readonly devices: readonly RigDevice[];
}

/**
 * Ada comes back to Bob; from then on `onSend` sees what he sends. She has written a card that he has not, or her disk was
 * put back to before he came.
 */
async function comeBack(onSend: OnSend, o: { readonly isRestored?: boolean } = {}): Promise<Pair> {
  const network = createMemoryNetwork({ random: () => 0.5, schedule: (ms, run) => nodeTime.after(ms, run) });
  let isBack = false;
  const [first, b] = [await startDevice(), await startDevice()];
  const tabA = first.tab();
  const { room: id } = await tabA.call('create', {
    request: 'aa'.repeat(16),
    key: null,
    title: 'Plans',
    declaration,
    profile: { name: 'Ada', color: null },
  });
  tabA.lend(id, network.transport('a'));
  const role = { rank: 20, perms: 7, write: null };
  const { code } = await tabA.call('createInvite', { room: id, request: 'bb', role, maxUses: 5, expiresInMs: 60_000 });
  const backup = first.disk.copy();
  const tabB = b.tab();
  tabB.lend(
    id,
    watched(network.transport('b'), (frame, on, send) => !isBack || onSend(frame, on, send)),
  );
  await tabB.call('join', { join: 'j1', link: code ?? '', declaration, profile: { name: 'Bob', color: null } });
  const [roomA, bob] = [tabA.room(id), tabB.room(id)];
  if (o.isRestored === true) roomA.insertCard('not on the backup');
  const isDone = ({ network: state, undelivered }: RoomInfo): boolean => state === 'up-to-date' && undelivered === 0;
  await until(() => isDone(roomA.info()) && isDone(bob.info()), { ms: 10_000, what: 'all delivered' });
  network.setState('a', 'down');
  await until(() => bob.info().network === 'alone');
  if (o.isRestored !== true) {
    // By the start that may sign: it is in her chain when she comes back.
    roomA.insertCard('written away');
    await until(() => roomA.saved() === 1);
  }
  tabA.gone();
  await first.engine.stop();
  network.setState('a', 'up');

  const second = await startDevice({ disk: o.isRestored === true ? backup : first.disk });
  const tab = second.tab();
  await tab.call('open', { room: id, declaration });
  const ada = tab.room(id);
  isBack = true;
  tab.lend(id, network.transport('a'));
  return { ada, bob, devices: [second, b] };
}

async function agree({ ada, bob, devices }: Pair): Promise<number> {
  const startedMs = performance.now();
  await until(() => bob.rows('cards').size === 1, { what: 'Bob has the card' });
  await until(() => ada.info().network === 'up-to-date' && bob.info().network === 'up-to-date', {
    what: 'both up to date',
  });
  for (const device of devices) await device.engine.stop();
  return Math.round(performance.now() - startedMs);
}

test('[X4] a goodbye to an earlier session that takes the present one along: asked, it tells and asks everything again', async () => {
  let isTold = false;
  const pair = await comeBack((frame, on) => {
    if (typeOf(frame) === frameTypes.beacon && !isTold) {
      isTold = true;
      // Ada has proved to be here; now the transport has the news of her earlier session.
      on.peer('a', 'gone');
      on.peer('a', 'here');
    }
    return true;
  });
  console.log(`[X4] agreed ${await agree(pair)} ms after coming back`);
  expect(isTold).toBe(true);
}, 20_000);

test('[ELE-3] who has nothing to send and says so too late is asked again, not waited for', async () => {
  /** Once begun, all that Bob sends waits a while: his device is busy. */
  const waiting: (() => void)[] = [];
  let state: 'quick' | 'busy' | 'quick again' = 'quick';
  const pair = await comeBack((frame, _on, send) => {
    if (state === 'quick' && typeOf(frame) === frameTypes.syncDone) {
      state = 'busy';
      setTimeout(() => {
        state = 'quick again';
        for (const late of waiting) late();
      }, 800);
    }
    if (state === 'busy') waiting.push(send);
    return state !== 'busy';
  });
  console.log(`[ELE-3] agreed ${await agree(pair)} ms after coming back`);
  expect(waiting.length).toBeGreaterThan(0);
}, 20_000);

test('[F10] [F6] a founder’s disk put back to before anybody came: what she signed then counts from a stranger, nothing forks', async () => {
  const waiting: (() => void)[] = [];
  let state: 'asked' | 'answered' | 'told' = 'asked';
  const { ada, bob, devices } = await comeBack(
    (frame, _on, send) => {
      if (typeOf(frame) === frameTypes.resume) setTimeout(() => (state = state === 'told' ? state : 'answered'), 50);
      // That there is more comes well before it does: long enough to sign something else meanwhile.
      if (typeOf(frame) !== frameTypes.fragment || state === 'told') return true;
      waiting.push(send);
      return false;
    },
    { isRestored: true },
  );
  await until(() => state === 'answered' && waiting.length > 0);
  ada.insertCard('written since');
  await until(() => ada.saved() === 1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  state = 'told';
  for (const send of waiting) send();
  const texts = (of: typeof ada): unknown[] => [...of.rows('cards').values()].map(({ text }) => text).sort();
  await until(() => texts(ada).length === 2 && texts(bob).length === 2, { what: 'both have both cards' });
  expect(texts(ada)).toEqual(['not on the backup', 'written since']);
  expect(texts(bob)).toEqual(texts(ada));
  expect([ada.info().blocked, bob.info().blocked]).toEqual([null, null]);
  for (const device of devices) await device.engine.stop();
}, 20_000);
