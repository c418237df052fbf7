import { expect, test } from 'vitest';
import { toHex, type Bytes } from '../../src/core/base/index.js';
import { sha256 } from '../../src/core/crypto/index.js';
import { missingRanges, toClockEntries } from '../../src/core/reconcile/index.js';
import { decodeBeacon, decodeSyncReq, frameTypes, type SyncReq } from '../../src/core/wire/index.js';
import type { Peer } from '../../src/core/session/index.js';
import type { Time } from '../../src/ports/index.js';
import { insertOf, payloadOf, write } from './content.kit.js';
import { controlKey, domainOf, domainsInOrder, idAt, type DomainReplica } from './replica/index.js';
import type { RoomCore } from './room/core.js';
import { createAsking, type Asking } from './room/net/asking.js';
import { createBeacons } from './room/net/beacons.js';
import { createPull, type PullHost } from './room/net/pull.js';
import { clockOf, lackingOf, summaryOf } from './room/net/lacking.js';
import { createRoster } from './room/net/roster.js';
import { createStrangers } from './room/net/strangers.js';
import { copyAll, foundCore, forgeControl, linkTo, memberCore, peerOf, strangerCore } from './core.kit.js';

type Ended = Parameters<PullHost['ended']>[0];

/** The requests among what was sent, and to which address. */
function requestsIn(sent: ReturnType<typeof linkTo>['sent']): { readonly to: string; readonly req: SyncReq }[] {
  return sent.flatMap(({ type, body, to }) => {
    const req = type === frameTypes.syncReq ? decodeSyncReq(body) : null;
    return req?.ok === true ? [{ to: to === 'all' ? to : to.address, req: req.value }] : [];
  });
}

/** The requester's side towards these devices, each at the address of its number. */
function pullOf(
  core: RoomCore,
  others: readonly RoomCore[],
): {
  readonly pull: ReturnType<typeof createPull>;
  readonly requests: () => { readonly to: string; readonly req: SyncReq }[];
  readonly ended: Ended[];
} {
  const peers = others.map((other, i) => peerOf(other, String(i)));
  const { netLink, sent } = linkTo(core, peers);
  const ended: Ended[] = [];
  const pull = createPull(core, {
    reach: (device) => {
      const peer = netLink.sessions.peerOf(device);
      return peer && { netLink, peer };
    },
    links: () => [netLink],
    servers: () => peers.length,
    ended: (o) => void ended.push(o),
    roundBegins: () => undefined,
    changed: () => undefined,
  });
  return { pull, requests: () => requestsIn(sent), ended };
}

/** When and whom a core asks, towards these devices. */
function askingOf(
  core: RoomCore,
  others: readonly RoomCore[],
): {
  readonly asking: Asking;
  readonly beacons: ReturnType<typeof createBeacons>;
  readonly asked: () => readonly SyncReq[];
  readonly served: (complete?: boolean) => void;
  readonly loseEffect: (device: Bytes) => void;
} {
  const peers = others.map((other, i) => peerOf(other, String(i)));
  const { netLink, sent } = linkTo(core, peers);
  const nothing = (): void => undefined;
  const base = createRoster(core);
  const without = new Set<string>();
  const roster = {
    ...base,
    isEffective: (device: Bytes) => !without.has(toHex(device)) && base.isEffective(device),
    members: () => peers.filter(({ device }) => !without.has(toHex(device))),
    reach: (device: Bytes) => {
      const peer = netLink.sessions.peerOf(device);
      return peer && { netLink, peer };
    },
  };
  roster.links.set('memory', netLink);
  const beacons = createBeacons(core, { roster, after: () => nothing, isCold: false });
  const asking = createAsking(core, {
    ...{ roster, beacons, isCold: false, isStopped: () => false, after: () => nothing },
    ...{ admitted: nothing, synced: nothing, ended: nothing, changed: nothing },
  });
  const asked = (): SyncReq[] => requestsIn(sent).map(({ req }) => req);
  const served = (complete = true): void => {
    asking.pull.handle({ is: 'done', transfer: asking.pull.source()?.transfer ?? -1, complete, useful: true });
  };
  return { asking, beacons, asked, served, loseEffect: (device) => without.add(toHex(device)) };
}

/** Chains of that many made-up authors, each of `count` entries, straight into what a core holds. */
function fill(domain: DomainReplica, authors: number, count: number): void {
  for (let i = 0; i < authors; i++) {
    const authorId = sha256(Uint8Array.of(i >> 8, i & 255));
    const ids = Array.from({ length: count }, (_, seq) => sha256(authorId, Uint8Array.of(seq)));
    domain.chainsByAuthor.set(toHex(authorId), {
      authorId,
      loaded: { from: 0, ids, ms: [], ctr: [] },
      packs: [],
      signed: null,
    });
  }
}

