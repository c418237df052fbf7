/**
 * What every transport must do, as cases without a test runner: Vitest runs them in Node and in browsers, Playwright
 * against transports that live in pages. A bed makes peers of one fresh network; a peer writes down all it is told.
 * Nothing here waits for time to pass: a thing that must not happen is looked for after a later thing has happened.
 */
import type { OpenTransport, Transport, TransportState } from './transport.js';

/** What a peer was told, in order. */
export type ContractEvent =
  | { readonly t: 'frame'; readonly text: string; readonly length: number; readonly from: string }
  | { readonly t: 'peer'; readonly address: string; readonly change: 'here' | 'gone' }
  | { readonly t: 'state'; readonly state: TransportState }
  | { readonly t: 'error'; readonly code: string; readonly message: string }
  /** Something was told before `open` had returned. */
  | { readonly t: 'early' };

/** One use of a transport, perhaps in another page. */
export interface ContractPeer {
  readonly log: EventLog;
  readonly self: () => Promise<string>;
  readonly maxFrameBytes: () => Promise<number>;
  /** Sends a text padded with zeros to `length` bytes, then scribbles over the array it gave away. */
  readonly send: (text: string, to: readonly string[] | 'all', length?: number) => Promise<void>;
  readonly close: () => Promise<void>;
  /** Closes, and ends what a borrowed transport runs on: others see it go. */
  readonly leave: () => Promise<void>;
  readonly ignored: () => Promise<number>;
}

export interface ContractBed {
  /** A new peer of the network that all peers of this bed share; it need not be up yet. */
  readonly open: () => Promise<ContractPeer>;
  /** Two uses of one and the same transport object. */
  readonly openTwice: () => Promise<readonly [ContractPeer, ContractPeer]>;
  /** Puts in what is no frame of ours, so that `to` gets to see it; the result says how many it must have ignored. */
  readonly disturb: (to: ContractPeer) => Promise<number>;
}

export interface ContractCase {
  readonly title: string;
  readonly run: (bed: ContractBed) => Promise<void>;
}

/** Longest wait for anything, in milliseconds: generous, since only a failing run sees it. */
const patienceMs = 20_000;

/** A growing list that can be waited on. */
export interface EventLog {
  readonly events: readonly ContractEvent[];
  readonly push: (event: ContractEvent) => void;
  /** Resolves as soon as the events so far satisfy `isDone`; rejects with `what` and all events when they never do. */
  readonly until: (
    what: string,
    isDone: (events: readonly ContractEvent[]) => boolean,
    withinMs?: number,
  ) => Promise<void>;
}

export function createLog(): EventLog {
  const events: ContractEvent[] = [];
  const waiting = new Set<() => void>();
  return {
    events,
    push: (event) => {
      events.push(event);
      for (const look of waiting) look();
    },
    until: (what, isDone, withinMs = patienceMs) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`waited ${withinMs} ms for: ${what}; told so far: ${JSON.stringify(events)}`));
        }, withinMs);
        const look = (): void => {
          if (!isDone(events)) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

/** A peer on a transport of this thread. */
export function observe(transport: Transport): ContractPeer {
  const log = createLog();
  let isOpened = false;
  const push = (event: ContractEvent): void => {
    if (!isOpened) log.push({ t: 'early' });
    log.push(event);
  };
  const link: OpenTransport = transport.open({
    frame: (bytes, from) => {
      push({ t: 'frame', text: textOf(bytes), length: bytes.length, from });
      bytes.fill(0xdd);
    },
    peer: (address, change) => push({ t: 'peer', address, change }),
    state: (state) => push({ t: 'state', state }),
    error: ({ code, message }) => push({ t: 'error', code, message }),
  });
  isOpened = true;
  return {
    log,
    self: async () => link.self,
    maxFrameBytes: async () => link.maxFrameBytes,
    send: (text, to, length = text.length) => {
      // Inside a larger buffer, as frames of an encoder may lie.
      const frame = new Uint8Array(length + 16).subarray(8, 8 + length);
      frame.set(bytesOf(text));
      const sent = link.send(frame, to, { lossy: false });
      frame.fill(0xee);
      return sent;
    },
    close: async () => link.close(),
    leave: async () => link.close(),
    ignored: async () => link.ignored?.() ?? 0,
  };
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** The text of a frame without its padding. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? Math.min(bytes.length, 256) : end));
}

