/** What a HELLO says of what is held, and what becomes of it. */
import { expect, test } from 'vitest';
import type { Bytes } from '../../src/core/base/index.js';
import type { Peer } from '../../src/core/session/index.js';
import { frameTypes, type Beacon } from '../../src/core/wire/index.js';
import { act, foundCore, linkTo, memberCore, peerOf, strangerCore } from './core.kit.js';
import type { RoomCore } from './room/core.js';
import { createGreetings, type Greetings } from './room/net/greetings.js';
import type { NetLink } from './room/net/link.js';

interface Side {
  readonly core: RoomCore;
  readonly greetings: Greetings;
  readonly netLink: NetLink;
  /** Types of the frames sent; a beacon goes by its host. */
  readonly sent: () => (number | 'beacon')[];
  readonly heard: Beacon[];
  readonly answers: Bytes[];
}

function sideOf(core: RoomCore, o: { readonly isCold?: boolean; readonly isEffective?: boolean } = {}): Side {
  const { netLink, sent } = linkTo(core, []);
  const [heard, answers]: [Beacon[], Bytes[]] = [[], []];
  let beacons = 0;
  const greetings = createGreetings(core, {
    roster: { isEffective: () => o.isEffective ?? true, reach: () => ({ netLink, peer: peerOf(core) }) },
    beacons: {
      hear: (_, beacon) => void heard.push(beacon),
      send: () => {
        beacons++;
      },
    },
    clearance: {
      answered: (device, heads) => {
        expect(heads).toEqual([]);
        answers.push(device);
        return Promise.resolve('clear');
      },
    },
    considerPull: () => undefined,
    isCold: o.isCold ?? false,
  });
  const types = (): (number | 'beacon')[] => [
    ...sent.map(({ type }) => type),
    ...Array.from({ length: beacons }, () => 'beacon' as const),
  ];
  return { core, greetings, netLink, sent: types, heard, answers };
}

/** `from` as `to` sees it, by the HELLO that answers `to`. */
function seenBy(to: Side, from: Side, change: Partial<Peer> = {}): Peer {
  const sum = from.greetings.sumFor(from.netLink, to.core.keys.deviceId, to.netLink.session);
  return { ...peerOf(from.core), session: from.netLink.session, sum, ...change };
}

const greeting = [frameTypes.resume, 'beacon'];

test('[SYN-5] who says the same sum has said all roots, and that it holds nothing of mine above mine; it is told nothing', async () => {
  const founder = await foundCore();
  const [a, b] = [sideOf(founder), sideOf(await memberCore(founder))];
  const peer = seenBy(a, b);
  expect(peer.sum).toHaveLength(16);
  expect([a.greetings.greet(a.netLink, peer), a.greetings.greet(a.netLink, peer)]).toEqual([true, false]);
  await founder.loop.idle();
  expect(a.sent()).toEqual([]);
  expect(a.answers).toEqual([b.core.keys.deviceId]);
  expect(a.heard).toHaveLength(1);
  expect(a.heard[0]?.domains.map(({ count }) => count)).toEqual(
    [...(a.heard[0]?.domains ?? [])].map(({ domainId }) => countIn(founder, domainId)),
  );
  a.greetings.told(a.netLink, peer);
  a.greetings.told(a.netLink, peer);
  expect(a.sent()).toEqual(greeting);
});

test('[SYN-5] a sum does not stand for more than was said until then: a BEACON right behind it is the newer word', async () => {
  const founder = await foundCore();
  const [a, b] = [sideOf(founder), sideOf(await memberCore(founder))];
  const peer = seenBy(a, b);
  const news: Beacon = { domains: [], serve: true, hidden: false };
  founder.loop.enqueue(() => void a.greetings.greet(a.netLink, peer));
  founder.loop.enqueue(() => void a.heard.push(news));
  await founder.loop.idle();
  expect([a.heard.length, a.heard.at(-1)]).toEqual([2, news]);
});

function countIn({ state }: RoomCore, domainId: Bytes): number {
  const domain = [state.control, ...state.domains.values()].find(({ id }) => id.join() === domainId.join());
  return domain?.entryCount ?? 0;
}

test('[SYN-5] a sum is its device’s, for this session of it and this one of mine: no other counts', async () => {
  const founder = await foundCore();
  const member = await memberCore(founder);
  const [a, b, c] = [sideOf(founder), sideOf(member), sideOf(member)];
  const mine = a.greetings.sumFor(a.netLink, member.keys.deviceId, b.netLink.session);
  const wrong: Partial<Peer>[] = [
    { sum: null },
    { sum: new Uint8Array(16) },
    // What I say myself, what it said to another session, and what it said under another of its own.
    { sum: mine },
    { sum: b.greetings.sumFor(b.netLink, founder.keys.deviceId, c.netLink.session) },
    { sum: c.greetings.sumFor(c.netLink, founder.keys.deviceId, a.netLink.session) },
  ];
  for (const change of wrong) {
    const side = { ...sideOf(founder), netLink: a.netLink };
    side.greetings.greet(a.netLink, seenBy(a, b, change));
    expect(side.heard).toEqual([]);
    expect(side.sent()).toContain('beacon');
  }
});

test('[SYN-5] nothing is said to whom has no effect, by whom has no grant, of what is not stored, or in a question', async () => {
  const founder = await foundCore();
  const member = await memberCore(founder);
  const sumOf = ({ greetings, netLink }: Side, device: Bytes | null = member.keys.deviceId): Bytes | null =>
    greetings.sumFor(netLink, device, new Uint8Array(16).fill(1));
  expect(sumOf(sideOf(founder))).not.toBe(null);
  expect(sumOf(sideOf(founder), null)).toBe(null);
  expect(sumOf(sideOf(founder, { isEffective: false }))).toBe(null);
  expect(sumOf(sideOf(founder, { isCold: true }))).toBe(null);
  expect(sumOf(sideOf(await strangerCore(founder)))).toBe(null);
  await act(founder, (step) => {
    step.ops.push({ do: 'put', table: 'state', key: [founder.room, 'something'], value: 1 });
    expect(sumOf(sideOf(founder))).toBe(null);
  });
  await founder.loop.idle();
  expect(sumOf(sideOf(founder))).not.toBe(null);
});

test('[SYN-5] [F10] what is not stored here is not what a sum is compared with: it may be lost, and with it what the other has', async () => {
  const founder = await foundCore();
  const [a, b] = [sideOf(founder), sideOf(await memberCore(founder))];
  await act(founder, (step) => {
    step.ops.push({ do: 'put', table: 'state', key: [founder.room, 'something'], value: 1 });
    a.greetings.greet(a.netLink, seenBy(a, b));
  });
  await founder.loop.idle();
  expect(a.sent()).toEqual(greeting);
  expect([a.heard, a.answers]).toEqual([[], []]);
});

test('[SYN-5] a cold start believes no sum', async () => {
  const founder = await foundCore();
  const [a, b] = [sideOf(founder, { isCold: true }), sideOf(await memberCore(founder))];
  a.greetings.greet(a.netLink, seenBy(a, b));
  expect(a.sent()).toEqual(greeting);
  expect(a.heard).toEqual([]);
});
