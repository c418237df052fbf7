import type { Room } from 'livekit-client';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { lastState, observe, textsOf, type ContractPeer } from '../contract.kit.js';
import { TransportError, type TransportEvents } from '../index.js';
import { createScriptedCall, type ScriptedCall } from './call.kit.js';
import { livekit, type CallLike } from './index.js';

const text = (of: string): Uint8Array<ArrayBuffer> => Uint8Array.from(of, (char) => char.charCodeAt(0));
const told = (peer: ContractPeer): readonly string[] =>
  peer.log.events.map((event) => Object.values(event).slice(1).join(' '));

const codeOf = (error: unknown): string => (error instanceof TransportError ? error.code : 'another error');

let call: ScriptedCall;
beforeEach(() => {
  vi.useFakeTimers();
  call = createScriptedCall('me');
});
afterEach(() => {
  vi.useRealTimers();
});

/** A use of a call that is connected, told that it is up. */
async function openUp(): Promise<ContractPeer> {
  call.goTo('connected');
  const peer = observe(livekit(call));
  await vi.advanceTimersByTimeAsync(0);
  expect(lastState(peer.log.events)).toBe('up');
  return peer;
}

test('the SDK’s Room is a call', () => {
  expectTypeOf<Room>().toExtend<CallLike>();
});

describe('what is sent', () => {
  test('one constant topic, reliable, no destinations for all, the named ones for some, nothing at all for none', async () => {
    const peer = await openUp();
    await peer.send('all', 'all');
    await peer.send('some', ['a', 'b']);
    await peer.send('none', []);
    const common = { topic: 'keeproom', reliable: true };
    expect(call.published).toEqual([
      { ...common, bytes: text('all'), to: undefined },
      { ...common, bytes: text('some'), to: ['a', 'b'] },
    ]);
  });

  test('one at a time and in order, however slowly the SDK takes them', async () => {
    const peer = await openUp();
    const releases: (() => void)[] = [];
    call.publish = () => new Promise((resolve) => releases.push(resolve));
    const sent = ['a', 'b', 'c'].map((name) => peer.send(name, 'all'));
    await vi.advanceTimersByTimeAsync(0);
    expect(call.published.length).toBe(1);
    for (let n = 0; n < 3; n++) {
      releases[n]?.();
      await sent[n];
    }
    expect(call.published.map(({ bytes }) => String.fromCharCode(...bytes))).toEqual(['a', 'b', 'c']);
  });

  test('what waits is bounded; more is refused as full, and fits again once something was taken', async () => {
    const peer = await openUp();
    let release = (): void => {};
    call.publish = () => new Promise((resolve) => (release = resolve));
    const outcomes: string[] = [];
    for (let n = 0; n < 60; n++) {
      peer.send('x', 'all', 15_000).then(
        () => outcomes.push('sent'),
        (error: unknown) => outcomes.push(codeOf(error)),
      );
    }
    await vi.advanceTimersByTimeAsync(0);
    // 512 KiB hold 34 frames of 15,000 bytes and their cost of 64.
    expect(outcomes).toEqual(Array.from({ length: 60 - 34 }, () => 'transport/full'));
    release();
    await vi.advanceTimersByTimeAsync(0);
    expect(outcomes.at(-1)).toBe('sent');
    const next = peer.send('fits', 'all');
    call.publish = () => Promise.resolve();
    release();
    await next;
  });

  test('what was taken makes room again', async () => {
    const peer = await openUp();
    for (let n = 0; n < 100; n++) await peer.send('x', 'all', 15_000);
    expect(call.published.length).toBe(100);
  });

  test('what comes of a publish after an interruption is not taken for the next one', async () => {
    const peer = await openUp();
    const releases: (() => void)[] = [];
    call.publish = () => new Promise((resolve) => releases.push(resolve));
    const old = peer.send('old', 'all').catch(codeOf);
    await vi.advanceTimersByTimeAsync(0);
    call.goTo('reconnecting');
    call.goTo('connected');
    let isSent = false;
    const next = peer.send('next', 'all').then(() => (isSent = true));
    const last = peer.send('last', 'all');
    await vi.advanceTimersByTimeAsync(0);
    releases[0]?.();
    await vi.advanceTimersByTimeAsync(0);
    expect([await old, isSent, call.published.length]).toEqual(['transport/down', false, 2]);
    releases[1]?.();
    await next;
    await vi.advanceTimersByTimeAsync(0);
    releases[2]?.();
    await last;
  });

  test('empty frames are bounded as well', async () => {
    const peer = await openUp();
    call.publish = () => new Promise(() => {});
    const codes: string[] = [];
    for (let n = 0; n < 10_000; n++) peer.send('', 'all', 0).catch((error: unknown) => codes.push(codeOf(error)));
    await vi.advanceTimersByTimeAsync(0);
    expect(codes.length).toBe(10_000 - 8_192);
  });

  test('nothing is handed to the SDK while it is not connected, and what waited is rejected, not kept', async () => {
    const peer = await openUp();
    call.publish = () => new Promise(() => {});
    const waiting = [peer.send('being published', 'all'), peer.send('waiting', 'all')];
    const outcomes = Promise.allSettled(waiting);
    await vi.advanceTimersByTimeAsync(0);
    call.goTo('reconnecting');
    expect((await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual([
      'transport/down',
      'transport/down',
    ]);
    await expect(peer.send('while away', 'all')).rejects.toMatchObject({ code: 'transport/down' });
    call.publish = () => Promise.resolve();
    call.goTo('connected');
    await peer.send('back', 'all');
    expect(call.published.map(({ bytes }) => String.fromCharCode(...bytes))).toEqual(['being published', 'back']);
  });

  test('an error of the SDK is not passed on: its text may hold the token', async () => {
    const peer = await openUp();
    call.publish = () => Promise.reject(new Error('wss://host?access_token=eyJ.secret.part'));
    const error: unknown = await peer.send('x', 'all').catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'transport/down', message: 'send: the call did not take the frame' });
    expect(error).not.toHaveProperty('cause');
  });
});

