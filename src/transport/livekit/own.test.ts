import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { lastState, observe, textsOf, type ContractPeer } from '../contract.kit.js';
import { createScriptedCall, type ScriptedCall } from './call.kit.js';
import { livekitData } from './index.js';
import { ownCall, type LoadSdk } from './own.js';
import { retryDelayMs } from './retry.js';
import { shareTransport } from './share.js';

/** A Room made by the transport, with its connecting in the hands of the test. */
interface ScriptedRoom extends ScriptedCall {
  readonly options: unknown;
  readonly token: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  isLeft: boolean;
  channel: { readyState: string };
}

const secret = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl';
let rooms: ScriptedRoom[];
let onConnect: (room: ScriptedRoom) => void;
let token: () => Promise<string>;
let loadSdk: LoadSdk;

/** Stands in for the SDK's class: `new` gives whatever its constructor returns. */
const Room = function (options: unknown): ScriptedRoom {
  const room: ScriptedRoom = Object.assign(createScriptedCall('ada'), {
    options,
    token: '',
    isLeft: false,
    resolve: () => {},
    reject: () => {},
    channel: { readyState: 'open' },
    engine: { dataChannelForKind: (kind: number) => (kind === 0 ? room.channel : undefined) },
    connect: (_url: string, token: string) =>
      new Promise<void>((resolve, reject) => {
        Object.assign(room, {
          token,
          resolve: () => {
            room.goTo('connected');
            resolve();
          },
          // The SDK tells its handlers first, then rejects.
          reject: (error: Error) => {
            room.end(12);
            reject(error);
          },
        });
        room.goTo('connecting');
        rooms.push(room);
        onConnect(room);
      }),
    disconnect: async () => {
      room.isLeft = true;
      room.end(1);
    },
  });
  return room;
} as never;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  vi.stubGlobal('RTCPeerConnection', () => {});
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('navigator', { onLine: true });
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }));
  rooms = [];
  onConnect = (room) => room.resolve();
  token = async () => secret;
  loadSdk = async () => ({ Room });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const states = (peer: ContractPeer): readonly string[] =>
  peer.log.events.flatMap((event) => (event.t === 'state' ? [event.state] : []));
const errors = (peer: ContractPeer): readonly string[] =>
  peer.log.events.flatMap((event) => (event.t === 'error' ? [event.code] : []));

function open(): ContractPeer {
  const address = { url: 'wss://call.example', token: () => token() };
  return observe(shareTransport('livekit', (source) => ownCall(address, source, () => loadSdk())));
}

async function openUp(): Promise<ContractPeer> {
  const peer = open();
  await settle();
  expect(lastState(peer.log.events)).toBe('up');
  return peer;
}

/** The end of a connection as the SDK's null policy makes it. */
const lose = (room: ScriptedRoom | undefined): void => room?.end();

