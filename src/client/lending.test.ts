import { describe, expect, test } from 'vitest';
import type { FromPage } from '../bridge/index.js';
import type { OpenTransport, Transport, TransportEvents } from '../transport/index.js';
import { TransportError } from '../transport/index.js';
import type { KeeproomError } from '../view/index.js';
import { settled } from './fake-worker.kit.js';
import type { LendingMessage } from './lending.js';
import { createLending } from './lending.js';

interface FakeTransport extends Transport {
  /** The latest use of it. */
  readonly on: () => TransportEvents;
  readonly sent: { readonly frame: Uint8Array; readonly to: readonly string[] | 'all' }[];
  readonly opened: () => number;
  readonly closed: () => number;
}

function createFake(type: string, o: { fails?: boolean; throws?: Error } = {}): FakeTransport {
  const uses: TransportEvents[] = [];
  const sent: FakeTransport['sent'] = [];
  let closed = 0;
  return {
    type,
    sent,
    on: () => uses.at(-1)!,
    opened: () => uses.length,
    closed: () => closed,
    open: (on): OpenTransport => {
      if (o.throws !== undefined) throw o.throws;
      uses.push(on);
      return {
        self: 'me',
        maxFrameBytes: 15_000,
        send: async (frame, to) => {
          if (o.fails === true) throw new TransportError('transport/down', 'no');
          sent.push({ frame, to });
        },
        close: () => closed++,
      };
    },
  };
}

function createRig(): {
  lending: ReturnType<typeof createLending>;
  said: FromPage[];
  errors: [string, string][];
  reported: KeeproomError[];
  ask: (message: LendingMessage) => void;
} {
  const said: FromPage[] = [];
  const errors: [string, string][] = [];
  const reported: KeeproomError[] = [];
  const report = (room: string, error: KeeproomError): void => {
    errors.push([room, error.code]);
    reported.push(error);
  };
  const lending = createLending((message) => void said.push(message), report);
  return { lending, said, errors, reported, ask: lending.receive };
}

const link = 'r1/call';

