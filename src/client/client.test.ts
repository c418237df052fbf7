import { afterEach, describe, expect, test, vi } from 'vitest';
import type { FromPage, PageInfo } from '../bridge/index.js';
import type { Op } from '../core/op/index.js';
import { checkOps, metaDeclaration } from '../core/schema/index.js';
import { isKeeproomError } from '../view/index.js';
import { board, idOf, infoOf, mine, theirs } from '../view/view.kit.js';
import { createClient } from './client.js';
import type { FakeWorker } from './fake-worker.kit.js';
import { createFakeWorker, createServing, over, ready, settled, view, wake } from './fake-worker.kit.js';
import type { Client } from './types.js';

const options = { schema: board };

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'done';
  } catch (error) {
    return isKeeproomError(error) ? error.code : String(error);
  }
}

function serve(info: Partial<PageInfo> = {}): { worker: FakeWorker; client: Client } {
  const worker = createServing(() => infoOf(board, info));
  return { worker, client: createClient(over(worker)) };
}

describe('[S17] the worker', () => {
  afterEach(() => vi.useRealTimers());

  test('starts with the first call and not before; its name and storage are told', async () => {
    const worker = createServing(() => infoOf(board));
    const client = createClient({ ...over(worker), namespace: 'ada', storage: 'memory' });
    expect(client.rooms.value).toEqual([]);
    expect(client.status.value).toEqual({ storage: 'starting', usedBytes: 0 });
    expect(worker.heard).toEqual([]);
    await client.openRoom('r1', options);
    expect(worker.heard[0]).toMatchObject({ t: 'start', namespace: 'ada', storage: 'memory' });
  });

  test('[S17] one that says nothing within 5 s fails what waits with worker/not-started, naming the option', async () => {
    vi.useFakeTimers();
    const worker = createFakeWorker();
    const client = createClient(over(worker));
    const opening = client.openRoom('r1', options);
    const failed = expect(opening).rejects.toThrow(/worker\/not-started.*createClient\(\{ worker \}\)/);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(worker.isTerminated()).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await failed;
    expect(worker.isTerminated()).toBe(true);
    expect(client.status.value.storage).toBe('broken');
    // Asked again, it is tried again.
    const again = client.openRoom('r1', options);
    worker.say({ t: 'alive' });
    ready(worker);
    await vi.advanceTimersByTimeAsync(6_000);
    view(worker, 'r1', { reset: true, info: infoOf(board) }, []);
    worker.say({ t: 'reply', id: worker.of('call').at(-1)!.id, value: { room: 'r1' } });
    expect((await again)?.id).toBe('r1');
  });

  test('one that cannot be loaded, or made, fails at once; an error in one that runs is not its end', async () => {
    const worker = createFakeWorker();
    const opening = createClient(over(worker)).openRoom('r1', options);
    worker.crash();
    expect(await codeOf(opening)).toBe('worker/not-started');
    const refused = createClient({
      worker: () => {
        throw new Error('refused by a policy');
      },
    });
    expect(await codeOf(refused.createRoom(options))).toBe('worker/not-started');
    const { worker: running, client } = serve();
    await client.openRoom('r1', options);
    running.crash();
    expect(await codeOf(client.openRoom('r2', options))).toBe('done');
  });

  test('what an engine cannot do is shown at once and goes away when it can', async () => {
    const { worker, client } = serve();
    const room = await client.openRoom('r1', options);
    const heard: string[] = [];
    room?.on('error', (error) => heard.push(error.code));
    const blocked = {
      name: 'KeeproomError',
      code: 'storage/blocked',
      message: 'x',
      action: 'a',
      retryable: true,
    } as const;
    worker.say({ t: 'engine', state: 'waiting', generation: 1, leader: true, error: blocked });
    expect(client.status.value.storage).toBe('broken');
    expect(room?.status.value.storage).toBe('broken');
    expect(heard).toEqual(['storage/blocked']);
    ready(worker);
    worker.say({ t: 'client', info: { storage: 'durable', usedBytes: 3, rooms: [] } });
    expect(client.status.value).toEqual({ storage: 'durable', usedBytes: 3 });
    expect(room?.status.value.storage).toBe('durable');
  });
});

