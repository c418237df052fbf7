import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { broadcastBed, malformedMessages } from './broadcast-bed.kit.js';
import { parseBroadcastMessage } from './broadcast-message.js';
import { lastChange, observe, textsOf, transportContract, untilFrame, untilHere, untilUp } from './contract.kit.js';
import { broadcastChannel } from './index.js';

let beds = 0;

describe('broadcast channel in Node: contract', () => {
  for (const { title, run } of transportContract) test(title, () => run(broadcastBed(`node-${beds++}`)));
});

describe('broadcast channel', () => {
  afterEach(() => vi.unstubAllGlobals());

  test('names keep rooms apart; the same name meets', async () => {
    const ada = observe(broadcastChannel('one'));
    const bob = observe(broadcastChannel('one'));
    const cleo = observe(broadcastChannel('two'));
    await Promise.all([ada, bob, cleo].map(untilUp));
    await untilHere(ada, await bob.self());
    await ada.send('hi', 'all');
    await untilFrame(bob, 'hi');
    await bob.send('ho', 'all');
    await untilFrame(ada, 'ho');
    expect(cleo.log.events).toEqual([{ t: 'state', state: 'up' }]);
    for (const peer of [ada, bob, cleo]) await peer.close();
  });

  test('a crowd of announced addresses is bounded; their frames still arrive', async () => {
    const ada = observe(broadcastChannel('crowd'));
    await untilUp(ada);
    const script = new BroadcastChannel('keeproom/bus/crowd');
    script.postMessage({ kind: 'here', from: 'of-others', to: ['somebody-else'] });
    for (let n = 0; n < 2_000; n++) script.postMessage({ kind: 'hello', from: `n${n}` });
    script.postMessage({ kind: 'frame', from: 'n1999', to: 'all', bytes: Uint8Array.from([65]) });
    await untilFrame(ada, 'A');
    script.close();
    expect(ada.log.events.filter(({ t }) => t === 'peer').length).toBe(1_024);
    expect(lastChange(ada.log.events, 'of-others')).toBeUndefined();
    expect(await ada.ignored()).toBe(2_000 - 1_024);
    await ada.close();
  });

  test('a platform without BroadcastChannel is a typed error, and sends say it is down', async () => {
    vi.stubGlobal('BroadcastChannel', undefined);
    const ada = observe(broadcastChannel());
    await ada.log.until('the error', (events) => events.length > 0);
    expect(ada.log.events).toMatchObject([{ t: 'error', code: 'transport/unavailable' }]);
    await expect(ada.send('x', 'all')).rejects.toMatchObject({ code: 'transport/down' });
    await ada.close();
  });

  test('making a transport touches no global; a name that is no text is a TypeError', () => {
    vi.stubGlobal('BroadcastChannel', undefined);
    vi.stubGlobal('crypto', undefined);
    expect(broadcastChannel('x').type).toBe('broadcast');
    expect(() => broadcastChannel(7 as never)).toThrow(/name must be a string, got number/);
  });

  test('close before it was ever up opens no channel', async () => {
    const opened = vi.fn();
    vi.stubGlobal('BroadcastChannel', opened);
    const ada = observe(broadcastChannel('never'));
    await ada.close();
    await Promise.resolve();
    expect(opened).not.toHaveBeenCalled();
    expect(ada.log.events).toEqual([]);
  });

  test('a frame inside a large buffer does not take the buffer along', async () => {
    const ada = observe(broadcastChannel('large'));
    await untilUp(ada);
    const script = new BroadcastChannel('keeproom/bus/large');
    const heard = new Promise<number>((resolve) => {
      script.onmessage = (event) => resolve(event.data.bytes.buffer.byteLength);
    });
    await ada.send('x', 'all', 100);
    expect(await heard).toBe(100);
    script.close();
    await ada.close();
  });

  test('listens to its page until it is closed', async () => {
    const listening = new Map<string, () => void>();
    vi.stubGlobal('addEventListener', (type: string, run: () => void) => listening.set(type, run));
    vi.stubGlobal('removeEventListener', (type: string, run: () => void) => {
      if (listening.get(type) === run) listening.delete(type);
    });
    const ada = observe(broadcastChannel('listening'));
    await untilUp(ada);
    expect([...listening.keys()]).toEqual(['pagehide', 'pageshow']);
    await ada.close();
    expect([...listening.keys()]).toEqual([]);
  });

  test('a throw in a handler harms neither the transport nor the other peers', async () => {
    const thrown: unknown[] = [];
    const caught = (error: unknown): void => void thrown.push(error);
    const before = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', caught);
    try {
      const clumsy = broadcastChannel('clumsy').open({
        frame: () => {
          throw new Error('handler');
        },
        peer: () => {},
        state: () => {},
      });
      const ada = observe(broadcastChannel('clumsy'));
      const bob = observe(broadcastChannel('clumsy'));
      await Promise.all([untilUp(ada), untilUp(bob)]);
      await ada.send('one', 'all');
      await ada.send('two', 'all');
      await untilFrame(bob, 'two');
      await clumsy.send(Uint8Array.from([65]), 'all', { lossy: false });
      await untilFrame(ada, 'A');
      expect(textsOf(bob)).toEqual(['one', 'two', 'A']);
      expect(thrown.length).toBe(2);
      clumsy.close();
      await ada.close();
      await bob.close();
    } finally {
      process.removeListener('uncaughtException', caught);
      for (const listener of before) process.on('uncaughtException', listener);
    }
  });
});

describe('messages of a broadcast channel', () => {
  test('malformed ones are null', () => {
    for (const message of malformedMessages('me')) expect(parseBroadcastMessage(message)).toBeNull();
  });

  test('anything at all parses to a message or null, and never throws', () => {
    fc.assert(
      fc.property(fc.anything({ withTypedArray: true, withMap: true, withNullPrototype: true }), (data) => {
        expect(parseBroadcastMessage(data)).toBeNull();
      }),
    );
  });

  test('well-formed ones come back as they were, with bytes of their own', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 64 }),
        fc.oneof(fc.constant('all'), fc.array(fc.string({ minLength: 1, maxLength: 64 }))),
        fc.uint8Array(),
        (from, to, bytes) => {
          const parsed = parseBroadcastMessage({ kind: 'frame', from, to, bytes, more: 1 });
          expect(parsed).toEqual({ kind: 'frame', from, to, bytes: Uint8Array.from(bytes) });
          expect(parsed?.kind === 'frame' && parsed.bytes.buffer !== bytes.buffer).toBe(true);
        },
      ),
    );
  });
});