describe('what is received', () => {
  test('frames of our topic, as copies, with the sender’s identity even before its join notice', async () => {
    const peer = await openUp();
    const packet = text('..hello..');
    call.data(packet.subarray(2, 7), 'bob');
    call.data(text('early'), 'new', { isKnown: false });
    expect(peer.log.events.slice(1)).toEqual([
      { t: 'frame', text: 'hello', length: 5, from: 'bob' },
      { t: 'frame', text: 'early', length: 5, from: 'new' },
    ]);
    // observe() scribbles over what it is given: the SDK's own buffer must not show it.
    expect(packet).toEqual(text('..hello..'));
    expect(await peer.ignored()).toBe(0);
  });

  test('other topics are none of our business; on ours, what is no frame is counted', async () => {
    const peer = await openUp();
    call.data(text('chat'), 'bob', { topic: 'chat' });
    call.fire('dataReceived', text('x'), undefined, 0, undefined, 0, 'bob');
    expect(await peer.ignored()).toBe(0);
    call.data(text('hidden'), '');
    call.data(text('echo'), 'me');
    call.data(new Uint8Array(64_001), 'bob');
    call.fire('dataReceived', 'text', { identity: 'bob', sid: 's' }, 0, 'keeproom', 0, 'bob');
    call.fire('dataReceived', text('x'), undefined, 0, 'keeproom', 0);
    call.fire('dataReceived');
    expect(await peer.ignored()).toBe(5);
    expect(textsOf(peer)).toEqual([]);
  });

  test('a frame above our size but within the network’s is handed on, to be judged and charged', async () => {
    const peer = await openUp();
    call.data(new Uint8Array(63_950).fill(65), 'bob');
    expect(peer.log.events.at(-1)).toMatchObject({ t: 'frame', length: 63_950 });
  });

  test('nothing is handed on while the call is not connected', async () => {
    const peer = await openUp();
    call.goTo('signalReconnecting');
    call.data(text('while away'), 'bob');
    call.join('cleo', 's');
    call.goTo('connected');
    expect(told(peer)).toEqual(['up', 'down', 'up', 'cleo here']);
  });
});