describe('[S18] the page', () => {
  afterEach(() => vi.unstubAllGlobals());

  test('rests before it sleeps or goes, and wakes when it is back; no longer once the client is closed', async () => {
    const [win, doc] = [new EventTarget(), new EventTarget()];
    vi.stubGlobal('window', win);
    vi.stubGlobal('document', doc);
    const { worker, client } = serve();
    await client.openRoom('r1', options);
    const from = worker.heard.length;
    win.dispatchEvent(new Event('pagehide'));
    win.dispatchEvent(new Event('pageshow'));
    doc.dispatchEvent(new Event('freeze'));
    doc.dispatchEvent(new Event('resume'));
    expect(worker.heard.slice(from).map(({ t }) => t)).toEqual(['abdicate', 'resume', 'abdicate', 'resume']);
    await client.close();
    win.dispatchEvent(new Event('pagehide'));
    expect(worker.heard.at(-1)?.t).toBe('stop');
  });

  test('[X11] a page whose worker leads tells the other tabs itself that it leaves; another does not', async () => {
    const [win, doc] = [new EventTarget(), new EventTarget()];
    vi.stubGlobal('window', win);
    vi.stubGlobal('document', doc);
    const { worker, client } = serve();
    await client.openRoom('r1', options);
    const others = new BroadcastChannel('keeproom/default');
    const heard: unknown[] = [];
    others.onmessage = ({ data }: MessageEvent<unknown>) => heard.push(data);
    for (const [generation, leader] of [
      [6, false],
      [7, true],
    ] as const) {
      worker.say({ t: 'engine', state: 'ready', generation, leader, error: null });
      win.dispatchEvent(new Event('pagehide'));
    }
    await vi.waitFor(() => expect(heard).not.toEqual([]));
    expect(heard).toEqual([{ v: 1, body: { m: 'leaving', from: '', generation: 7 } }]);
    others.close();
    await client.close();
  });

  test('a subscription starts the worker where there is a page, and nothing where there is none', () => {
    const { worker, client } = serve();
    const stop = client.rooms.subscribe(() => undefined);
    client.status.subscribe(() => undefined);
    expect(worker.heard).toEqual([]);
    stop();
    vi.stubGlobal('window', new EventTarget());
    vi.stubGlobal('document', new EventTarget());
    client.rooms.subscribe(() => undefined);
    expect(worker.heard.map(({ t }) => t)).toEqual(['start']);
  });

  test('on a server a client can be made and read; what needs a worker says so', async () => {
    const client = createClient();
    expect(client.rooms.value).toEqual([]);
    expect(await codeOf(client.openRoom('r1', options))).toBe('worker/not-started');
  });
});

