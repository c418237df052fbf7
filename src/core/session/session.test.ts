import { expect, test } from 'vitest';
import type { Bytes, Result } from '../base/index.js';
import { equalBytes } from '../base/index.js';
import type { Hello } from '../wire/index.js';
import type { LinkSessions, SessionAction } from './index.js';
import { createLinkSessions, firstAskMs, maxAsks, newestCommonTag } from './index.js';

function bytes(length: number, value: number): Bytes {
  return new Uint8Array(length).fill(value);
}

const roomTag = bytes(8, 7);
const none = bytes(16, 0);
const mySession = bytes(16, 0xaa);
const me = bytes(32, 0xa0);
const ada = bytes(32, 0xb0);
const bob = bytes(32, 0xc0);

function link(): LinkSessions {
  return createLinkSessions({ device: me, session: mySession, roomTag });
}

/** Every HELLO is newer than the last, as those of one device are. */
let clock = 1000;

function helloOf(device: Bytes, session: number, change: Partial<Hello> = {}): Hello {
  return {
    roomTag,
    device,
    session: bytes(16, session),
    echo: none,
    boot: bytes(8, session),
    stream: bytes(8, session),
    hlcMs: (clock += 10),
    kidTags: [],
    caps: {},
    sum: null,
    ...change,
  };
}

const answer = { echo: mySession };

/** The actions of a HELLO with a good signature. */
function say(sessions: LinkSessions, hello: Hello, from: string, now = clock): readonly SessionAction[] {
  const result = sessions.hello(hello, from, { verified: true, now });
  if (!result.ok) throw new TypeError(`${result.fault.code}: ${result.fault.detail}`);
  return result.value;
}

function codeOf(result: Result<unknown>): string | null {
  return result.ok ? null : result.fault.code;
}

function judged(sessions: LinkSessions, hello: Hello, from: string): string | null {
  return codeOf(sessions.hello(hello, from, { verified: true, now: clock }));
}

const kinds = (actions: readonly SessionAction[]): string[] => actions.map((action) => action.do);

/** To whom HELLOs go, each with the first byte of its echo: 0 is a question. */
function sent(actions: readonly SessionAction[]): (readonly [string, number])[] {
  return actions.flatMap((action) =>
    action.do === 'send-hello' ? [[String(action.to), action.echo[0] ?? -1] as const] : [],
  );
}

test('[X4] a HELLO is answered once with its echo; its sender is here when it echoes mine', () => {
  const sessions = link();
  expect(sessions.start(5000)).toEqual([{ do: 'send-hello', to: 'all', echo: none, device: null, hlcMs: 5000 }]);
  const first = helloOf(ada, 1);
  expect(say(sessions, first, 'a', 5000)).toEqual([
    { do: 'send-hello', to: ['a'], echo: bytes(16, 1), device: ada, hlcMs: 5001 },
  ]);
  expect(sessions.peerAt('a')).toBe(null);
  expect(judged(sessions, first, 'a')).toBe('frame/replayed');
  const here = say(sessions, helloOf(ada, 1, { ...answer, hlcMs: 9000 }), 'a', 6500);
  expect(kinds(here)).toEqual(['peer-here']);
  expect(sessions.peerAt('a')).toMatchObject({ device: ada, address: 'a', offsetMs: 2500, stream: bytes(8, 1) });
  expect(sessions.peerOf(ada)).toBe(sessions.peerAt('a'));
  expect(sessions.peers()).toHaveLength(1);
});

test('[X4] an answer that comes first is answered before its sender counts as here', () => {
  const actions = say(link(), helloOf(ada, 1, answer), 'a');
  expect(kinds(actions)).toEqual(['send-hello', 'peer-here']);
  expect(sent(actions)).toEqual([['a', 1]]);
});

