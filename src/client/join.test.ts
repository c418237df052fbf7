import { afterEach, describe, expect, test, vi } from 'vitest';
import { toBase64Url } from '../core/base/index.js';
import { encodeInviteCode } from '../core/invite/index.js';
import type { Transport } from '../transport/index.js';
import { isKeeproomError } from '../view/index.js';
import { board, infoOf } from '../view/view.kit.js';
import { createClient } from './client.js';
import type { FakeWorker } from './fake-worker.kit.js';
import { createFakeWorker, over, settled, view, wake } from './fake-worker.kit.js';
import { inviteLink, invitedRoom, takeInvite } from './invite.js';
import type { JoinState } from './types.js';

const roomId = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
const room = Buffer.from(roomId).toString('hex');
const code = encodeInviteCode({ roomId, secret: new Uint8Array(16).fill(7) });
const quiet: Transport = {
  type: 'test',
  open: () => ({ self: '', maxFrameBytes: 1, send: async () => undefined, close: () => undefined }),
};

function rig(): { worker: FakeWorker; client: ReturnType<typeof createClient> } {
  const worker = createFakeWorker((message, self) => {
    if (message.t === 'start') wake(self);
  });
  return { worker, client: createClient({ ...over(worker), profile: { name: 'Bob', color: 'blue' } }) };
}

describe('[S16] joining', () => {
  test('shows its steps, lends its networks before there is a room, and ends in one', async () => {
    const { worker, client } = rig();
    const join = client.joinRoom(`https://app.example/#keeproom=${code}`, { schema: board, transports: [quiet] });
    const states: JoinState['step'][] = [];
    join.state.subscribe(({ step }) => states.push(step));
    await settled();
    expect(worker.of('link-offer')).toEqual([{ t: 'link-offer', link: `${room}/test`, room, type: 'test' }]);
    const withdrawn = worker.of('link-withdraw').length;
    const [call] = worker.of('call');
    expect(call).toMatchObject({ name: 'join', args: { profile: { name: 'Bob', color: 'blue' } } });
    const { join: id } = call!.args as { join: string };
    worker.say({ t: 'join', join: id, step: 'waiting-for-host', progress: 0 });
    worker.say({ t: 'join', join: 'another', step: 'failed', progress: 0 });
    worker.say({ t: 'join', join: id, step: 'loading', progress: 0.5 });
    expect(join.state.value).toEqual({ step: 'loading', progress: 0.5, error: null });
    view(worker, room, { reset: true, info: infoOf(board) }, []);
    worker.say({ t: 'reply', id: call!.id, value: { room } });
    expect((await join.room).id).toBe(room);
    expect(states).toEqual(['connecting', 'waiting-for-host', 'loading', 'joined']);
    // The network of the join goes on as the room's.
    expect(worker.of('link-withdraw')).toHaveLength(withdrawn);
    await (await join.room).close();
    expect(worker.of('link-withdraw')).toHaveLength(withdrawn + 1);
  });

  test('a refusal is typed, shown in the state, and nobody has to listen', async () => {
    const { worker, client } = rig();
    const join = client.joinRoom(code, { schema: board, transports: [quiet] });
    await settled();
    const withdrawn = worker.of('link-withdraw').length;
    const error = {
      name: 'KeeproomError',
      code: 'invite/used',
      message: 'used up',
      action: 'Ask.',
      retryable: false,
    } as const;
    worker.say({ t: 'reply-error', id: worker.of('call')[0]!.id, error });
    await settled();
    const { step, error: shown } = join.state.value;
    expect([step, shown?.code, shown?.action]).toEqual(['failed', 'invite/used', 'Ask.']);
    expect(worker.of('link-withdraw')).toHaveLength(withdrawn + 1);
    await expect(join.room).rejects.toBe(shown);
  });

  test.each(['cancel', 'signal'] as const)(
    'given up by %s: the engine is told, and asks nobody any more',
    async (by) => {
      const { worker, client } = rig();
      const stop = new AbortController();
      const join = client.joinRoom(code, { schema: board, signal: stop.signal });
      await settled();
      if (by === 'cancel') join.cancel();
      else stop.abort();
      await settled();
      expect(join.state.value.error?.code).toBe('aborted');
      const [asked, cancelled] = worker.of('call');
      expect(cancelled).toMatchObject({ name: 'cancel', args: { call: asked!.id } });
      expect(isKeeproomError(await join.room.catch((error: unknown) => error))).toBe(true);
    },
  );

  test('what is no invite is for the engine to say; a schema that is none fails the join', async () => {
    const { worker, client } = rig();
    const join = client.joinRoom('no invite', { schema: board, transports: [quiet] });
    await settled();
    expect(worker.of('link-offer')).toEqual([]);
    expect(worker.of('call')[0]).toMatchObject({ name: 'join', args: { link: 'no invite' } });
    join.cancel();
    await expect(client.joinRoom(code, { schema: {} as never }).room).rejects.toThrow(TypeError);
  });
});

describe('invite codes', () => {
  afterEach(() => vi.unstubAllGlobals());

  function visit(href: string): { replaced: string[]; at: Location } {
    const at = new URL(href) as unknown as Location;
    const replaced: string[] = [];
    vi.stubGlobal('location', at);
    vi.stubGlobal('history', {
      state: 's',
      replaceState: (_state: unknown, _title: string, to: string) => replaced.push(to),
    });
    return { replaced, at };
  }

  test('are taken from the fragment and out of the address bar, and leave the rest of both alone', () => {
    for (const [href, found, left] of [
      [`https://a.example/p?q=1#keeproom=${code}`, code, '/p?q=1'],
      [`https://a.example/p#/route&keeproom=${code}`, code, '/p#/route'],
      [`https://a.example/p#keeproom=${code}&tab=2`, code, '/p#tab=2'],
      ['https://a.example/p#other', null, null],
      ['https://a.example/p#mykeeproom=x', null, null],
    ] as const) {
      const { replaced } = visit(href);
      expect(takeInvite()).toBe(found);
      expect(replaced).toEqual(left === null ? [] : [left]);
    }
    const { replaced } = visit('https://a.example/');
    expect(takeInvite(new URL(`https://b.example/#keeproom=${code}`) as unknown as Location)).toBe(code);
    expect(replaced).toEqual([]);
  });

  test('on a server there is none', () => {
    expect(takeInvite()).toBeNull();
  });

  test('name their room, in a link or alone', () => {
    for (const text of [
      code,
      ` ${code} `,
      `https://a.example/#keeproom=${code}`,
      `https://a.example/#x&keeproom=${code}.`,
    ]) {
      expect(invitedRoom(text)).toBe(room);
    }
    for (const text of ['', 'x', `${code}a`, toBase64Url(roomId)]) expect(invitedRoom(text)).toBeNull();
  });

  test('go into the fragment of a page, never into its query', () => {
    expect(inviteLink(code, 'https://a.example/p?q=1#old')).toBe(`https://a.example/p?q=1#keeproom=${code}`);
    expect(inviteLink(code, new URL('https://a.example/p'))).toBe(`https://a.example/p#keeproom=${code}`);
    visit('https://a.example/here');
    expect(inviteLink(code, undefined)).toBe(`https://a.example/here#keeproom=${code}`);
    expect(inviteLink(code, '/there')).toBe(`https://a.example/there#keeproom=${code}`);
    expect(() => inviteLink(code, 7 as never)).toThrow(new TypeError('page: expected a text or a URL, got number'));
    vi.unstubAllGlobals();
    expect(() => inviteLink(code, undefined)).toThrow(TypeError);
  });
});