describe('rooms', () => {
  test('open from the disk; null when they are not there', async () => {
    const worker = createFakeWorker((message, self) => {
      if (message.t === 'start') wake(self);
      if (message.t === 'call') queueMicrotask(() => self.say({ t: 'reply', id: message.id, value: null }));
    });
    expect(await createClient(over(worker)).openRoom('nowhere', options)).toBeNull();
  });

  test('tell who is there and what they may; equal values stay the same object', async () => {
    const { worker, client } = serve();
    const room = (await client.openRoom('r1', options))!;
    const profile = (creator: string, name: string): Parameters<typeof view>[3] => [
      {
        collection: '$profiles',
        id: `${'A'.repeat(16)}${creator}`,
        fields: { name, color: null },
        createdAtMs: 1,
        delivered: true,
      },
    ];
    view(worker, 'r1', {}, profile(mine, 'Ada'));
    view(worker, 'r1', {}, profile(theirs, 'Bob'));
    const title = {
      collection: '$room',
      id: 'A'.repeat(38),
      fields: { title: 'Standup' },
      createdAtMs: 1,
      delivered: true,
    };
    view(worker, 'r1', {}, [title]);
    expect(room.title.value).toBe('Standup');
    expect(room.me.value).toEqual({
      id: 'me',
      profile: { name: 'Ada' },
      role: 'admin',
      online: true,
      deviceCount: 1,
      invitedBy: null,
    });
    const members = room.members.value;
    expect(members.map(({ profile: { name } }) => name)).toEqual(['Ada', 'Bob']);
    view(worker, 'r1', { info: infoOf(board) });
    expect(room.members.value).toBe(members);
    const away = infoOf(board);
    const gone = { ...away, members: away.members.map((member) => ({ ...member, online: member.id === 'me' })) };
    view(worker, 'r1', { info: gone });
    expect(room.members.value[0]).toBe(members[0]);
    expect(room.members.value[1]).toMatchObject({ online: false });
    expect([room.can('write', 'cards'), room.can('invite'), room.can('manageSchema')]).toEqual([true, true, true]);
    view(worker, 'r1', { info: infoOf(board, { perms: 3, write: ['chat'] }) });
    expect([room.can('write'), room.can('write', 'cards'), room.can('write', 'chat'), room.can('invite')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(() => room.can('write', 'nothing')).toThrow(TypeError);
    expect(() => room.can('dance' as never)).toThrow(TypeError);
  });

  test('a rank shows as its role, one without a name as the nearest that may less', async () => {
    const roles: string[] = [];
    for (const rank of [0, 5, 10, 20, 25, 30, 40, 99]) {
      const base = infoOf(board);
      const members = base.members.map((member) => ({ ...member, rank }));
      const { client } = serve({ members });
      roles.push((await client.openRoom('r1', options))!.me.value.role);
    }
    expect(roles).toEqual(['owner', 'admin', 'admin', 'editor', 'viewer', 'viewer', 'guest', 'guest']);
  });

  test('status is in words, with what is only here', async () => {
    const { worker, client } = serve({ undelivered: 2, lastSyncedAtMs: 5, network: 'alone' });
    const room = (await client.openRoom('r1', options))!;
    room.data.cards.insert({ x: 1 });
    expect(room.status.value).toEqual({
      storage: 'starting',
      network: 'alone',
      progress: 1,
      blocked: null,
      unsaved: 1,
      undelivered: 3,
      lastSyncedAt: new Date(5),
      schema: 'current',
    });
    const now = room.status.value;
    view(worker, 'r1', { info: infoOf(board, { undelivered: 2, lastSyncedAtMs: 5, network: 'alone' }) });
    expect(room.status.value).toBe(now);
    view(worker, 'r1', { info: infoOf(board, { schemas: [] }) });
    expect(room.status.value.schema).toBe('app-is-newer');
  });

  test('opened twice are one, closed one by one; subscriptions end with their own handle', async () => {
    const { worker, client } = serve();
    const first = (await client.openRoom('r1', options))!;
    const second = (await client.openRoom('r1', options))!;
    const heard = { first: 0, second: 0 };
    first.data.cards.subscribe(() => heard.first++);
    second.data.cards.subscribe(() => heard.second++);
    const { id } = first.data.cards.insert({ x: 1 });
    expect(second.data.cards.get(id)?.x).toBe(1);
    view(worker, 'r1', { savedUpTo: 1 }, [
      { collection: 'cards', id, fields: { x: 1 }, createdAtMs: 1, delivered: false },
    ]);
    await first.close();
    await first.close();
    expect(() => first.data.cards.insert({ x: 2 })).toThrow(/room\/closed/);
    second.data.cards.insert({ x: 3 });
    expect(heard).toEqual({ first: 2, second: 3 });
    expect(worker.of('call').filter(({ name }) => name === 'close')).toHaveLength(0);
    // The last handle: the room stays until what it wrote is on the disk.
    await second[Symbol.asyncDispose]();
    expect(worker.of('call').filter(({ name }) => name === 'close')).toHaveLength(0);
    view(worker, 'r1', { savedUpTo: 2 });
    expect(worker.of('call').filter(({ name }) => name === 'close')).toHaveLength(1);
  });

  test('title and profile are records of meta; who may not is told at once', async () => {
    const { worker, client } = serve();
    const room = (await client.openRoom('r1', options))!;
    room.rename('New');
    room.setProfile({ name: 'Ada', color: 'red' });
    expect(room.title.value).toBe('New');
    expect(room.me.value.profile).toEqual({ name: 'Ada', color: 'red' });
    await settled();
    expect(worker.of('write').map(({ n, domain, schema, ops }) => [n, domain, schema, ops[0]?.collection])).toEqual([
      [1, '00', null, '$room'],
      [2, '00', null, '$profiles'],
    ]);
    expect(() => room.rename(5 as never)).toThrow(new TypeError('title: expected a text, got number'));
    expect(() => room.setProfile({ name: 5 } as never)).toThrow(
      new TypeError('profile: name: expected a text, got number'),
    );
    view(worker, 'r1', { info: infoOf(board, { perms: 1 }) });
    expect(() => room.rename('Mine')).toThrow(/access\/forbidden/);
    room.setProfile({ name: 'Ada L.' });
    await settled();
    expect(worker.of('write').at(-1)?.ops[0]?.kind).toBe('update');
  });

  test('events: a rejected write with its values; errors; until told to stop', async () => {
    const { worker, client } = serve();
    const room = (await client.openRoom('r1', options))!;
    const rejected: unknown[] = [];
    const errors: string[] = [];
    room.on('rejected', (event) => rejected.push(event));
    const stop = new AbortController();
    room.on('error', (error) => errors.push(error.code), { signal: stop.signal });
    const { id } = room.data.cards.insert({ x: 1 });
    const event = { code: 'access/forbidden' as const, collection: 'cards', id, values: { x: 1 } };
    view(worker, 'r1', { savedUpTo: 1, rejected: [{ n: 1, ...event }] });
    expect(rejected).toEqual([event]);
    const full = {
      name: 'KeeproomError',
      code: 'storage/full',
      message: 'x',
      action: 'Free some space.',
      retryable: true,
    } as const;
    const write = room.data.cards.insert({ x: 2 });
    const saved = codeOf(write.saved());
    worker.say({ t: 'room-error', room: 'r1', error: full });
    expect(await saved).toBe('storage/full');
    view(worker, 'r1', { info: infoOf(board, { stalled: true }) });
    view(worker, 'r1', { info: infoOf(board, { stalled: true, undelivered: 1 }) });
    stop.abort();
    worker.say({ t: 'room-error', room: 'r1', error: full });
    expect(errors).toEqual(['storage/full', 'transport/stalled']);
    expect(() => room.on('nothing' as never, () => undefined)).toThrow(TypeError);
    expect(() => room.on('error', 5 as never)).toThrow(TypeError);
    expect(() => room.on('error', () => undefined, null as never)).toThrow(
      new TypeError('options: expected an object, got Null'),
    );
  });

  test('[S17] a listener leaves its signal when it is taken away, and with its handle', async () => {
    const { client } = serve();
    const room = (await client.openRoom('r1', options))!;
    const { signal } = new AbortController();
    let listeners = 0;
    vi.spyOn(signal, 'addEventListener').mockImplementation(() => (listeners += 1));
    vi.spyOn(signal, 'removeEventListener').mockImplementation(() => (listeners -= 1));
    room.on('error', () => undefined, { signal })();
    room.on('error', () => undefined, { signal });
    expect(listeners).toBe(1);
    await room.close();
    expect(listeners).toBe(0);
  });

  test('leave, forget and erase close what is open, then delete', async () => {
    const { worker, client } = serve();
    const room = (await client.openRoom('r1', options))!;
    await room.leave();
    expect(worker.of('call').at(-1)).toMatchObject({ name: 'forget', args: { room: 'r1' } });
    expect(() => room.data.cards.insert({ x: 1 })).toThrow(/room\/closed/);
    const other = (await client.openRoom('r2', options))!;
    await client.erase();
    expect(worker.of('call').at(-1)).toMatchObject({ name: 'erase' });
    expect(() => other.data.cards.insert({ x: 1 })).toThrow(/room\/closed/);
    await client.forgetRoom('r3');
    expect(worker.of('call').at(-1)).toMatchObject({ name: 'forget', args: { room: 'r3' } });
  });

  test('creating tells key, title and profile; the same request is repeated to another engine', async () => {
    let answer = false;
    const worker = createFakeWorker((message, self) => {
      if (message.t === 'start') wake(self);
      if (message.t !== 'call' || !answer) return;
      view(self, 'r9', { reset: true, info: infoOf(board) }, []);
      self.say({ t: 'reply', id: message.id, value: { room: 'r9' } });
    });
    const client = createClient({ ...over(worker), profile: { name: 'Ada' } });
    const creating = client.createRoom({ ...options, key: 'daily', title: 'Daily' });
    await settled();
    answer = true;
    worker.say({ t: 'engine', state: 'waiting', generation: 1, leader: false, error: null });
    ready(worker, 2);
    expect((await creating).id).toBe('r9');
    const [first, second] = worker.of('call');
    expect(first).toMatchObject({
      name: 'create',
      args: { key: 'daily', title: 'Daily', profile: { name: 'Ada', color: null } },
    });
    expect(second).toEqual(first);
    expect((first?.args as { request: string }).request).toMatch(/^[0-9a-f]{32}$/);
  });

  test('a wait for a room ends with its signal, and with the client', async () => {
    const worker = createFakeWorker();
    const client = createClient(over(worker));
    const stop = new AbortController();
    const opening = codeOf(client.openRoom('r1', { ...options, signal: stop.signal }));
    stop.abort();
    expect(await opening).toBe('aborted');
    expect(await codeOf(client.openRoom('r1', { ...options, signal: AbortSignal.abort() }))).toBe('aborted');
    const closing = codeOf(client.createRoom(options));
    await client.close();
    await client[Symbol.asyncDispose]();
    expect(await closing).toBe('room/closed');
    expect(worker.of('stop')).toHaveLength(1);
    expect(await codeOf(client.createRoom(options))).toBe('room/closed');
  });
});

describe('[S17] what was closed', () => {
  test('asks for nothing any more', async () => {
    const { worker, client } = serve();
    const [room] = await Promise.all([client.openRoom('r1', options), client.openRoom('r1', options)]);
    await room!.close();
    const before = worker.heard.length;
    expect(await codeOf(room!.invites.create({ role: 'editor' }))).toBe('room/closed');
    expect(worker.heard).toHaveLength(before);
    await client.close();
    const whenClosed = worker.heard.length;
    vi.stubGlobal('document', new EventTarget());
    vi.stubGlobal('window', new EventTarget());
    client.rooms.subscribe(() => undefined);
    vi.unstubAllGlobals();
    expect(await codeOf(client.openRoom('r1', options))).toBe('room/closed');
    expect(await codeOf(client.joinRoom('x', options).room)).toBe('room/closed');
    expect(worker.heard).toHaveLength(whenClosed);
  });
});

describe('[F10] a device of which another copy has written', () => {
  test('says so: an event, the status, and whoever waits for others', async () => {
    let state: Partial<PageInfo> = {};
    const worker = createServing(() => infoOf(board, state));
    const client = createClient(over(worker));
    const room = (await client.openRoom('r1', options))!;
    const errors: string[] = [];
    room.on('error', (error) => errors.push(`${error.code} ${error.retryable}`));
    const write = room.data.cards.insert({ x: 1 });
    const [saved, delivered] = [codeOf(write.saved()), codeOf(write.delivered())];
    expect(room.status.value.blocked).toBe(null);
    state = { blocked: 'device/blocked' };
    view(worker, 'r1', { info: infoOf(board, state) });
    expect(await delivered).toBe('device/blocked');
    view(worker, 'r1', { savedUpTo: 1, info: infoOf(board, state) });
    expect(await saved).toBe('done');
    expect(errors).toEqual(['device/blocked false']);
    expect(room.status.value.blocked).toBe('device/blocked');
    const again = (await client.openRoom('r1', options))!;
    expect(await codeOf(again.data.cards.insert({ x: 2 }).delivered())).toBe('device/blocked');
    const done = again.transact(() => undefined);
    expect(await codeOf(done.delivered())).toBe('done');
  });
});

describe('[X11] what was given up', () => {
  test('is let go of when the engine opens it all the same', async () => {
    const worker = createFakeWorker((message, self) => message.t === 'start' && wake(self));
    const client = createClient(over(worker));
    const stop = new AbortController();
    const opening = codeOf(client.openRoom('plans', { ...options, signal: stop.signal }));
    await settled();
    stop.abort();
    expect(await opening).toBe('aborted');
    const [call] = worker.of('call');
    view(worker, 'r1', { reset: true, info: infoOf(board) }, []);
    worker.say({ t: 'reply', id: call!.id, value: { room: 'r1' } });
    expect(worker.of('call').at(-1)).toMatchObject({ name: 'close', args: { room: 'r1' } });
  });
});

describe('[X11] a transaction', () => {
  test('has what every handle of its room writes in it, all or nothing', async () => {
    const { worker, client } = serve();
    const [a, b] = await Promise.all([client.openRoom('r1', options), client.openRoom('r1', options)]);
    const { id } = a!.data.cards.insert({ x: 1 });
    const fields = { x: 1 };
    view(worker, 'r1', { savedUpTo: 1 }, [{ collection: 'cards', id, fields, createdAtMs: 1, delivered: false }]);
    const both = (): void => {
      a!.data.cards.update(id, { x: 5 });
      b!.data.cards.increment(id, 'votes');
    };
    const spoiled = (): void => {
      both();
      throw new Error('no');
    };
    expect(() => a!.transact(spoiled)).toThrow('no');
    await settled();
    expect([a!.data.cards.get(id)?.votes, worker.of('write').length]).toEqual([0, 1]);
    a!.transact(both);
    await settled();
    expect(worker.of('write').map(({ ops }) => ops.length)).toEqual([1, 2]);
    expect(b!.data.cards.get(id)).toMatchObject({ x: 5, votes: 1 });
  });
});

describe('another engine', () => {
  test("rooms are opened again, offers renewed, calls asked again, then each room's unsaved writes, in order", async () => {
    const { worker, client } = serve();
    const a = (await client.openRoom('ra', options))!;
    const b = (await client.openRoom('rb', options))!;
    a.data.cards.insert({ x: 1 });
    b.data.cards.insert({ x: 2 });
    a.data.cards.insert({ x: 3 });
    view(worker, 'ra', { savedUpTo: 1 });
    a.attach({
      type: 'test',
      open: () => ({ self: '', maxFrameBytes: 1, send: async () => undefined, close: () => undefined }),
    });
    const before = worker.heard.length;
    worker.say({ t: 'engine', state: 'waiting', generation: 1, leader: false, error: null });
    // Written while nobody serves: visible, and sent when somebody does.
    b.data.cards.insert({ x: 4 });
    expect(worker.heard).toHaveLength(before);
    ready(worker, 2);
    // Before the engine has answered, its room is not there for them.
    b.data.cards.insert({ x: 5 });
    await settled();
    const said = worker.heard.slice(before).map((message) => {
      if (message.t === 'call') return `${message.name} ${(message.args as { room: string }).room}`;
      return message.t === 'write' ? `write ${message.n} ${message.room}` : message.t;
    });
    expect(said).toEqual([
      'open ra',
      'open rb',
      'link-withdraw',
      'link-offer',
      'write 3 ra',
      'write 2 rb',
      'write 4 rb',
      'write 5 rb',
    ]);
    // Each names the one before it that has to be there.
    expect(worker.of('write').slice(-4)).toMatchObject([{ prev: 0 }, { prev: 0 }, { prev: 2 }, { prev: 4 }]);
    expect(b.data.cards.count.value).toBe(3);
    expect(a.status.value.unsaved).toBe(1);
  });

  test('a room that another tab has deleted is closed', async () => {
    let isGone = false;
    const worker = createFakeWorker((message, self) => {
      if (message.t === 'start') wake(self);
      if (message.t !== 'call') return;
      if (!isGone) view(self, 'r1', { reset: true, info: infoOf(board) }, []);
      self.say({ t: 'reply', id: message.id, value: isGone ? null : { room: 'r1' } });
    });
    const room = (await createClient(over(worker)).openRoom('r1', options))!;
    isGone = true;
    ready(worker, 2);
    await settled();
    expect(() => room.data.cards.insert({ x: 1 })).toThrow(/room\/closed/);
  });
});

describe('wrong arguments', () => {
  test('name the argument, what was expected and what came', async () => {
    const make = createClient as (o: unknown) => Client;
    expect(() => make(null)).toThrow(new TypeError('createClient: expected an object, got Null'));
    expect(() => make({ storage: 'disk' })).toThrow(/storage: expected 'indexeddb' or 'memory'/);
    expect(() => make({ namespace: 7 })).toThrow(new TypeError('namespace: expected a text, got number'));
    expect(() => make({ worker: 'x.js' })).toThrow(new TypeError('worker: expected an object, got string'));
    expect(() => make({ profile: { name: 7 } })).toThrow(TypeError);
    const { client } = serve();
    const js = client as unknown as Record<
      'createRoom' | 'openRoom' | 'joinRoom' | 'forgetRoom',
      (...args: unknown[]) => Promise<unknown>
    >;
    await expect(js.openRoom(7, options)).rejects.toThrow(new TypeError('idOrKey: expected a text, got number'));
    await expect(js.openRoom('r1', {})).rejects.toThrow(
      new TypeError('schema: expected the result of defineSchema(), got undefined'),
    );
    const noOptions = new TypeError('options: expected an object, got undefined');
    await expect(js.openRoom('r1')).rejects.toThrow(noOptions);
    await expect(js.createRoom()).rejects.toThrow(noOptions);
    expect(() => js.joinRoom('x')).toThrow(noOptions);
    await expect(js.createRoom({ ...options, key: 5 })).rejects.toThrow(
      new TypeError('key: expected a text, got number'),
    );
    await expect(js.createRoom({ ...options, transports: [{}] })).rejects.toThrow(/transport: expected a Transport/);
    await expect(js.createRoom({ ...options, transports: {} })).rejects.toThrow(/transports: expected a list/);
    await expect(js.createRoom({ ...options, signal: 1 })).rejects.toThrow(
      new TypeError('signal: expected an AbortSignal, got number'),
    );
    await expect(js.forgetRoom()).rejects.toThrow(new TypeError('id: expected a text, got undefined'));
    expect(() => js.joinRoom(7, options)).toThrow(new TypeError('from: expected a text, got number'));
    expect(() => idOf('x')).not.toThrow();
  });

  test('[X3] titles, names and colours that no peer takes are refused before anything is asked; the rest is taken', async () => {
    const { worker, client } = serve();
    const room = (await client.openRoom('r1', options))!;
    const fits = (ops: readonly Op[]): boolean =>
      checkOps({ declaration: metaDeclaration, domainName: 'meta', ops }).ok;
    const titled = (title: string): Op => ({
      kind: 'update',
      collection: '$room',
      id: new Uint8Array(28),
      fields: { title },
    });
    const profiled = (fields: { name: string; color: string }): Op => ({
      kind: 'insert',
      collection: '$profiles',
      id: new Uint8Array(28).fill(1),
      fields,
    });
    const long = 'x'.repeat(201);
    expect([titled(long.slice(1)), titled(long)].map((op) => fits([op]))).toEqual([true, false]);
    expect(fits([profiled({ name: 'x'.repeat(64), color: 'x'.repeat(32) })])).toBe(true);
    expect(fits([profiled({ name: 'x', color: 'x'.repeat(33) })])).toBe(false);
    const before = worker.heard.length;
    const lengths = new RangeError('title: length: expected an integer from 0 to 200, got 201');
    await expect(client.createRoom({ ...options, title: long })).rejects.toThrow(lengths);
    await expect(client.createRoom({ ...options, title: '\ud800' })).rejects.toThrow(TypeError);
    expect(() => room.rename(long)).toThrow(lengths);
    for (const profile of [{ name: '' }, { name: 'x'.repeat(65) }, { name: 'x', color: 'x'.repeat(33) }]) {
      expect(() => room.setProfile(profile)).toThrow(RangeError);
      expect(() => createClient({ profile })).toThrow(RangeError);
    }
    const changing = { name: 'x' };
    const other = createClient({ ...over(worker), profile: changing });
    changing.name = long;
    expect(() => other.joinRoom('x', options)).toThrow(RangeError);
    expect(worker.heard.slice(before)).toEqual([]);
    room.rename(long.slice(1));
    room.setProfile({ name: 'x'.repeat(64), color: 'x'.repeat(32) });
    await settled();
    expect(worker.of('write')).toHaveLength(2);
  });
});

test('[X11] the writes that follow one in the same go cross together, before whatever is said after them', async () => {
  const { worker, client } = serve();
  const room = (await client.openRoom('r1', options))!;
  const crossings: string[][] = [];
  const opened = worker.open();
  const postMessage = opened.postMessage.bind(opened);
  opened.postMessage = (said: FromPage | readonly FromPage[]) => {
    crossings.push([said].flat().map(({ t }) => t));
    postMessage(said);
  };
  for (let i = 0; i < 150; i++) room.data.cards.insert({ x: i });
  expect(crossings.map(({ length }) => length)).toEqual([1, 64, 1, 64, 1]);
  const forgotten = client.forgetRoom('r2');
  expect(crossings.slice(5)).toEqual([Array<string>(19).fill('write'), ['call']]);
  await forgotten;
  room.data.cards.insert({ x: 150 });
  room.data.cards.insert({ x: 151 });
  await settled();
  expect(crossings.slice(7)).toEqual([['write'], ['write']]);
  expect(worker.of('write').map(({ n }) => n)).toEqual(Array.from({ length: 152 }, (_, i) => i + 1));
});

test.each([1, 64, 65, 66, 130])(
  '[X11] %i writes and the end of the client in one go: all cross, and then the end',
  async (count) => {
    const { worker, client } = serve();
    const room = (await client.openRoom('r1', options))!;
    for (let i = 0; i < count; i++) room.data.cards.insert({ x: i });
    await client.close();
    await settled();
    expect([worker.of('write').length, worker.of('stop').length]).toEqual([count, 1]);
  },
);

test('[X11] what cannot cross is refused before anything is shown, and takes nothing else along', async () => {
  const { worker, client } = serve();
  const room = (await client.openRoom('r1', options))!;
  const { id } = room.data.cards.insert({ x: 1 });
  const odd = { toString: () => 'votes' };
  expect(() => room.data.cards.increment(id, odd as never)).toThrow(
    new TypeError('cards.increment: field: expected a text, got Object'),
  );
  room.data.cards.insert({ x: 2 });
  await settled();
  expect(worker.of('write').map(({ n, prev }) => [n, prev])).toEqual([
    [1, 0],
    [2, 1],
  ]);
});