/** All of them must hold for every transport. */
export const transportContract: readonly ContractCase[] = [
  {
    title: 'open tells nothing before it returns, then that it is up, and only then has an address',
    run: async (bed) => {
      const ada = await bed.open();
      await untilUp(ada);
      check(!ada.log.events.some(({ t }) => t === 'early'), 'nothing is told before open has returned');
      same(ada.log.events[0], { t: 'state', state: 'up' }, 'the first thing told');
      check((await ada.self()) !== '', 'an address once up');
      check((await ada.maxFrameBytes()) >= 1_200, 'frames of a useful size');
    },
  },
  {
    title: 'peers hear of each other, whoever came first, and of a goodbye',
    run: async (bed) => {
      const [ada, bob, cleo] = await openThree(bed);
      for (const peer of [ada, bob, cleo]) {
        for (const other of [ada, bob, cleo]) if (other !== peer) await untilHere(peer, await other.self());
        const own = await peer.self();
        check(!peer.log.events.some((event) => event.t === 'peer' && event.address === own), 'nobody hears of itself');
      }
      const gone = await bob.self();
      await bob.leave();
      for (const peer of [ada, cleo]) {
        await peer.log.until('the goodbye', (events) => lastChange(events, gone) === 'gone');
      }
    },
  },
  {
    title: 'a broadcast reaches all others, with the address of its sender, and not the sender',
    run: async (bed) => {
      const [ada, bob, cleo] = await openThree(bed);
      await ada.send('to all', 'all');
      const from = await ada.self();
      for (const peer of [bob, cleo]) {
        await untilFrame(peer, 'to all');
        same(framesOf(peer), [{ t: 'frame', text: 'to all', length: 6, from }], 'one frame');
      }
      await bob.send('answer', [from]);
      await untilFrame(ada, 'answer');
      same(textsOf(ada), ['answer'], 'what the sender got');
    },
  },
  {
    title: 'a unicast reaches those named and nobody else; an empty list and an unknown address reach nobody',
    run: async (bed) => {
      const [ada, bob, cleo] = await openThree(bed);
      await ada.send('for nobody', []);
      await ada.send('for a stranger', ['nobody-of-this-address']);
      await ada.send('for bob', [await bob.self()]);
      await ada.send('for bob twice named', [await bob.self(), await bob.self()]);
      await ada.send('for both', [await bob.self(), await cleo.self()]);
      await ada.send('end', 'all');
      await untilFrame(bob, 'end');
      await untilFrame(cleo, 'end');
      same(textsOf(bob), ['for bob', 'for bob twice named', 'for both', 'end'], 'what bob got');
      same(textsOf(cleo), ['for both', 'end'], 'what cleo got');
    },
  },
  {
    title: 'frames of one sender arrive in order, broadcast and unicast mixed, also when sends are not awaited',
    run: async (bed) => {
      const [ada, bob, cleo] = await openThree(bed);
      const texts = Array.from({ length: 200 }, (_, n) => `n${n}`);
      const to = await bob.self();
      await Promise.all(texts.map((text, n) => ada.send(text, n % 3 === 0 ? [to] : 'all', 1_000)));
      await untilFrame(bob, 'n199');
      same(textsOf(bob), texts, 'what bob got');
      await untilFrame(cleo, 'n199');
      same(
        textsOf(cleo),
        texts.filter((_, n) => n % 3 !== 0),
        'what cleo got',
      );
    },
  },
  {
    title: 'frames are copies: the sender may reuse its array at once, and a receiver may write into its own',
    run: async (bed) => {
      const [ada, bob, cleo] = await openThree(bed);
      // send() scribbles over the array afterwards, and each receiver over what it was given.
      await ada.send('mine', 'all', 9_000);
      for (const peer of [bob, cleo]) {
        await untilFrame(peer, 'mine');
        same(framesOf(peer).at(-1)?.length, 9_000, 'the length');
      }
    },
  },
  {
    title: 'a frame of the largest size arrives; one byte more is a RangeError that names argument and sizes',
    run: async (bed) => {
      const [ada, bob] = await openThree(bed);
      const max = await ada.maxFrameBytes();
      const error = await errorOf(ada.send('too long', 'all', max + 1));
      same(error.name, 'RangeError', 'the error');
      for (const part of ['frame', String(max), String(max + 1)])
        check(error.message.includes(part), `it names ${part}`);
      await ada.send('longest', 'all', max);
      await untilFrame(bob, 'longest');
      same(
        framesOf(bob).map(({ length }) => length),
        [max],
        'what arrived',
      );
      await ada.send('', 'all', 0);
      await untilFrame(bob, '');
    },
  },
  {
    title: 'close is silent and safe to repeat; others go on; a send after it rejects as closed',
    run: async (bed) => {
      const [ada, bob, cleo] = await openThree(bed);
      await ada.send('before', 'all');
      await untilFrame(bob, 'before');
      await bob.close();
      await bob.close();
      const told = bob.log.events.length;
      same((await errorOf(bob.send('late', 'all'))).code, 'transport/closed', 'the error');
      await ada.send('after', 'all');
      await untilFrame(cleo, 'after');
      await cleo.send('answer', [await ada.self()]);
      await untilFrame(ada, 'answer');
      same(bob.log.events.length, told, 'what the closed one was told');
      check(!textsOf(ada).includes('late') && !textsOf(cleo).includes('late'), 'nothing sent after close arrives');
    },
  },
  {
    title: 'one transport opened twice: two uses, and closing one leaves the other as it is',
    run: async (bed) => {
      const [one, two] = await bed.openTwice();
      const cleo = await bed.open();
      await Promise.all([one, two, cleo].map(untilUp));
      await untilHere(cleo, await one.self());
      await untilHere(cleo, await two.self());
      await cleo.send('to both', 'all');
      await untilFrame(one, 'to both');
      await untilFrame(two, 'to both');
      await one.close();
      await cleo.send('to the other', [await two.self()]);
      await untilFrame(two, 'to the other');
      await two.send('still here', [await cleo.self()]);
      await untilFrame(cleo, 'still here');
      check(!textsOf(one).includes('to the other'), 'the closed use hears nothing');
      same((await errorOf(one.send('late', 'all'))).code, 'transport/closed', 'the error');
    },
  },
  {
    title: 'a late use of a transport that is up already is told the same: up, who is here, and frames',
    run: async (bed) => {
      const [one, two] = await bed.openTwice();
      const cleo = await bed.open();
      await Promise.all([one, two, cleo].map(untilUp));
      await untilHere(one, await cleo.self());
      await untilHere(two, await cleo.self());
      same(two.log.events[0], { t: 'state', state: 'up' }, 'the first thing told');
    },
  },
  {
    title: 'what is no frame is ignored, counted, and harms nobody',
    run: async (bed) => {
      const [ada, bob, cleo] = await openThree(bed);
      const before = await bob.ignored();
      const count = await bed.disturb(bob);
      await ada.send('after it', 'all');
      await untilFrame(bob, 'after it');
      await untilFrame(cleo, 'after it');
      same(textsOf(bob), ['after it'], 'what bob got');
      check(count > 0, 'the bed disturbs');
      same((await bob.ignored()) - before, count, 'what bob ignored');
      check(!bob.log.events.some(({ t }) => t === 'error'), 'no error is told');
      same(bob.log.events.filter(({ t }) => t === 'state').length, 1, 'states told');
      await bob.send('well', [await ada.self()]);
      await untilFrame(ada, 'well');
    },
  },
];