describe('who is there', () => {
  test('those present at open, joins, leaves, and a new session under a known identity', async () => {
    call.remoteParticipants.set('bob', { identity: 'bob', sid: '1' });
    const peer = await openUp();
    call.join('cleo', '2');
    call.activate('cleo', '2');
    call.activate('bob', '3');
    call.part('cleo');
    call.part('cleo');
    expect(told(peer)).toEqual(['up', 'bob here', 'cleo here', 'bob gone', 'bob here', 'cleo gone']);
  });

  test('after an interruption everybody is named anew', async () => {
    const peer = await openUp();
    call.join('bob', '1');
    call.goTo('signalReconnecting');
    call.goTo('connected');
    expect(told(peer)).toEqual(['up', 'bob here', 'down', 'up', 'bob here']);
  });

  test('malformed participants of an event are ignored', async () => {
    const peer = await openUp();
    for (const odd of [
      undefined,
      null,
      7,
      {},
      { identity: 'x' },
      { identity: '', sid: '1' },
      { identity: 7, sid: '1' },
    ]) {
      call.fire('participantConnected', odd);
      call.fire('participantDisconnected', odd);
    }
    expect(told(peer)).toEqual(['up']);
  });
});

describe('stalled', () => {
  test('after 20 s of absence, and up again as soon as the SDK is', async () => {
    const peer = await openUp();
    call.goTo('reconnecting');
    await vi.advanceTimersByTimeAsync(19_999);
    call.goTo('signalReconnecting');
    expect(told(peer)).toEqual(['up', 'down']);
    await vi.advanceTimersByTimeAsync(1);
    expect(peer.log.events.at(-1)).toMatchObject({ t: 'error', code: 'transport/stalled' });
    await expect(peer.send('x', 'all')).rejects.toMatchObject({ code: 'transport/stalled' });
    call.goTo('connected');
    expect(lastState(peer.log.events)).toBe('up');
    await peer.send('x', 'all');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lastState(peer.log.events)).toBe('up');
  });

  test('a short absence is forgotten', async () => {
    const peer = await openUp();
    call.goTo('reconnecting');
    await vi.advanceTimersByTimeAsync(5_000);
    call.goTo('connected');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told(peer)).toEqual(['up', 'down', 'up']);
  });

  test('a user who comes after it was healed is not told of it', async () => {
    call.goTo('connected');
    const transport = livekit(call);
    observe(transport);
    await vi.advanceTimersByTimeAsync(0);
    call.goTo('reconnecting');
    await vi.advanceTimersByTimeAsync(20_000);
    call.goTo('connected');
    const late = observe(transport);
    await vi.advanceTimersByTimeAsync(0);
    expect(told(late)).toEqual(['up']);
  });

  test('also when the SDK gives up by itself, or was reconnecting already when the call was handed over', async () => {
    const peer = await openUp();
    call.end();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(lastState(peer.log.events)).toBe('stalled');

    const other = createScriptedCall('me');
    other.state = 'reconnecting';
    const late = observe(livekit(other));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(lastState(late.log.events)).toBe('stalled');
  });

  test('not before the call was ever connected, and not when it was ended on purpose', async () => {
    const peer = observe(livekit(call));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(peer.log.events).toEqual([]);
    call.goTo('connected');
    call.end(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told(peer)).toEqual(['up', 'down']);
    // Hanging up a call that had been stalled makes it merely down.
    call.goTo('connected');
    call.goTo('reconnecting');
    await vi.advanceTimersByTimeAsync(20_000);
    call.end(1);
    expect(lastState(peer.log.events)).toBe('down');
  });

  test('three publishes refused in a row while connected: sends and our own probes count; a probe heals it', async () => {
    const peer = await openUp();
    call.publish = () => Promise.reject(new Error('PC manager is closed'));
    await expect(peer.send('x', 'all')).rejects.toMatchObject({ code: 'transport/down' });
    expect(lastState(peer.log.events)).toBe('up');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(lastState(peer.log.events)).toBe('stalled');
    await expect(peer.send('y', 'all')).rejects.toMatchObject({ code: 'transport/stalled' });
    // Probes are empty and go to ourselves, never to everybody.
    expect(call.published.slice(1).map(({ bytes, to }) => [bytes.length, to])).toEqual([
      [0, ['me']],
      [0, ['me']],
    ]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(lastState(peer.log.events)).toBe('stalled');
    call.remoteParticipants.set('bob', { identity: 'bob', sid: '1' });
    call.publish = () => Promise.resolve();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(told(peer).slice(-2)).toEqual(['up', 'bob here']);
    const probes = call.published.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(call.published.length).toBe(probes);
  });

  test('a single refusal is forgiven', async () => {
    const peer = await openUp();
    call.publish = () => Promise.reject(new Error('once'));
    await expect(peer.send('x', 'all')).rejects.toMatchObject({ code: 'transport/down' });
    call.publish = () => Promise.resolve();
    await peer.send('y', 'all');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told(peer)).toEqual(['up']);
  });

  test('refusals count only in a row', async () => {
    const peer = await openUp();
    for (let n = 0; n < 6; n++) {
      call.publish = () => (n % 2 === 0 ? Promise.reject(new Error('now and then')) : Promise.resolve());
      await peer.send('x', 'all').catch(codeOf);
    }
    expect(told(peer)).toEqual(['up']);
  });

  test('no probe while the SDK reconnects, nor after close', async () => {
    const peer = await openUp();
    call.publish = () => Promise.reject(new Error('poisoned'));
    await peer.send('x', 'all').catch(codeOf);
    call.goTo('reconnecting');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(call.published.length).toBe(1);
    call.goTo('connected');
    await peer.send('x', 'all').catch(codeOf);
    await peer.close();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(call.published.length).toBe(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a publish that neither succeeds nor fails for 20 s', async () => {
    const peer = await openUp();
    call.publish = () => new Promise(() => {});
    const sent = Promise.allSettled([peer.send('hangs', 'all'), peer.send('waits', 'all')]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect((await sent).map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual([
      'transport/stalled',
      'transport/stalled',
    ]);
    expect(lastState(peer.log.events)).toBe('stalled');
    // The first probe hangs as well; the one after it gets through.
    await vi.advanceTimersByTimeAsync(5_000 + 20_000);
    expect(lastState(peer.log.events)).toBe('stalled');
    call.publish = () => Promise.resolve();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(lastState(peer.log.events)).toBe('up');
    await peer.send('through', 'all');
  });

  test('a reconnect of the SDK heals it too', async () => {
    const peer = await openUp();
    call.publish = () => Promise.reject(new Error('poisoned'));
    await peer.send('x', 'all').catch(() => {});
    await vi.advanceTimersByTimeAsync(2_000);
    expect(lastState(peer.log.events)).toBe('stalled');
    call.publish = () => Promise.resolve();
    call.goTo('reconnecting');
    call.goTo('connected');
    expect(told(peer).slice(-2)).toEqual(['down', 'up']);
  });
});

test('[X11] a call that may not publish data is never up, told once and no stall; up when it may', async () => {
  call.localParticipant.permissions = { canPublishData: false };
  call.goTo('connected');
  const peer = observe(livekit(call));
  await vi.advanceTimersByTimeAsync(60_000);
  call.goTo('reconnecting');
  call.goTo('connected');
  await vi.advanceTimersByTimeAsync(60_000);
  const refused = 'transport/token-refused the token does not grant canPublishData';
  expect(told(peer)).toEqual([refused]);
  await expect(peer.send('x', 'all')).rejects.toMatchObject({ code: 'transport/down' });
  expect(call.published).toEqual([]);
  const change = (canPublishData: boolean): void => {
    call.localParticipant.permissions = { canPublishData };
    call.fire('participantPermissionsChanged', undefined, call.localParticipant);
  };
  call.localParticipant.permissions = { canPublishData: true };
  call.fire('participantPermissionsChanged', undefined, { identity: 'bob', sid: '1' });
  expect(told(peer)).toEqual([refused]);
  change(true);
  await peer.send('x', 'all');
  change(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told(peer)).toEqual([refused, 'up', 'down', refused]);
});

describe('the end of a call', () => {
  test.each([
    [2, 'transport/identity-taken'],
    [4, 'transport/removed'],
    [5, 'transport/removed'],
  ])('reason %i is told as %s, and is no stall', async (reason, code) => {
    const peer = await openUp();
    call.end(reason);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(peer.log.events.slice(1)).toMatchObject([
      { t: 'state', state: 'down' },
      { t: 'error', code },
    ]);
  });

  test('a user who comes later is told the same', async () => {
    call.goTo('connected');
    const transport = livekit(call);
    observe(transport);
    await vi.advanceTimersByTimeAsync(0);
    call.end(2);
    const late = observe(transport);
    await vi.advanceTimersByTimeAsync(0);
    expect(late.log.events).toMatchObject([{ t: 'error', code: 'transport/identity-taken' }]);
  });
});

describe('several uses of one transport', () => {
  test('one set of handlers on the call; the last close takes them off and leaves the call as it is', async () => {
    call.goTo('connected');
    const transport = livekit(call);
    expect(call.handlers()).toBe(0);
    const one = observe(transport);
    const handlers = call.handlers();
    const two = observe(transport);
    expect(call.handlers()).toBe(handlers);
    await vi.advanceTimersByTimeAsync(0);
    call.data(text('for both'), 'bob');
    // Each scribbles over its own copy.
    expect([textsOf(one), textsOf(two)]).toEqual([['for both'], ['for both']]);
    await one.close();
    expect(call.handlers()).toBe(handlers);
    await two.close();
    expect(call.handlers()).toBe(0);
    expect(call.state).toBe('connected');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('opened anew after the last close', async () => {
    call.goTo('connected');
    const transport = livekit(call);
    await observe(transport).close();
    const again = observe(transport);
    await vi.advanceTimersByTimeAsync(0);
    await again.send('x', 'all');
    expect(call.published.length).toBe(1);
    call.goTo('reconnecting');
    expect(told(again)).toEqual(['up', 'down']);
    await again.close();
    await again.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('handlers that throw', () => {
  test('harm neither the SDK nor the other uses, and are not swallowed', async () => {
    call.goTo('connected');
    const transport = livekit(call);
    const thrown: unknown[] = [];
    const caught = (error: unknown): void => void thrown.push(error);
    const before = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', caught);
    try {
      const clumsy = (): never => {
        throw new Error('clumsy');
      };
      transport.open({ frame: clumsy, peer: clumsy, state: clumsy, error: clumsy } satisfies TransportEvents);
      const peer = observe(transport);
      await vi.advanceTimersByTimeAsync(0);
      call.join('bob', '1');
      call.data(text('x'), 'bob');
      call.end(2);
      expect(told(peer).slice(0, 4)).toEqual(['up', 'bob here', 'x 1 bob', 'down']);
      vi.useRealTimers();
      await new Promise((resolve) => setTimeout(resolve, 0));
      // state up, peer, frame, state down, error
      expect(thrown.length).toBe(5);
    } finally {
      process.removeListener('uncaughtException', caught);
      for (const listener of before) process.on('uncaughtException', listener);
    }
  });
});

test('[X11] misuse is named, by its kind alone', () => {
  expect(() => livekit(null as never)).toThrow(/must be a Room of livekit-client, got null/);
  expect(() => livekit({ localParticipant: null, on: () => {} } as never)).toThrow(TypeError);
  for (const odd of [undefined, null, 'call', {}, { on: () => {} }]) {
    expect(() => livekit(odd as never)).toThrow(/livekit: call must be a Room of livekit-client/);
  }
});
