/** What a page does when its engine changes, loses a room, or cannot start. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FromPage, PageError } from '../bridge/index.js';
import { isKeeproomError } from '../view/index.js';
import { board, infoOf } from '../view/view.kit.js';
import { createClient } from './client.js';
import type { FakeWorker } from './fake-worker.kit.js';
import { createFakeWorker, createServing, over, ready, settled, view, wake } from './fake-worker.kit.js';

const options = { schema: board };
const trouble = (code: PageError['code']): PageError => ({
  name: 'KeeproomError',
  code,
  message: 'x',
  action: 'a',
  retryable: true,
});

/** How it stands with a promise now. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  const done = promise.then(
    () => 'done',
    (error: unknown) => (isKeeproomError(error) ? error.code : String(error)),
  );
  return Promise.race([done, settled().then(() => 'waits')]);
}

/** A worker whose engine answers calls only when the test says so, in what order it says. */
function serveByHand() {
  const worker = createFakeWorker((message, self) => {
    if (message.t === 'start') wake(self);
  });
  const client = createClient(over(worker));
  const answer = ({ id, name }: FromPage & { t: 'call' }): void => {
    if (name === 'open') view(worker, 'r1', { reset: true, info: infoOf(board) }, []);
    worker.say({ t: 'reply', id, value: name === 'open' ? { room: 'r1' } : null });
  };
  /** The first room that is opened. */
  const opened = async (idOrKey: string) => {
    const opening = client.openRoom(idOrKey, options);
    await settled();
    answer(calls(worker, 'open')[0]!);
    return (await opening)!;
  };
  return { worker, client, answer, opened };
}

const calls = (worker: FakeWorker, name: string): (FromPage & { t: 'call' })[] =>
  worker.of('call').filter((call) => call.name === name);

test('[X11] a room is not closed while another handle of it may be on its way, and is when none is', async () => {
  const { worker, client, answer, opened } = serveByHand();
  const old = await opened('plans');
  const second = client.openRoom('plans', options);
  await old.close();
  expect(calls(worker, 'close')).toEqual([]);
  answer(calls(worker, 'open')[1]!);
  const room = (await second)!;
  const write = room.data.cards.insert({ x: 1 });
  view(worker, 'r1', { savedUpTo: 1 });
  expect(await stateOf(write.saved())).toBe('done');
  await room.close();
  expect(calls(worker, 'close')).toHaveLength(1);
});

test('[X11] a room whose opening was given up is not left open in the engine', async () => {
  const { worker, client, answer } = serveByHand();
  const stop = new AbortController();
  const opening = stateOf(client.openRoom('r1', { ...options, signal: stop.signal }));
  stop.abort();
  expect(await opening).toBe('aborted');
  answer(calls(worker, 'open')[0]!);
  expect(calls(worker, 'close').map(({ args }) => args)).toEqual([{ room: 'r1' }]);
});

test('[X11] a room that the next engine cannot open is told and asked for again; its writes follow then', async () => {
  vi.useFakeTimers();
  const worker = createServing(() => infoOf(board));
  const room = (await createClient(over(worker)).openRoom('r1', options))!;
  const heard: string[] = [];
  room.on('error', ({ code }) => heard.push(code));
  worker.say({ t: 'engine', state: 'waiting', generation: 1, leader: false, error: null });
  const before = worker.heard.length;
  room.data.cards.insert({ x: 1 });
  ready(worker, 2);
  const { id } = calls(worker, 'open').at(-1)!;
  worker.say({ t: 'reply-error', id, error: trouble('storage/full') });
  await vi.advanceTimersByTimeAsync(100);
  expect(heard).toEqual(['storage/full']);
  room.data.cards.insert({ x: 2 });
  await vi.advanceTimersByTimeAsync(5_000);
  const said = worker.heard.slice(before).map((message) => (message.t === 'write' ? message.n : message.t));
  expect(said).toEqual(['call', 'call', 1, 2]);
  expect(worker.of('write')).toMatchObject([{ prev: 0 }, { prev: 1 }]);
  vi.useRealTimers();
});