test('[X4] one question, one answer: one that evidently got none asks anew and is answered', () => {
  const sessions = link();
  say(sessions, helloOf(ada, 1, answer), 'a');
  const question = helloOf(ada, 1);
  const actions = say(sessions, question, 'a');
  expect(sent(actions)).toEqual([['a', 1]]);
  // It may have lost what it was told: whoever is here and answers has not.
  expect(kinds(actions)).toEqual(['send-hello', 'peer-asks']);
  expect(judged(sessions, question, 'a')).toBe('frame/replayed');
  expect(sent(say(sessions, helloOf(ada, 1), 'a'))).toEqual([['a', 1]]);
  expect(say(sessions, helloOf(ada, 1, answer), 'a')).toEqual([]);
});

test('[X4] the times of my HELLOs rise strictly, also within a millisecond and when my clock goes back', () => {
  const sessions = link();
  say(sessions, helloOf(ada, 1, answer), 'a', 100);
  say(sessions, helloOf(bob, 2, answer), 'b', 100);
  const actions = [...sessions.start(100), ...sessions.refresh(50), ...sessions.start(200)];
  const times = actions.map((action) => (action.do === 'send-hello' ? action.hlcMs : -1));
  expect(times).toEqual([102, 103, 104, 200]);
});

test('[X4] refusals: another room, a bad signature, myself, a moved session, two streams, nothing new', () => {
  const sessions = link();
  expect(judged(sessions, helloOf(ada, 1, { roomTag: bytes(8, 8) }), 'a')).toBe('hello/wrong-room');
  expect(codeOf(sessions.hello(helloOf(ada, 1), 'a', { verified: false, now: 1000 }))).toBe('hello/bad-signature');
  expect(judged(sessions, helloOf(me, 1), 'a')).toBe('frame/misdirected');
  expect(sessions.peers()).toEqual([]);
  const here = helloOf(ada, 1, answer);
  say(sessions, here, 'a');
  expect(judged(sessions, helloOf(ada, 1, answer), 'b')).toBe('hello/wrong-address');
  expect(judged(sessions, helloOf(ada, 1, { ...answer, stream: bytes(8, 9) }), 'a')).toBe('hello/malformed');
  expect(judged(sessions, helloOf(ada, 1, { ...answer, boot: bytes(8, 9) }), 'a')).toBe('hello/malformed');
  expect(judged(sessions, here, 'a')).toBe('frame/replayed');
  expect(codeOf(sessions.judge(here, 'a'))).toBe('frame/replayed');
  expect(sessions.peerAt('a')?.stream).toEqual(bytes(8, 1));
});

test('[X4] a newer session of a device replaces the older, at the same address or at another', () => {
  for (const address of ['a', 'b']) {
    const sessions = link();
    say(sessions, helloOf(ada, 1, answer), 'a');
    expect(kinds(say(sessions, helloOf(ada, 2), address))).toEqual(['send-hello']);
    expect(sessions.peerOf(ada)?.session).toEqual(bytes(16, 1));
    const actions = say(sessions, helloOf(ada, 2, answer), address);
    expect(kinds(actions)).toEqual(['peer-gone', 'peer-here']);
    expect(actions[0]).toMatchObject({ because: 'replaced', peer: { session: bytes(16, 1) } });
    expect(sessions.peerAt(address)?.session).toEqual(bytes(16, 2));
    expect(sessions.peers()).toHaveLength(1);
  }
});

test('[X4] a session that is not newer by its device’s own clock has to answer a question first', () => {
  const sessions = link();
  const late = helloOf(ada, 1, answer);
  say(sessions, helloOf(ada, 2, answer), 'a');
  // A clock that went back, or a HELLO that came late: the same bytes, so the place is asked.
  expect(sent(say(sessions, late, 'a'))).toEqual([
    ['a', 1],
    ['a', 0],
  ]);
  expect(sessions.peerAt('a')?.session).toEqual(bytes(16, 2));
  const confirmed = helloOf(ada, 2, answer);
  expect(say(sessions, confirmed, 'a')).toEqual([]);
  expect(sent(say(sessions, { ...late, hlcMs: late.hlcMs + 1 }, 'a'))).toEqual([
    ['a', 1],
    ['a', 0],
  ]);
  const again = say(sessions, { ...late, hlcMs: late.hlcMs + 2 }, 'a');
  expect(kinds(again)).toEqual(['peer-gone', 'peer-here']);
  expect(sessions.peerAt('a')?.session).toEqual(bytes(16, 1));
});

