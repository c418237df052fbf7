/** What two devices that hold the same say to each other when the network of one is back. */
import { expect, test } from 'vitest';
import type { RoomInfo } from '../../src/bridge/index.js';
import { encodeDeclaration } from '../../src/core/schema/index.js';
import { decodeHello, frameTypes } from '../../src/core/wire/index.js';
import { createMemoryNetwork, type MemoryNetwork, type TappedFrame } from '../../src/transport/index.js';
import { nodeTime, startDevice, testDeclaration, until, type RigDevice, type RigRoom, type RigTab } from './rig.kit.js';

const declaration = encodeDeclaration(testDeclaration);
/** Nothing that is still to be said takes longer. */
const quietMs = 300;

interface Pair {
  readonly network: MemoryNetwork;
  readonly ada: RigRoom;
  readonly bob: RigRoom;
  readonly room: string;
  readonly tabB: RigTab;
  readonly devices: [RigDevice, RigDevice];
}

const isDone = ({ network, undelivered }: RoomInfo): boolean => network === 'up-to-date' && undelivered === 0;

/** Ada, at `a`, and Bob, at `b`, with a card and a line of each. */
async function startPair(): Promise<Pair> {
  const network = createMemoryNetwork({ random: () => 0.5, schedule: (ms, run) => nodeTime.after(ms, run) });
  const devices: Pair['devices'] = [await startDevice(), await startDevice()];
  const [tabA, tabB] = [devices[0].tab(), devices[1].tab()];
  const { room } = await tabA.call('create', {
    request: 'aa'.repeat(16),
    key: null,
    title: 'Plans',
    declaration,
    profile: { name: 'Ada', color: null },
  });
  tabA.lend(room, network.transport('a'));
  const role = { rank: 20, perms: 7, write: null };
  const { code } = await tabA.call('createInvite', { room, request: 'bb', role, maxUses: 5, expiresInMs: 60_000 });
  tabB.lend(room, network.transport('b'));
  await tabB.call('join', { join: 'j1', link: code ?? '', declaration, profile: { name: 'Bob', color: null } });
  const [ada, bob] = [tabA.room(room), tabB.room(room)];
  for (const one of [ada, bob]) one.insertCard('same');
  await until(
    () => ada.rows('cards').size === 2 && bob.rows('cards').size === 2 && isDone(ada.info()) && isDone(bob.info()),
  );
  return { network, ada, bob, room, tabB, devices };
}

/** Nobody has anything more to say. */
const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, quietMs));

/** Bob's network is down, and Ada knows it. */
async function goAway({ network, ada, bob }: Pair): Promise<void> {
  await quiet();
  network.setState('b', 'down');
  await until(() => bob.info().network === 'connecting' && ada.info().network === 'alone');
}

/** Bob's network is back: every frame until both are up to date and nobody has anything more to say. */
async function comeBack(
  { network, ada, bob }: Pair,
  seen: (frame: TappedFrame) => void = () => undefined,
): Promise<TappedFrame[]> {
  const frames: TappedFrame[] = [];
  const stop = network.tap((frame) => {
    frames.push(frame);
    seen(frame);
  });
  network.setState('b', 'up');
  await until(() => ada.info().network !== 'alone' && isDone(ada.info()) && isDone(bob.info()), {
    ms: 3_000,
    what: 'both up to date again',
  });
  await quiet();
  stop();
  return frames;
}

const names = new Map<number, string>(Object.entries(frameTypes).map(([name, type]) => [type, name]));
const typeOf = ({ bytes }: TappedFrame): string => names.get((bytes[0] ?? 0) * 256 + (bytes[1] ?? 0)) ?? '?';
/** From whom, and what. */
const told = (frames: readonly TappedFrame[]): string[] => frames.map((frame) => `${frame.from} ${typeOf(frame)}`);

async function stopAll({ devices }: Pair): Promise<void> {
  for (const device of devices) await device.engine.stop();
}