describe('a lent network', () => {
  test('is offered, opened when the engine wants it, closed when not, and offered still', () => {
    const { lending, said, ask } = createRig();
    const call = createFake('call');
    const detach = lending.attach('r1', call);
    expect(said).toEqual([{ t: 'link-offer', link, room: 'r1', type: 'call' }]);
    expect(call.opened()).toBe(0);
    ask({ t: 'link-open', link });
    ask({ t: 'link-open', link });
    expect(call.opened()).toBe(1);
    call.on().state('up');
    call.on().peer('bob', 'here');
    call.on().state('stalled');
    expect(said.slice(1)).toEqual([
      { t: 'link-up', link, self: 'me', maxFrameBytes: 15_000 },
      { t: 'link-peer', link, address: 'bob', change: 'here' },
      { t: 'link-down', link, stalled: true, error: null },
    ]);
    ask({ t: 'link-close', link });
    expect(call.closed()).toBe(1);
    // What a closed use still says is not passed on.
    call.on().state('up');
    ask({ t: 'link-open', link });
    expect(call.opened()).toBe(2);
    expect(said).toHaveLength(4);
    detach();
    expect(call.closed()).toBe(2);
    expect(said.at(-1)).toEqual({ t: 'link-withdraw', link });
    ask({ t: 'link-open', link });
    expect(call.opened()).toBe(2);
  });

  test('frames go both ways: out with credit for each, in as copies of their own', async () => {
    const { lending, said, ask } = createRig();
    const call = createFake('call');
    lending.attach('r1', call);
    const bytes = new Uint8Array([1, 2]);
    ask({ t: 'link-send', link, seq: 1, bytes, to: 'all' });
    ask({ t: 'link-open', link });
    ask({ t: 'link-send', link, seq: 2, bytes, to: ['bob'] });
    await settled();
    expect(call.sent).toEqual([{ frame: bytes, to: ['bob'] }]);
    const whole = new Uint8Array([9, 1, 2, 3, 9]);
    call.on().frame(whole.subarray(1, 4), 'bob');
    const frame = said.find((message) => message.t === 'link-frame');
    expect(frame).toEqual({ t: 'link-frame', link, bytes: new Uint8Array([1, 2, 3]), from: 'bob' });
    expect(frame?.bytes.buffer.byteLength).toBe(3);
    expect(said.filter((message) => message.t === 'link-sent')).toEqual([
      { t: 'link-sent', link, seq: 1, ok: false },
      { t: 'link-sent', link, seq: 2, ok: true },
    ]);
  });

  test('one that cannot send, or not be opened, says so and harms nobody', async () => {
    const { lending, said, ask, errors } = createRig();
    lending.attach('r1', createFake('call', { fails: true }));
    ask({ t: 'link-open', link });
    ask({ t: 'link-send', link, seq: 1, bytes: new Uint8Array(1), to: 'all' });
    await settled();
    expect(said.at(-1)).toEqual({ t: 'link-sent', link, seq: 1, ok: false });
    lending.attach('r2', createFake('call', { throws: new Error('words of somebody') }));
    ask({ t: 'link-open', link: 'r2/call' });
    expect(said.at(-1)).toEqual({ t: 'link-down', link: 'r2/call', stalled: false, error: null });
    expect(errors).toEqual([['r2', 'transport/unavailable']]);
  });

  test('its own errors reach the app; of a stall the engine tells', () => {
    const { lending, said, ask, errors } = createRig();
    const call = createFake('call');
    lending.attach('r1', call);
    ask({ t: 'link-open', link });
    call.on().error?.(new TransportError('transport/identity-taken', 'x'));
    call.on().error?.(new TransportError('transport/stalled', 'x'));
    expect(errors).toEqual([['r1', 'transport/identity-taken']]);
    expect(said.slice(1)).toEqual([
      { t: 'link-down', link, stalled: false, error: null },
      { t: 'link-down', link, stalled: true, error: null },
    ]);
  });

  test('[X11] its own errors keep their words; those of anything else are not told, whatever its code', () => {
    const { lending, ask, reported } = createRig();
    const call = createFake('call');
    lending.attach('r1', call);
    ask({ t: 'link-open', link });
    const { error } = call.on();
    const own = new TransportError('transport/unavailable', 'livekit-client could not be loaded');
    const ofAnotherBundle: unknown = Object.assign(new Error('not today'), {
      name: 'TransportError',
      code: 'transport/removed',
    });
    const foreign: unknown = Object.assign(new Error('eyJhbGci.secret'), { code: 'transport/removed' });
    for (const one of [own, ofAnotherBundle, foreign]) error?.(one as never);
    expect(reported.map(({ message, retryable }) => [message, retryable])).toEqual([
      ['transport/unavailable: livekit-client could not be loaded', true],
      ['transport/removed: not today', false],
      ['transport/unavailable: a transport failed', true],
    ]);
    expect(reported.map(({ cause }) => cause)).toEqual([own, ofAnotherBundle, foreign]);
  });

  test('a second one of a kind stands by and takes over', () => {
    const { lending, said, ask } = createRig();
    const [first, second] = [createFake('call'), createFake('call')];
    const detach = lending.attach('r1', first);
    lending.attach('r1', second);
    lending.attach('r1', createFake('other'));
    expect(said.map((message) => message.t === 'link-offer' && message.link)).toEqual([link, 'r1/other']);
    ask({ t: 'link-open', link });
    expect([first.opened(), second.opened()]).toEqual([1, 0]);
    detach();
    expect(first.closed()).toBe(1);
    expect(said.slice(2).map(({ t }) => t)).toEqual(['link-withdraw', 'link-offer']);
    ask({ t: 'link-open', link });
    expect(second.opened()).toBe(1);
  });

  test('the same one twice goes on when one of the two ends: a join and the room it leads to', () => {
    const { lending, said, ask } = createRig();
    const call = createFake('call');
    const join = lending.attach('r1', call);
    ask({ t: 'link-open', link });
    const room = lending.attach('r1', call);
    join();
    expect(call.closed()).toBe(0);
    room();
    expect(call.closed()).toBe(1);
    expect(said.map(({ t }) => t)).toEqual(['link-offer', 'link-withdraw']);
  });

  test('another engine gets every offer afresh', () => {
    const { lending, said, ask } = createRig();
    const call = createFake('call');
    lending.attach('r1', call);
    ask({ t: 'link-open', link });
    lending.renew();
    expect(call.closed()).toBe(1);
    expect(said.slice(1).map(({ t }) => t)).toEqual(['link-withdraw', 'link-offer']);
  });
});