function mainOf(core: RoomCore): DomainReplica {
  const id = [...core.state.domainNames].find(([, name]) => name === 'main')?.[0] ?? '';
  const domain = domainOf(core.state, id);
  if (domain === null) throw new TypeError('no domain main');
  return domain;
}

test('[SYN-3] a room of 500 authors is fetched whole, one window of their clock after the other', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  fill(mainOf(ada), 500, 3);
  fill(mainOf(bob), 450, 1);
  const { pull, requests, ended } = pullOf(bob, [ada]);
  const source = mainOf(ada);
  for (let turn = 1; ended.at(-1)?.isWhole !== true; turn++) {
    expect(turn).toBeLessThan(8);
    expect(pull.start({ prefer: ada.keys.deviceId, controlOnly: false })).toBe(true);
    const asked = requests()
      .at(-1)
      ?.req.domains.find(({ domainId }) => toHex(domainId) === toHex(source.id));
    if (asked === undefined) throw new TypeError('main was not asked for');
    const { ranges } = missingRanges(clockOf(source), asked, { idAt: () => null });
    expect(ranges.length).toBeGreaterThan(0);
    for (const { author, from, to } of ranges) {
      const mine = mainOf(bob).chainsByAuthor.get(toHex(author))?.loaded.ids ?? [];
      expect(from).toBe(mine.length);
      const ids = [...mine, ...(source.chainsByAuthor.get(toHex(author))?.loaded.ids.slice(from, to) ?? [])];
      const chain = { authorId: author, loaded: { from: 0, ids, ms: [], ctr: [] }, packs: [], signed: null };
      mainOf(bob).chainsByAuthor.set(toHex(author), chain);
    }
    const transfer = pull.source()?.transfer ?? 0;
    expect(pull.source()?.isFirst).toBe(turn === 1);
    pull.handle({ is: 'done', transfer, complete: true, useful: true });
  }
  pull.stop();
  expect(clockOf(mainOf(bob))).toEqual(clockOf(source));
  expect(requests().length).toBeGreaterThan(1);
}, 60_000);

/** As of many admins at a time (AUTH-10): domains whose ids are before that of main. */
function addDomains(core: RoomCore, count: number): void {
  const { access } = core.state;
  const made = Array.from({ length: count }, (_, i) => new Uint8Array(32).fill(1, 0, 1).fill(i, 30));
  const domains = new Map([
    ...access.domains,
    ...made.map((id) => [toHex(id), { id, author: '', isMeta: false }] as const),
  ]);
  core.state.access = { ...access, domains };
}

test('[SYN-3] of more domains than a request names each has its turn, and only then a source has nothing more', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  addDomains(bob, 150);
  const { pull, requests, ended } = pullOf(bob, [ada]);
  const named = new Set<string>();
  for (let turn = 1; ended.at(-1)?.isWhole !== true; turn++) {
    expect(turn).toBeLessThan(5);
    pull.start({ prefer: ada.keys.deviceId, controlOnly: false });
    const domains =
      requests()
        .at(-1)
        ?.req.domains.map(({ domainId }) => toHex(domainId)) ?? [];
    expect(domains).toContain(controlKey);
    for (const one of domains) named.add(one);
    expect(pull.source()?.isFirst).toBe(turn === 1);
    pull.handle({ is: 'done', transfer: pull.source()?.transfer ?? 0, complete: true, useful: true });
  }
  pull.stop();
  expect([...named].sort()).toEqual([controlKey, ...bob.state.access.domains.keys()].sort());
  expect(named).toContain(toHex(mainOf(bob).id));
}, 60_000);

test('[SYN-4] of more domains than a beacon names those come first that have changed, then those not named for long', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  addDomains(ada, 250);
  const { netLink, sent } = linkTo(ada, [peerOf(bob)]);
  const links = new Map([['memory', netLink]]);
  const roster = { links, here: () => [], members: () => [], isEffective: () => true, reach: () => null };
  const beacons = createBeacons(ada, { roster, after: () => () => undefined, isCold: false });
  const say = (): string[] => {
    beacons.send('all');
    const beacon = decodeBeacon(sent.at(-1)?.body ?? new Uint8Array(0));
    return beacon.ok ? beacon.value.domains.map(({ domainId }) => toHex(domainId)) : [];
  };
  const said = [say(), say()];
  expect(said.map((one) => one.length)).toEqual([180, 180]);
  expect(new Set(said.flat()).size).toBe(1 + ada.state.access.domains.size);
  for (let i = 0; i < 4; i++) {
    await write(ada, toHex(mainOf(ada).id), { payload: payloadOf(insertOf(ada, 'cards', { text: 'news' })) });
    expect(say()).toContain(toHex(mainOf(ada).id));
  }
}, 60_000);