test('[X11] a room that the engine has not open is asked for again with its writes, and closed when it is gone', async () => {
  const { worker, answer, opened } = serveByHand();
  const room = await opened('r1');
  const write = room.data.cards.insert({ x: 1 });
  worker.say({ t: 'room-error', room: 'r1', error: trouble('room/closed') });
  answer(calls(worker, 'open')[1]!);
  await settled();
  expect(worker.of('write').map(({ n, prev }) => [n, prev])).toEqual([
    [1, 0],
    [1, 0],
  ]);
  expect(await stateOf(write.saved())).toBe('waits');

  const heard: string[] = [];
  room.on('error', ({ code }) => heard.push(code));
  const saved = write.saved();
  worker.say({ t: 'room-error', room: 'r1', error: trouble('room/closed') });
  worker.say({ t: 'reply', id: calls(worker, 'open')[2]!.id, value: null });
  expect(await stateOf(saved)).toBe('room/closed');
  expect(heard).toEqual(['room/closed']);
  expect(() => room.data.cards.insert({ x: 2 })).toThrow(/room\/closed/);
});

test('[X11] the same engine that goes on after a slow disk is asked nothing again, and hears all the while', async () => {
  const { worker, client, answer } = serveByHand();
  const log: string[] = [];
  const transport = {
    type: 'livekit',
    open: () => {
      log.push('open');
      return { self: 'a', maxFrameBytes: 1, send: async () => undefined, close: () => void log.push('close') };
    },
  };
  const opening = client.openRoom('r1', { ...options, transports: [transport] });
  await settled();
  answer(calls(worker, 'open')[0]!);
  const room = (await opening)!;
  worker.say({ t: 'link-open', link: 'r1/livekit' });
  void room.invites.create({ role: 'editor' }).catch(() => undefined);
  const before = worker.heard.length;
  const slow = { t: 'engine', state: 'serving', generation: 1, leader: true } as const;
  worker.say({ ...slow, error: trouble('storage/blocked') });
  expect(client.status.value.storage).toBe('broken');
  room.data.cards.insert({ x: 1 });
  worker.say({ ...slow, error: null });
  await settled();
  expect(worker.heard.slice(before).map(({ t }) => t)).toEqual(['write']);
  expect(log).toEqual(['open']);
});

describe('[S17] an engine that cannot start', () => {
  const say = (worker: FakeWorker, code: PageError['code'] | null): void =>
    worker.say({ t: 'engine', state: 'waiting', generation: 0, leader: false, error: code && trouble(code) });
  let worker: FakeWorker;
  beforeEach(() => {
    worker = createFakeWorker((message) => message.t === 'start' && worker.say({ t: 'alive' }));
  });
  afterEach(() => vi.useRealTimers());

  test.each(['worker/not-started', 'worker/taken-over', 'upgrade/required', 'storage/broken'] as const)(
    '%s fails what waits and what is asked then; afterwards all is as ever',
    async (code) => {
      const client = createClient(over(worker));
      const waiting = client.createRoom(options);
      expect(await stateOf(waiting)).toBe('waits');
      say(worker, code);
      await expect(waiting).rejects.toMatchObject({ code, retryable: true });
      await expect(client.openRoom('r1', options)).rejects.toMatchObject({ code });
      say(worker, null);
      const next = client.openRoom('r1', options);
      expect(await stateOf(next)).toBe('waits');
      ready(worker);
      view(worker, 'r1', { reset: true, info: infoOf(board) }, []);
      worker.say({ t: 'reply', id: worker.of('call').at(-1)!.id, value: { room: 'r1' } });
      const room = (await next)!;
      const saved = room.data.cards.insert({ x: 1 }).saved();
      say(worker, code);
      expect(await stateOf(saved)).toBe(code);
      expect(room.status.value.unsaved).toBe(1);
    },
  );

  test('a database that others hold keeps everybody waiting', async () => {
    const client = createClient(over(worker));
    const waiting = client.createRoom(options);
    say(worker, 'storage/blocked');
    expect(await stateOf(waiting)).toBe('waits');
    expect(await stateOf(client.openRoom('r1', options))).toBe('waits');
  });
});