test('[X4] another device that takes an address replaces the one that was there, when it answers from there', () => {
  const sessions = link();
  say(sessions, helloOf(ada, 1, answer), 'a');
  say(sessions, helloOf(bob, 2), 'a');
  expect(sent(say(sessions, helloOf(bob, 2, answer), 'a'))).toEqual([['a', 0]]);
  expect(sessions.peerAt('a')?.device).toEqual(ada);
  expect(kinds(say(sessions, helloOf(bob, 2, answer), 'a'))).toEqual(['peer-gone', 'peer-here']);
  expect(sessions.peerAt('a')?.device).toEqual(bob);
  expect(sessions.peerOf(ada)).toBe(null);
});

test('[X4] replayed HELLOs never unseat a peer: of older sessions of mine, of replaced ones, of ones that left', () => {
  const sessions = link();
  const oldOfAda = helloOf(ada, 1, answer);
  const oldOfBob = helloOf(bob, 5, answer);
  const older = Array.from({ length: 300 }, (_, i) =>
    helloOf(i % 2 === 0 ? ada : bob, 10 + (i % 200), { echo: bytes(16, 3) }),
  );
  say(sessions, oldOfBob, 'a');
  expect(kinds(sessions.addressGone('a'))).toEqual(['peer-gone']);
  say(sessions, oldOfAda, 'a');
  say(sessions, helloOf(ada, 2, answer), 'a');
  const peer = sessions.peerAt('a');
  expect(judged(sessions, oldOfAda, 'a')).toBe('frame/replayed');
  expect(judged(sessions, oldOfBob, 'a')).toBe('frame/replayed');
  for (const hello of [...older, ...older]) judged(sessions, hello, 'a');
  expect(sessions.peerAt('a')).toBe(peer);
});

test('[X4] a HELLO held back and delivered late unseats nobody, however often', () => {
  const sessions = link();
  const heldBack = helloOf(ada, 1, answer);
  const heldBackOfBob = helloOf(bob, 5, answer);
  say(sessions, helloOf(ada, 2, answer), 'a');
  const peer = sessions.peerAt('a');
  for (let i = 0; i < 3; i++) {
    judged(sessions, heldBack, 'a');
    judged(sessions, heldBackOfBob, 'a');
    expect(sessions.peerAt('a')?.session).toEqual(peer?.session);
    say(sessions, helloOf(ada, 2, answer), 'a');
  }
});

test('[X4] nobody blocks another by its session: what is remembered is the device’s own', () => {
  const sessions = link();
  say(sessions, helloOf(bob, 1, { hlcMs: 2 ** 48 - 1 }), 'b');
  expect(kinds(say(sessions, helloOf(ada, 1, answer), 'a'))).toEqual(['send-hello', 'peer-here']);
});

test('[X4] one that left comes back under its session with a newer HELLO, its counter where it was', () => {
  const sessions = link();
  const first = helloOf(ada, 1, answer);
  say(sessions, first, 'a');
  expect(sessions.countFrame('a', { stream: bytes(8, 1), ctr: 41 }).ok).toBe(true);
  sessions.addressGone('a');
  expect(codeOf(sessions.frameFrom('a', { stream: bytes(8, 1), ctr: 42 }))).toBe('frame/unbound-source');
  expect(judged(sessions, first, 'a')).toBe('frame/replayed');
  expect(kinds(say(sessions, helloOf(ada, 1, answer), 'a'))).toEqual(['send-hello', 'peer-here']);
  expect(codeOf(sessions.frameFrom('a', { stream: bytes(8, 1), ctr: 41 }))).toBe('frame/replayed');
  expect(sessions.frameFrom('a', { stream: bytes(8, 1), ctr: 42 }).ok).toBe(true);
});

