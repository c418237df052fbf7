import { expect, test, vi } from 'vitest';
import { encodeInviteCode } from '../core/invite/index.js';
import { isKeeproomError } from '../view/index.js';
import { board, infoOf } from '../view/view.kit.js';
import { createClient } from './client.js';
import { createFakeWorker, createServing, over, settled, view, wake } from './fake-worker.kit.js';
import type { Client } from './types.js';

const roomId = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
const code = encodeInviteCode({ roomId, secret: new Uint8Array(16).fill(7) });

/** Every way into a room. */
const ways = [
  ['createRoom', (client: Client, signal: AbortSignal) => client.createRoom({ schema: board, signal })],
  ['openRoom', (client: Client, signal: AbortSignal) => client.openRoom('r1', { schema: board, signal })],
  ['joinRoom', (client: Client, signal: AbortSignal) => client.joinRoom(code, { schema: board, signal }).room],
] as const;

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  const error: unknown = await promise.catch((failure: unknown) => failure);
  return isKeeproomError(error) ? [error.code, error.cause] : error;
}

test.each(ways)(
  '[B08] %s with a signal that has aborted rejects with its reason, and starts nothing',
  async (_, enter) => {
    const worker = createFakeWorker();
    const client = createClient(over(worker));
    const reason = new Error('no more');
    expect(await failureOf(enter(client, AbortSignal.abort(reason)))).toEqual(['aborted', reason]);
    expect(worker.heard).toEqual([]);
  },
);

test.each(ways)('[B08] %s that is aborted later is given up in the engine, and leaves its signal', async (_, enter) => {
  const worker = createFakeWorker((message, self) => {
    if (message.t === 'start') wake(self);
  });
  const client = createClient(over(worker));
  const stop = new AbortController();
  const [add, remove] = [vi.spyOn(stop.signal, 'addEventListener'), vi.spyOn(stop.signal, 'removeEventListener')];
  const failure = failureOf(enter(client, stop.signal));
  await settled();
  const reason = new Error('enough');
  stop.abort(reason);
  expect(await failure).toEqual(['aborted', reason]);
  const [asked, ended, ...others] = worker.of('call');
  expect(ended).toMatchObject({ name: 'cancel', args: { call: asked?.id } });
  expect(others).toEqual([]);
  expect(add.mock.calls.length).toBe(remove.mock.calls.length);
});

test('[B08] a room that was entered leaves the signal it was entered with; waits for its writes end with theirs', async () => {
  const worker = createServing(() => infoOf(board));
  const client = createClient(over(worker));
  const stop = new AbortController();
  const [add, remove] = [vi.spyOn(stop.signal, 'addEventListener'), vi.spyOn(stop.signal, 'removeEventListener')];
  const { signal } = stop;
  const room = await client.createRoom({ schema: board, signal });
  expect(add.mock.calls.length).toBe(remove.mock.calls.length);
  const write = room.rename('Plans');
  const waits = [write.saved({ signal }), write.delivered({ signal })].map(failureOf);
  await settled();
  stop.abort('enough');
  expect(await Promise.all([...waits, failureOf(write.saved({ signal }))])).toEqual(
    Array(3).fill(['aborted', 'enough']),
  );
  expect(add.mock.calls.length).toBe(remove.mock.calls.length);
  expect(room.title.value).toBe('Plans');
});

test('[B08] progress of a join does not go back when another engine begins anew, and is 1 when it is through', async () => {
  const worker = createFakeWorker((message, self) => {
    if (message.t === 'start') wake(self);
  });
  const join = createClient(over(worker)).joinRoom(code, { schema: board });
  const seen: number[] = [];
  join.state.subscribe(({ progress }) => seen.push(progress));
  await settled();
  const [call] = worker.of('call');
  const { join: id } = call!.args as { join: string };
  worker.say({ t: 'join', join: id, step: 'loading', progress: 0.4 });
  worker.say({ t: 'join', join: id, step: 'connecting', progress: 0 });
  worker.say({ t: 'join', join: id, step: 'loading', progress: 0.3 });
  worker.say({ t: 'join', join: id, step: 'loading', progress: 0.6 });
  view(worker, 'r1', { reset: true, info: infoOf(board) }, []);
  worker.say({ t: 'reply', id: call!.id, value: { room: 'r1' } });
  await join.room;
  expect(seen).toEqual([0, 0.4, 0.4, 0.4, 0.6, 1]);
});