test('[F17] what waits is named as held by its end, but not what waits for a better copy', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  const [future, keyless] = [await forgeControl(ada, { kind: 'fold' }), await forgeControl(bob, { kind: 'fold' })];
  ada.held = [
    { unit: future, code: 'entry/future-clock', awaits: [], bytes: 1, stored: null },
    { unit: keyless, code: 'entry/missing-key', awaits: [], bytes: 1, stored: null },
  ];
  const { pull, requests } = pullOf(ada, [bob]);
  pull.start({ prefer: bob.keys.deviceId, controlOnly: false });
  const head = future.entries.at(-1)?.id.slice(0, 16);
  expect(requests().at(-1)?.req.held).toEqual([
    { domainId: future.domainId, author: ada.keys.deviceId, seq: future.fromSeq, head },
  ]);
  pull.stop();
}, 60_000);

test('[F17] what stands where the requester holds back something else is sent; what it holds back is not', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  await copyAll(ada, bob);
  const before = await forgeControl(bob, { kind: 'fold' });
  await write(bob, toHex(mainOf(bob).id), { payload: payloadOf(insertOf(bob, 'cards', { text: 'mine' })) });
  const main = mainOf(bob);
  const chain = main.chainsByAuthor.get(bob.device);
  const id = idAt(chain, 0) ?? new Uint8Array(32);
  const rangesFor = (head: Bytes): number => {
    const domains = domainsInOrder(bob.state).flatMap((key) => {
      const domain = domainOf(ada.state, key);
      return domain === null
        ? []
        : [{ ...summaryOf(domain), entries: toClockEntries(clockOf(domain)), window: { after: null, upTo: null } }];
    });
    const held = [{ domainId: main.id, author: bob.keys.deviceId, seq: 0, head: head.slice(0, 16) }];
    const req = { reqId: new Uint8Array(16), attempt: 0, want: 1, prefer: null, exclude: [], controlOnly: false };
    return lackingOf(bob, { ...req, transfer: 0, domains, held }).filter(
      ({ domainHex }) => domainHex === toHex(main.id),
    ).length;
  };
  expect([rangesFor(id), rangesFor(before.entries[0]?.id ?? id)]).toEqual([0, 1]);
}, 60_000);

test('[ELE-5] a stranger is asked alone and for control, keeps nobody waiting, and gives way to a member', async () => {
  const ada = await foundCore();
  const [bob, eve, fay] = [await memberCore(ada), await strangerCore(ada), await strangerCore(ada)];
  const { pull, requests, ended } = pullOf(ada, [bob, eve, fay]);
  const stranger = (core: RoomCore): boolean =>
    pull.start({ prefer: core.keys.deviceId, controlOnly: true, isStranger: true });
  expect(stranger(eve)).toBe(true);
  expect(pull.isToStranger()).toBe(true);
  expect(stranger(fay)).toBe(false);
  expect(pull.start({ prefer: bob.keys.deviceId, controlOnly: false })).toBe(true);
  expect(pull.isToStranger()).toBe(false);
  expect(stranger(fay)).toBe(false);
  expect(requests().map(({ to, req }) => [to, req.controlOnly])).toEqual([
    ['1', true],
    ['0', false],
  ]);
  expect(ended).toEqual([]);
  pull.handle({ is: 'done', transfer: pull.source()?.transfer ?? 0, complete: true, useful: true });
  expect(stranger(fay)).toBe(true);
  pull.handle({ is: 'peer-gone', device: fay.keys.deviceId });
  expect(ended.at(-1)).toMatchObject({ by: null, isWhole: false });
  expect(pull.isActive()).toBe(false);
  expect(requests().filter(({ to }) => to === 'all')).toEqual([]);
  pull.stop();
}, 60_000);