test('[F15] frames count only from the source and stream of a peer, each counter once, and only when proven', () => {
  const sessions = link();
  const place = (ctr: number, stream = 1): { stream: Bytes; ctr: number } => ({ stream: bytes(8, stream), ctr });
  say(sessions, helloOf(ada, 1), 'a');
  expect(codeOf(sessions.frameFrom('a', place(1)))).toBe('frame/unbound-source');
  say(sessions, helloOf(ada, 1, answer), 'a');
  expect(codeOf(sessions.frameFrom('b', place(1)))).toBe('frame/unbound-source');
  expect(codeOf(sessions.frameFrom('a', place(1, 2)))).toBe('frame/unbound-source');
  // A forged header with the largest counter does not close the stream.
  expect(sessions.frameFrom('a', place(2 ** 48 - 1)).ok).toBe(true);
  expect(sessions.frameFrom('a', place(0)).ok).toBe(true);
  expect(sessions.countFrame('a', place(0)).ok).toBe(true);
  expect(codeOf(sessions.countFrame('a', place(0)))).toBe('frame/replayed');
  expect(sessions.countFrame('a', place(5)).ok).toBe(true);
  expect(codeOf(sessions.frameFrom('a', place(5)))).toBe('frame/replayed');
  expect(codeOf(sessions.frameFrom('a', place(4)))).toBe('frame/replayed');
  say(sessions, helloOf(ada, 2, answer), 'a');
  expect(codeOf(sessions.countFrame('a', place(6)))).toBe('frame/unbound-source');
  expect(sessions.countFrame('a', place(0, 2)).ok).toBe(true);
});

test('[F15] of frames from before the HELLO that brought its sender here none counts, whatever else it says', () => {
  const place = (ctr: number): { stream: Bytes; ctr: number } => ({ stream: bytes(8, 1), ctr });
  const firstTaken = (c: Hello['caps'][string]): number => {
    const sessions = link();
    say(sessions, helloOf(ada, 1, { ...answer, caps: { c } }), 'a');
    return [0, 1, 2, 3].findIndex((ctr) => sessions.frameFrom('a', place(ctr)).ok);
  };
  expect([0, 2, 3].map(firstTaken)).toEqual([0, 2, 3]);
  expect(['2', null, -5, 1.5, [2]].map(firstTaken)).toEqual([0, 0, 0, 0, 0]);
  const sessions = link();
  say(sessions, helloOf(ada, 1, { ...answer, caps: { c: 2 } }), 'a');
  say(sessions, helloOf(ada, 1, { ...answer, caps: { c: 9 } }), 'a'); // it is here already: what it sent meanwhile counts
  expect(codeOf(sessions.countFrame('a', place(5)))).toBeNull();
  sessions.addressGone('a');
  say(sessions, helloOf(ada, 1, { ...answer, caps: { c: 0 } }), 'a');
  expect(codeOf(sessions.frameFrom('a', place(5)))).toBe('frame/replayed');
});

test('[F15] what a HELLO says of its counter takes no place among those that were proved', () => {
  const sessions = link();
  const old = helloOf(ada, 1, { ...answer, caps: { c: 0 } });
  say(sessions, old, 'a');
  expect(codeOf(sessions.countFrame('a', { stream: bytes(8, 1), ctr: 9 }))).toBeNull();
  sessions.addressGone('a');
  for (let i = 0; i < 1100; i++) {
    const [session, stream] = [bytes(16, 2), bytes(8, 2)];
    for (const id of [session, stream]) id.set([i >> 8, i & 255], 2);
    say(sessions, helloOf(bob, 2, { ...answer, session, stream, caps: { c: 1 } }), 'x');
  }
  say(sessions, { ...old, hlcMs: (clock += 10) }, 'a');
  expect(codeOf(sessions.frameFrom('a', { stream: bytes(8, 1), ctr: 3 }))).toBe('frame/replayed');
});