/** Three peers, all up, all of whom see each other. */
async function openThree(bed: ContractBed): Promise<readonly [ContractPeer, ContractPeer, ContractPeer]> {
  const three = [await bed.open(), await bed.open(), await bed.open()] as const;
  await Promise.all(three.map(untilUp));
  for (const peer of three) {
    for (const other of three) if (other !== peer) await untilHere(peer, await other.self());
  }
  return three;
}

export function untilUp(peer: ContractPeer): Promise<void> {
  return peer.log.until('up', (events) => lastState(events) === 'up');
}

export function untilHere(peer: ContractPeer, address: string): Promise<void> {
  return peer.log.until(`${address} here`, (events) => lastChange(events, address) === 'here');
}

export function untilFrame(peer: ContractPeer, text: string, withinMs?: number): Promise<void> {
  return peer.log.until(
    `the frame '${text}'`,
    (events) => events.some((event) => event.t === 'frame' && event.text === text),
    withinMs,
  );
}

export function lastState(events: readonly ContractEvent[]): TransportState | undefined {
  let last: TransportState | undefined;
  for (const event of events) if (event.t === 'state') last = event.state;
  return last;
}

export function lastChange(events: readonly ContractEvent[], address: string): 'here' | 'gone' | undefined {
  let last: 'here' | 'gone' | undefined;
  for (const event of events) if (event.t === 'peer' && event.address === address) last = event.change;
  return last;
}

export function textsOf(peer: ContractPeer): readonly string[] {
  return framesOf(peer).map(({ text }) => text);
}

function framesOf(peer: ContractPeer): readonly Extract<ContractEvent, { t: 'frame' }>[] {
  return peer.log.events.filter((event) => event.t === 'frame');
}

/** The error a promise rejects with, however it came here: over a page's boundary the code travels in the message. */
async function errorOf(
  promise: Promise<unknown>,
): Promise<{ readonly name: string; readonly code: string; readonly message: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) {
      const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
      return { name: error.name, code, message: error.message };
    }
    throw error;
  }
  throw new Error('expected a rejection, got none');
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`does not hold: ${what}`);
}

function same(got: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: expected ${b}, got ${a}`);
}