test('[ELE-5] strangers take turns, each after twice the time; one that left and came back begins anew', async () => {
  const ada = await foundCore();
  const [eve, fay] = [await strangerCore(ada), await strangerCore(ada)];
  let now = 0;
  const time: Time = { now: () => now, after: () => () => undefined };
  let here = [peerOf(eve, 'e'), peerOf(fay, 'f')];
  const core = { ...ada, ports: { ...ada.ports, time } };
  const strangers = createStrangers(core, { here: () => here, isEffective: () => false });
  const times: number[] = [];
  const asked: string[] = [];
  while (asked.length < 10) {
    now = strangers.nextAtMs() ?? now;
    const peer = strangers.due();
    if (peer === null) throw new TypeError('nobody is due');
    strangers.asked(peer);
    asked.push(peer.address);
    if (peer.address === 'e') times.push(now);
  }
  expect(asked.filter((one) => one === 'f').length).toBeGreaterThan(3);
  const waits = times.slice(1).map((at, i) => at - (times[i] ?? 0));
  for (const [i, wait] of waits.entries()) {
    expect(wait).toBeGreaterThanOrEqual(750 * 2 ** i);
    expect(wait).toBeLessThanOrEqual(1250 * 2 ** i);
  }
  here = [];
  expect(strangers.nextAtMs()).toBeNull();
  here = [peerOf(eve, 'e')];
  expect(strangers.due()?.address).toBe('e');
}, 60_000);

test('[SYN-4] what was fetched whole is not asked for again, until a key comes, something is dropped, or all is read anew', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  const peer = peerOf(bob);
  const { device } = peer;
  const beacons = createBeacons(ada, {
    roster: {
      links: new Map(),
      here: () => [peer],
      members: () => [peer],
      isEffective: () => true,
      reach: () => null,
    },
    after: () => () => undefined,
    isCold: false,
  });
  const say = (root: Bytes): void => {
    const domains = [{ domainId: ada.state.control.id, root, count: 99 }];
    beacons.hear(device, { domains, serve: true, hidden: false });
  };
  const fetch = (): void => {
    beacons.roundBegins(device);
    beacons.fetched(device);
  };
  say(sha256(Uint8Array.of(1)));
  const changes = [
    (): void => void ada.epochKeys.set('00', new Uint8Array(32)),
    (): void => {
      ada.heldLost++;
    },
    (): void => void (ada.state = { ...ada.state }),
  ];
  for (const change of changes) {
    expect(beacons.bestSource()).toBe(peer);
    fetch();
    expect(beacons.bestSource()).toBeNull();
    change();
  }
  // A root may come back when a chain was found forked: in time it is asked about once more, as long as nothing changes.
  expect(beacons.bestSource()).toBe(peer);
  fetch();
  beacons.doubt();
  expect(beacons.bestSource()).toBe(peer);
  fetch();
  beacons.doubt();
  expect(beacons.bestSource()).toBeNull();
  // What it says during a round of several requests may lie in a window that was asked for before.
  beacons.roundBegins(device);
  say(sha256(Uint8Array.of(2)));
  beacons.fetched(device);
  expect(beacons.bestSource()).toBe(peer);
}, 60_000);

test('[SYN-4] who says ever new roots and has nothing keeps nobody from being asked, and is asked ever more seldom', async () => {
  let now = 1_000_000;
  const ada = await foundCore();
  const core = { ...ada, ports: { ...ada.ports, time: { ...ada.ports.time, now: () => now } } };
  const [bob, mallory] = [peerOf(await memberCore(ada), 'b'), peerOf(await memberCore(ada), 'm')];
  const here = (): readonly Peer[] => [bob, mallory];
  const roster = { links: new Map(), here, members: here, isEffective: () => true, reach: () => null };
  const beacons = createBeacons(core, { roster, after: () => () => undefined, isCold: false });
  const say = ({ device }: Peer, count: number): void => {
    const domains = [{ domainId: ada.state.control.id, root: ada.ports.random.bytes(32), count }];
    beacons.hear(device, { domains, serve: true, hidden: false });
  };
  const asked: string[] = [];
  say(bob, 100);
  for (const endMs = now + 30_000; now < endMs; now += 10) {
    say(mallory, 2 ** 40);
    const source = beacons.bestSource();
    if (source === null || beacons.restMs(source.device) > 0) continue;
    asked.push(source.address);
    beacons.roundBegins(source.device);
    beacons.roundEnds(source.device, { brought: source === bob, complete: true });
    if (source === bob) say(bob, 100 + asked.length);
    else beacons.fetched(source.device);
  }
  expect(asked.slice(0, 3)).toEqual(['m', 'b', 'b']);
  expect(asked.filter((one) => one === 'b').length).toBeGreaterThan(1000);
  say(bob, 0);
  beacons.roundEnds(bob.device, { brought: false, complete: true });
  expect(beacons.restMs(bob.device)).toBe(250);
  for (let i = 0; i < 9; i++) beacons.roundEnds(bob.device, { brought: false, complete: true });
  expect(beacons.restMs(bob.device)).toBe(8_000);
  for (let i = 0; i < 9; i++) beacons.roundEnds(bob.device, { brought: false, complete: false });
  expect(beacons.restMs(bob.device)).toBe(64_000);
}, 30_000);