test('[SYN-5] back with nothing new: three HELLOs and no more, 600 bytes at most', async () => {
  const pair = await startPair();
  await goAway(pair);
  const frames = await comeBack(pair);
  expect(told(frames)).toEqual(['b hello', 'a hello', 'b hello']);
  const bytes = frames.map((frame) => frame.bytes.length);
  console.log(`[SYN-5] ${bytes.join(' + ')} bytes`);
  expect(bytes.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(600);
  const hellos = frames.map((frame) => decodeHello(frame.bytes));
  const sums = hellos.map((hello) =>
    hello.ok && hello.value.hello.sum !== null ? hello.value.hello.sum.join() : null,
  );
  expect(sums[0]).toBe(null);
  // The same is held, and nobody on the way can tell.
  expect(new Set(sums).size).toBe(3);
  await stopAll(pair);
}, 20_000);

test('[SYN-5] back with something new, of either: told as ever, and both have all', async () => {
  const pair = await startPair();
  await goAway(pair);
  pair.bob.insertCard('written away');
  await quiet();
  const frames = await comeBack(pair);
  expect(told(frames)).toEqual(expect.arrayContaining(['a resume', 'b resume', 'a beacon', 'b beacon']));
  expect(pair.ada.rows('cards').size).toBe(3);
  await stopAll(pair);
}, 20_000);

test('[SYN-5] what changes between two HELLOs: who sees it greets, and is greeted by the one that saw no difference', async () => {
  const pair = await startPair();
  await goAway(pair);
  pair.network.setFaults({ minLatencyMs: 30, maxLatencyMs: 30 });
  let hasWritten = false;
  const frames = await comeBack(pair, (frame) => {
    if (hasWritten || frame.from !== 'a' || typeOf(frame) !== 'hello') return;
    hasWritten = true;
    pair.ada.insertCard('written meanwhile');
  });
  expect(told(frames).slice(0, 4)).toEqual(['b hello', 'a hello', 'b hello', 'a resume']);
  expect(told(frames)).toContain('b resume');
  expect(pair.bob.rows('cards').size).toBe(3);
  await stopAll(pair);
}, 20_000);

test('[SYN-4] who has said a root that was held here is not asked for it when more has been written since', async () => {
  const pair = await startPair();
  await quiet();
  const [frames, states] = [[] as TappedFrame[], new Set<string>()];
  const stop = pair.network.tap((frame) => frames.push(frame));
  pair.bob.insertCard('more');
  await until(() => {
    states.add(pair.bob.info().network);
    return pair.ada.rows('cards').size === 3 && isDone(pair.bob.info());
  });
  await quiet();
  stop();
  expect([...states]).toEqual(['up-to-date']);
  expect(told(frames)).not.toContain('b syncReq');
  await stopAll(pair);
}, 20_000);

test('[SYN-5] [F10] a restart with nothing lost is cleared by the HELLO alone', async () => {
  const pair = await startPair();
  await quiet();
  pair.tabB.gone();
  await until(() => pair.ada.info().network === 'alone');
  await pair.devices[1].engine.stop();
  const second = await startDevice({ disk: pair.devices[1].disk });
  const tab = second.tab();
  await tab.call('open', { room: pair.room, declaration });
  const frames: TappedFrame[] = [];
  pair.network.tap((frame) => frames.push(frame));
  tab.lend(pair.room, pair.network.transport('b'));
  const bob = tab.room(pair.room);
  await until(() => bob.info().network === 'up-to-date');
  bob.insertCard('after the start');
  // Signed, sent and acknowledged: nobody waits for an answer that is not coming.
  await until(() => bob.delivered() === 1, { ms: 3_000, what: 'delivered' });
  expect(told(frames).filter((frame) => frame.endsWith('resume'))).toEqual([]);
  await second.engine.stop();
  await pair.devices[0].engine.stop();
}, 20_000);