describe('delays between tries', () => {
  test('2^n from 250 ms, held at 4 s for two minutes, then up to 64 s', () => {
    const delays = Array.from({ length: 40 }, (_, n) => retryDelayMs(n, () => 0.5));
    expect(delays.slice(0, 6)).toEqual([250, 500, 1_000, 2_000, 4_000, 4_000]);
    expect(delays.slice(29, 37)).toEqual([4_000, 4_000, 8_000, 16_000, 32_000, 64_000, 64_000, 64_000]);
    expect(delays.slice(0, 30).reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(90_000);
  });

  test('jitter is a quarter either way', () => {
    expect(retryDelayMs(4, () => 0)).toBe(3_000);
    expect(retryDelayMs(4, () => 0.999_999)).toBeCloseTo(5_000, 0);
    expect(retryDelayMs(99, () => 0.999_999)).toBeLessThanOrEqual(80_000);
  });
});

describe('one connection', () => {
  test('is made with the SDK’s own reconnecting off and the token of the moment, and left on close', async () => {
    const peer = await openUp();
    const options = rooms[0]?.options as { reconnectPolicy: { nextRetryDelayInMs: () => unknown } };
    expect(options).toMatchObject({ disconnectOnPageLeave: false });
    expect(options.reconnectPolicy.nextRetryDelayInMs()).toBeNull();
    expect(rooms[0]?.token).toBe(secret);
    expect(await peer.self()).toBe('ada');
    await peer.send('x', 'all');
    expect(rooms[0]?.published.length).toBe(1);
    await peer.close();
    await settle();
    expect(vi.getTimerCount()).toBe(0);
    await settle(60_000);
    expect(rooms.length).toBe(1);
    expect(rooms[0]).toMatchObject({ isLeft: true });
    expect(rooms[0]?.handlers()).toBe(0);
  });

  test('closed while the token, the SDK or the connection is awaited: nothing is left behind', async () => {
    const never = new Promise<never>(() => {});
    for (const hang of [() => (token = () => never), () => (loadSdk = () => never), () => (onConnect = () => {})]) {
      hang();
      const peer = open();
      await settle();
      await peer.close();
      await settle(120_000);
      expect(peer.log.events).toEqual([]);
      expect(vi.getTimerCount()).toBe(0);
      [token, loadSdk] = [async () => secret, async () => ({ Room })];
    }
    expect(rooms.map(({ isLeft }) => isLeft)).toEqual([true]);
  });

  test.each([
    ['closed', (peer: ContractPeer) => peer.close()],
    ['put away', async () => void window.dispatchEvent(new Event('pagehide'))],
  ])('%s while the token is awaited: it comes too late', async (_what, end) => {
    let give = (_token: string): void => {};
    token = () => new Promise((resolve) => (give = resolve));
    const peer = open();
    await settle();
    await end(peer);
    give(secret);
    await settle(10_000);
    expect(rooms).toEqual([]);
  });

  test('is shared by the uses of one transport', async () => {
    const transport = shareTransport('livekit', (source) =>
      ownCall({ url: 'wss://call.example', token: () => token() }, source, () => loadSdk()),
    );
    const [one, two] = [observe(transport), observe(transport)];
    await settle();
    expect(rooms.length).toBe(1);
    rooms[0]?.data(Uint8Array.from([65]), 'bob');
    expect([textsOf(one), textsOf(two)]).toEqual([['A'], ['A']]);
    await one.close();
    expect(rooms[0]?.isLeft).toBe(false);
    await two.close();
    await settle();
    expect(rooms[0]?.isLeft).toBe(true);
  });
});

describe('a lost connection', () => {
  test('is made anew with a new Room and a new token, at once when it had lasted', async () => {
    let asked = 0;
    token = async () => `token-${++asked}`;
    const peer = await openUp();
    await settle(10_000);
    lose(rooms[0]);
    await settle(250);
    expect(rooms.map((room) => room.token)).toEqual(['token-1', 'token-2']);
    expect(rooms[0]?.isLeft).toBe(true);
    expect(states(peer)).toEqual(['up', 'down', 'up']);
    expect(errors(peer)).toEqual([]);
  });

  test('that keeps being lost is tried less and less often', async () => {
    await openUp();
    const times: number[] = [];
    onConnect = (room) => {
      times.push(performance.now());
      room.resolve();
      lose(room);
    };
    const start = performance.now();
    lose(rooms[0]);
    await settle(30_000);
    expect(times.slice(0, 4).map((ms) => Math.round(ms - start))).toEqual([500, 1_500, 3_500, 7_500]);
  });

  test('is given up after 3 s when the SDK hangs in reconnecting', async () => {
    const peer = await openUp();
    await settle(10_000);
    rooms[0]?.goTo('reconnecting');
    await settle(2_999);
    expect(rooms.length).toBe(1);
    await settle(251);
    expect(rooms.length).toBe(2);
    expect(states(peer)).toEqual(['up', 'down', 'up']);
  });

  test('a repair by the SDK within that time is taken', async () => {
    const peer = await openUp();
    rooms[0]?.goTo('signalReconnecting');
    await settle(1_000);
    rooms[0]?.goTo('connected');
    await settle(60_000);
    expect(rooms.length).toBe(1);
    expect(states(peer)).toEqual(['up', 'down', 'up']);
  });

  test('events of a connection that was given up change nothing', async () => {
    const peer = await openUp();
    await settle(10_000);
    lose(rooms[0]);
    await settle(1_000);
    rooms[0]?.goTo('connected');
    rooms[0]?.data(Uint8Array.from([65]), 'bob');
    rooms[0]?.end(2);
    expect(states(peer)).toEqual(['up', 'down', 'up']);
    expect(textsOf(peer)).toEqual([]);
    expect(errors(peer)).toEqual([]);
  });
});

describe('a connection that only looks well', () => {
  test('publishing is refused three times: a new one', async () => {
    const peer = await openUp();
    await settle(10_000);
    rooms[0]!.publish = () => Promise.reject(new Error('PC manager is closed'));
    await peer.send('x', 'all').catch(() => {});
    await settle(2_250);
    expect(rooms.length).toBe(2);
    expect(states(peer)).toEqual(['up', 'down', 'up']);
  });

  test('publishing hangs for 20 s: a new one', async () => {
    const peer = await openUp();
    rooms[0]!.publish = () => new Promise(() => {});
    const sent = peer.send('x', 'all').catch((error: unknown) => error);
    await settle(20_250);
    expect(await sent).toMatchObject({ code: 'transport/stalled' });
    expect(rooms.length).toBe(2);
    expect(lastState(peer.log.events)).toBe('up');
  });

  test('its data channel is closed: a new one within seconds; where none can be seen, nothing is concluded', async () => {
    await openUp();
    await settle(10_000);
    rooms[0]!.channel = { readyState: 'closed' };
    await settle(2_250);
    expect(rooms.length).toBe(2);
    Object.assign(rooms[1]!, { engine: undefined });
    await settle(60_000);
    expect(rooms.length).toBe(2);
  });
});

describe('tries that fail', () => {
  const unreachable = (room: ScriptedRoom): void =>
    room.reject(new Error(`could not reach wss://call.example?access_token=${secret}`));

  test('[X11] a first connection that fails is told once, without its text, and tried until it is there; a later one in silence', async () => {
    onConnect = unreachable;
    const peer = open();
    await settle(60_000);
    expect(rooms.length).toBeGreaterThan(10);
    const message = 'there is no connection to the LiveKit server';
    const told = [{ t: 'error', code: 'transport/unavailable', message }];
    expect(peer.log.events).toEqual(told);
    onConnect = (room) => room.resolve();
    await settle(5_000);
    expect(peer.log.events).toEqual([...told, { t: 'state', state: 'up' }]);
    onConnect = unreachable;
    lose(rooms.at(-1));
    await settle(60_000);
    expect(errors(peer)).toHaveLength(1);
  });

  test('[X11] who is offline, or put away, is told of no try that fails; online again, of the first', async () => {
    vi.stubGlobal('navigator', { onLine: false });
    onConnect = unreachable;
    token = () => (rooms.length % 2 === 0 ? Promise.resolve(secret) : Promise.reject(new Error(secret)));
    const peer = open();
    await settle(20_000);
    expect(peer.log.events).toEqual([]);
    vi.stubGlobal('navigator', { onLine: true });
    let fail = (): void => {};
    token = () => new Promise((_resolve, reject) => (fail = () => reject(new Error('request ended with the page'))));
    await settle(5_000);
    window.dispatchEvent(new Event('pagehide'));
    fail();
    await settle(5_000);
    expect(peer.log.events).toEqual([]);
    token = async () => secret;
    window.dispatchEvent(new Event('pageshow'));
    await settle(5_000);
    expect(errors(peer)).toEqual(['transport/unavailable']);
  });

  test('[X11] a token that does not grant publishing is told once, never up, and the next one is asked for', async () => {
    let asked = 0;
    token = async () => `token-${++asked}`;
    onConnect = (room) => {
      room.localParticipant.permissions = { canPublishData: false };
      room.resolve();
    };
    const peer = open();
    await settle(60_000);
    expect(asked).toBeGreaterThan(10);
    expect(asked).toBeLessThan(25);
    const message = 'the token does not grant canPublishData';
    expect(peer.log.events).toEqual([{ t: 'error', code: 'transport/token-refused', message }]);
    expect(rooms.slice(0, -1).every(({ isLeft }) => isLeft)).toBe(true);
    onConnect = (room) => {
      room.localParticipant.permissions = { canPublishData: true };
      room.resolve();
    };
    await settle(5_000);
    expect(states(peer)).toEqual(['up']);
    // Taken back while connected.
    rooms.at(-1)!.localParticipant.permissions = { canPublishData: false };
    rooms.at(-1)!.fire('participantPermissionsChanged', undefined, rooms.at(-1)!.localParticipant);
    await settle(5_000);
    expect(states(peer)).toEqual(['up', 'down', 'up']);
    expect(errors(peer)).toEqual(['transport/token-refused', 'transport/token-refused']);
  });

  test('[X11] two troubles by turns are told once each, also to a user who comes later', async () => {
    let asked = 0;
    token = () => (++asked % 2 === 0 ? Promise.reject(new Error(secret)) : Promise.resolve(secret));
    onConnect = (room) => room.reject(Object.assign(new Error('401'), { status: 401 }));
    const transport = shareTransport('livekit', (source) =>
      ownCall({ url: 'wss://call.example', token: () => token() }, source, () => loadSdk()),
    );
    const first = observe(transport);
    await settle(60_000);
    const late = observe(transport);
    await settle();
    expect(asked).toBeGreaterThan(10);
    for (const peer of [first, late])
      expect(errors(peer)).toEqual(['transport/token-refused', 'transport/unavailable']);
  });

  test('a connection that hangs is given up after 30 s', async () => {
    onConnect = () => {};
    open();
    await settle(29_999);
    expect(rooms.length).toBe(1);
    await settle(1_000);
    expect(rooms.map(({ isLeft }) => isLeft)).toEqual([true, false]);
  });

  test('a goodbye that hangs holds up the next try by a second only', async () => {
    await openUp();
    await settle(10_000);
    Object.assign(rooms[0]!, { disconnect: () => new Promise(() => {}) });
    lose(rooms[0]);
    await settle(1_250);
    expect(rooms.length).toBe(2);
  });

  test('a refused token is told once, without its text, until a connection was made', async () => {
    const refusal = Object.assign(new Error(`401 for ${secret}`), { status: 401 });
    onConnect = (room) => room.reject(refusal);
    const peer = open();
    await settle(20_000);
    expect(rooms.length).toBeGreaterThan(4);
    expect(peer.log.events).toMatchObject([{ t: 'error', code: 'transport/token-refused' }]);
    for (const part of secret.split('.')) expect(JSON.stringify(peer.log.events)).not.toContain(part);
    onConnect = (room) => room.resolve();
    await settle(5_000);
    onConnect = (room) => room.reject(refusal);
    lose(rooms.at(-1));
    await settle(5_000);
    expect(errors(peer)).toEqual(['transport/token-refused', 'transport/token-refused']);
  });

  test('[X11] a token that fails, throws or never comes is asked for again, and told of once', async () => {
    let asked = 0;
    token = () => {
      asked++;
      if (asked === 1) return Promise.reject(new Error(secret));
      if (asked === 2) throw new Error(secret);
      return asked === 3 ? new Promise(() => {}) : Promise.resolve(secret);
    };
    const transport = livekitData({ url: 'wss://call.example', token: () => token() });
    expect(transport.type).toBe('livekit');
    const peer = observe(
      shareTransport('livekit', (source) =>
        ownCall({ url: 'wss://call.example', token: async () => token() }, source, () => loadSdk()),
      ),
    );
    await settle(40_000);
    expect(asked).toBe(4);
    expect(peer.log.events).toEqual([
      { t: 'error', code: 'transport/unavailable', message: 'token() failed, or took longer than 30 s' },
      { t: 'state', state: 'up' },
    ]);
  });

  test('[X11] an SDK that cannot be loaded is told once, as what may be missing, and tried again', async () => {
    loadSdk = () => Promise.reject(new TypeError('Failed to fetch dynamically imported module'));
    const peer = open();
    await settle(10_000);
    const message = 'livekit-client (2.22.4 or later) could not be loaded; is it installed?';
    expect(peer.log.events).toEqual([{ t: 'error', code: 'transport/unavailable', message }]);
    loadSdk = async () => ({ Room });
    await settle(5_000);
    expect(lastState(peer.log.events)).toBe('up');
  });

  test('a platform without WebRTC is told, and that is all', async () => {
    vi.stubGlobal('RTCPeerConnection', undefined);
    const asked = vi.fn(token);
    token = asked;
    const peer = open();
    await settle(60_000);
    expect(errors(peer)).toEqual(['transport/unavailable']);
    expect(asked).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the end', () => {
  test.each([
    [2, 'transport/identity-taken'],
    [4, 'transport/removed'],
    [5, 'transport/removed'],
  ])('reason %i stops it as %s', async (reason, code) => {
    const peer = await openUp();
    rooms[0]?.end(reason);
    await settle(120_000);
    expect(rooms.length).toBe(1);
    expect(errors(peer)).toEqual([code]);
    expect(states(peer)).toEqual(['up', 'down']);
    await expect(peer.send('x', 'all')).rejects.toMatchObject({ code: 'transport/down' });
    expect(vi.getTimerCount()).toBe(0);
    window.dispatchEvent(new Event('online'));
    await settle(10_000);
    expect(rooms.length).toBe(1);
  });

  test.each([undefined, 0, 3, 6, 7, 9, 10, 14])('reason %s does not', async (reason) => {
    const peer = await openUp();
    await settle(10_000);
    rooms[0]?.end(reason);
    await settle(250);
    expect(rooms.length).toBe(2);
    expect(errors(peer)).toEqual([]);
  });
});

describe('the page it lives in', () => {
  /** Failing until the delays have grown to 4 s. */
  async function openFailing(): Promise<ContractPeer> {
    onConnect = (room) => room.reject(new Error('unreachable'));
    const peer = open();
    await settle(20_000);
    onConnect = (room) => room.resolve();
    return peer;
  }

  test.each([
    ['online', () => window.dispatchEvent(new Event('online'))],
    ['pageshow', () => window.dispatchEvent(new Event('pageshow'))],
    ['resume', () => document.dispatchEvent(new Event('resume'))],
    ['visibilitychange', () => document.dispatchEvent(new Event('visibilitychange'))],
  ])('%s ends the wait for the next try', async (_type, fire) => {
    const peer = await openFailing();
    const tries = rooms.length;
    fire();
    await settle();
    expect(rooms.length).toBe(tries + 1);
    expect(lastState(peer.log.events)).toBe('up');
  });

  test('becoming hidden is no reason to try', async () => {
    await openFailing();
    const tries = rooms.length;
    Object.assign(document, { visibilityState: 'hidden' });
    document.dispatchEvent(new Event('visibilitychange'));
    await settle();
    expect(rooms.length).toBe(tries);
  });

  test('waking while connected changes nothing', async () => {
    const peer = await openUp();
    window.dispatchEvent(new Event('online'));
    await settle(10_000);
    expect(rooms.length).toBe(1);
    expect(states(peer)).toEqual(['up']);
  });

  test.each([
    ['pagehide', () => window.dispatchEvent(new Event('pagehide')), () => window.dispatchEvent(new Event('pageshow'))],
    ['freeze', () => document.dispatchEvent(new Event('freeze')), () => document.dispatchEvent(new Event('resume'))],
  ])('%s leaves the call, and nothing is tried until the page is back', async (_type, away, back) => {
    const peer = await openUp();
    const asked = vi.fn(token);
    token = asked;
    away();
    await settle();
    expect(rooms[0]?.isLeft).toBe(true);
    expect(states(peer)).toEqual(['up', 'down']);
    await settle(600_000);
    expect(asked).not.toHaveBeenCalled();
    back();
    await settle();
    expect(states(peer)).toEqual(['up', 'down', 'up']);
  });

  test('put away while connecting: the attempt ends', async () => {
    onConnect = () => {};
    open();
    await settle();
    window.dispatchEvent(new Event('pagehide'));
    await settle(600_000);
    expect(rooms.map(({ isLeft }) => isLeft)).toEqual([true]);
  });

  test('listeners go when it is closed', async () => {
    const remove = vi.spyOn(window, 'removeEventListener');
    const peer = await openUp();
    await peer.close();
    await settle();
    expect(remove).toHaveBeenCalled();
    window.dispatchEvent(new Event('pageshow'));
    await settle(10_000);
    expect(rooms.length).toBe(1);
  });

  test('a world without page, window or document will do', async () => {
    vi.stubGlobal('window', undefined);
    vi.stubGlobal('document', undefined);
    await openUp();
  });
});

test('[X11] misuse is named, by its kind alone', () => {
  const made = livekitData as (o?: unknown) => unknown;
  expect(() => made()).toThrow(new TypeError('livekitData: options must be { url, token }, got undefined'));
  expect(() => made(null)).toThrow(/options must be .*, got null/);
  expect(() => made('wss://call.example')).toThrow(/options must be .*, got string/);
  expect(() => made({ url: 'wss://', token })).toThrow(/url must begin/);
  expect(() => made({ url: 'call.example', token })).toThrow(/url must begin with ws:\/\/ or wss:\/\//);
  expect(() => made({ url: 7, token })).toThrow(TypeError);
  expect(() => made({ url: 'wss://call.example' })).toThrow(/token must be a function, got undefined/);
  expect(() => made({ url: 'wss://call.example', token: secret })).toThrow(/token must be a function, got string/);
});