test('[SYN-4] of two that bring something each time, each has its turn, whatever they say to hold', async () => {
  const ada = await foundCore();
  const peers = [peerOf(await memberCore(ada), 'b'), peerOf(await memberCore(ada), 'm')];
  const roster = {
    links: new Map(),
    here: () => peers,
    members: () => peers,
    isEffective: () => true,
    reach: () => null,
  };
  const beacons = createBeacons(ada, { roster, after: () => () => undefined, isCold: false });
  const asked: string[] = [];
  for (let i = 0; i < 6; i++) {
    for (const [n, { device }] of peers.entries()) {
      const domains = [{ domainId: ada.state.control.id, root: ada.ports.random.bytes(32), count: 10 ** (n + 1) }];
      beacons.hear(device, { domains, serve: true, hidden: false });
    }
    const { address, device } = beacons.bestSource() ?? peerOf(ada, 'nobody');
    asked.push(address);
    beacons.roundBegins(device);
    beacons.roundEnds(device, { brought: true, complete: true });
  }
  expect(asked).toEqual(['m', 'b', 'm', 'b', 'm', 'b']);
}, 30_000);

/** Bob asks, Ada and Eve are there. */
async function threeDevices(): Promise<
  ReturnType<typeof askingOf> & { readonly [name in 'ada' | 'bob' | 'eve']: RoomCore }
> {
  const ada = await foundCore();
  const [bob, eve] = [await memberCore(ada), await memberCore(ada)];
  await copyAll(ada, bob);
  return { ...askingOf(bob, [ada, eve]), ada, bob, eve };
}

test('[SYN-4] what is told while a request runs and continues what is not here is asked for when that is over, if it still is', async () => {
  const { asking, asked, served, ada, bob, eve } = await threeDevices();
  const [fromAda, fromEve] = [ada.keys.deviceId, eve.keys.deviceId];
  asking.fetchBefore(fromAda, () => false); // nobody is asked for anything else: now
  expect(asked().map(({ prefer }) => prefer)).toEqual([fromAda]);
  asking.fetchBefore(fromEve, () => true);
  asking.fetchBefore(fromEve, () => true);
  expect(asked()).toHaveLength(1);
  served();
  expect(asked().map(({ prefer }) => prefer)).toEqual([fromAda, fromEve]);
  asking.fetchBefore(fromAda, () => false);
  served();
  expect(asked()).toHaveLength(2); // it has come with the rest
  asking.pull.stop();
  await bob.loop.idle();
});

test('[SYN-4] whoever tells of what cannot come keeps nobody else from being asked', async () => {
  const { asking, beacons, asked, served, ada, bob, eve } = await threeDevices();
  const [fromAda, fromEve] = [ada.keys.deviceId, eve.keys.deviceId];
  const hearOfMore = (root: number): void => {
    const domains = [{ domainId: ada.state.control.id, root: new Uint8Array(32).fill(root), count: 1000 }];
    beacons.hear(fromAda, { domains, serve: true, hidden: false });
  };
  asking.fetchBefore(fromEve, () => true);
  hearOfMore(1);
  const isAdas = ({ prefer }: SyncReq): boolean => prefer !== null && toHex(prefer) === ada.device;
  for (let i = 2; i < 12; i++) {
    asking.fetchBefore(fromEve, () => true); // while a request runs
    const isHers = asked().slice(-1).every(isAdas);
    if (isHers) bob.epochKeys.set(`brought ${String(i)}`, new Uint8Array(32));
    hearOfMore(i);
    served(isHers);
  }
  expect(asked().filter(isAdas).length).toBeGreaterThanOrEqual(5);
  asking.pull.stop();
  await bob.loop.idle();
});

test('[ELE-5] what a device told before it lost its effect has nobody asked', async () => {
  const { asking, beacons, asked, served, loseEffect, ada, bob, eve } = await threeDevices();
  asking.fetchFrom(ada.keys.deviceId);
  asking.fetchBefore(eve.keys.deviceId, () => true);
  loseEffect(eve.keys.deviceId); // by what ada has brought
  const domains = [{ domainId: ada.state.control.id, root: new Uint8Array(32).fill(1), count: 1000 }];
  bob.epochKeys.set('brought', new Uint8Array(32));
  beacons.hear(ada.keys.deviceId, { domains, serve: true, hidden: false });
  served();
  expect([asked().at(-1)?.prefer, asking.pull.isToStranger()]).toEqual([ada.keys.deviceId, false]);
  asking.pull.stop();
  await bob.loop.idle();
});