test('[X5] new key tags reach the peer record forward only; the newest common one is by my order', () => {
  const sessions = link();
  const tags = (...values: number[]): Bytes[] => values.map((value) => bytes(8, value));
  const old = helloOf(ada, 1, { kidTags: tags(1) });
  say(sessions, helloOf(ada, 1, { ...answer, kidTags: tags(1) }), 'a');
  const later = say(sessions, helloOf(ada, 1, { ...answer, kidTags: tags(2, 1) }), 'a');
  expect(kinds(later)).toEqual(['peer-changed']);
  expect(judged(sessions, old, 'a')).toBe('frame/replayed');
  const peer = sessions.peerAt('a');
  expect(peer?.kidTags).toEqual(tags(2, 1));
  expect(peer !== null && newestCommonTag(tags(3, 2, 1), peer)).toEqual(bytes(8, 2));
  expect(peer !== null && newestCommonTag(tags(3), peer)).toBe(null);
  expect(sent(sessions.refresh(1000))).toEqual([['a', 1]]);
});

/** When an address is asked within 200 s. */
function askedAt(sessions: LinkSessions, address: string): number[] {
  const asked: number[] = [];
  for (let now = 0; now <= 200_000; now += 100) {
    for (const [to, echo] of sent(sessions.tick(now))) {
      expect([to, echo]).toEqual([address, 0]);
      asked.push(now);
    }
  }
  return asked;
}

test('[X4] an address that stays silent is asked with growing pauses while the transport says somebody is there', () => {
  const sessions = link();
  sessions.addressHere('a', 0);
  sessions.addressHere('a', 500);
  expect(askedAt(sessions, 'a')).toEqual([1, 3, 7, 15, 31, 63, 127, 191].map((n) => n * firstAskMs));
  sessions.addressGone('a');
  expect(sessions.nextTickAt()).toBe(null);
});

test('[X4] an address known only by a HELLO, perhaps a recording, is asked a few times', () => {
  const sessions = link();
  say(sessions, helloOf(ada, 1), 'a', 0);
  expect(askedAt(sessions, 'a')).toEqual([1, 3, 7, 15, 31].map((n) => n * firstAskMs));
  expect(maxAsks).toBe(5);
  expect(sessions.nextTickAt()).toBe(null);
  expect(codeOf(sessions.frameFrom('a', { stream: none, ctr: 1 }))).toBe('frame/unbound-source');
});

test('[X4] a suspicious address is asked; the answer of the one that is there settles it', () => {
  const sessions = link();
  say(sessions, helloOf(ada, 1, answer), 'a', 0);
  sessions.suspect('a', 0);
  expect(sent(sessions.tick(firstAskMs))).toEqual([['a', 0]]);
  say(sessions, helloOf(ada, 1, answer), 'a', firstAskMs + 50);
  expect(sessions.nextTickAt()).toBe(null);
});

test('[X4] a flood of strangers costs bounded memory and no peer', () => {
  const sessions = link();
  say(sessions, helloOf(ada, 1, answer), 'a');
  for (let i = 0; i < 20_000; i++) {
    const id = Uint8Array.of(i >> 16, i >> 8, i);
    const device = new Uint8Array(32);
    const session = new Uint8Array(16);
    device.set(id, 4);
    session.set(id, 4);
    const actions = say(sessions, helloOf(device, 0, { session }), i % 3 === 0 ? 'a' : `x${String(i)}`);
    expect(kinds(actions)).toEqual(['send-hello']);
  }
  const due = sessions.tick(1e9);
  expect(due.length).toBeLessThanOrEqual(512);
  expect(sessions.peers().map(({ device }) => device)).toEqual([ada]);
  // An honest newcomer whose candidacy was washed away is here all the same.
  expect(kinds(say(sessions, helloOf(bob, 9, answer), 'b'))).toEqual(['send-hello', 'peer-here']);
});

test('[X4] who is gone is told once, with its candidates', () => {
  const sessions = link();
  say(sessions, helloOf(ada, 1, answer), 'a');
  say(sessions, helloOf(ada, 2), 'a');
  const gone = sessions.addressGone('a');
  expect(gone).toMatchObject([{ do: 'peer-gone', because: 'left' }]);
  expect(sessions.addressGone('a')).toEqual([]);
  expect(sessions.tick(1e6)).toEqual([]);
  expect(equalBytes(sessions.peers()[0]?.device ?? none, ada)).toBe(false);
});
