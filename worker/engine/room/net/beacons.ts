import { equalBytes, toHex, type Bytes } from '../../../../src/core/base/index.js';
import type { Peer } from '../../../../src/core/session/index.js';
import {
  encodeBeacon,
  frameTypes,
  maxBeaconDomains,
  type Beacon,
  type SyncDone,
} from '../../../../src/core/wire/index.js';
import { controlKey, domainOf } from '../../replica/index.js';
import { myGrant, sendEpoch, type RoomCore } from '../core.js';
import type { NetLink } from './link.js';
import type { Roster } from './roster.js';
import { summariesOf, summaryOf } from './lacking.js';

/** Own news by BEACON at most this often (sync.md §6.1). */
const beaconIntervalMs = 5_000;
/** Roots remembered per device as fetched whole. */
const maxExhaustedRoots = 1024;
/** Between two doubts of the same pair of roots, at first and at most. */
const firstDoubtMs = 60_000;
const maxDoubtMs: number = 64 * 60_000;

/** Who brought nothing is asked again after this; doubled each time, */
const firstRestMs = 250;
/** up to this, */
const maxRestMs = 8_000;
/** and for who says that it cannot give everything now, up to this. */
const maxIncompleteRestMs = 64_000;

/** When what was fetched whole is doubted next. */
interface Doubt {
  readonly dueMs: number;
  readonly waitMs: number;
}

/** What peers say they hold, and what is said to them. */
export interface Beacons {
  readonly hear: (device: Bytes, beacon: Beacon) => void;
  readonly forget: (device: Bytes) => void;
  /**
   * A member that says something that is not here and was not fetched before, or null: who rests least, of those who was
   * asked longest ago, of those never asked who says the most. What anybody says may be invented.
   */
  readonly bestSource: () => Peer | null;
  /** How long it is not asked yet: what it was asked last brought nothing. */
  readonly restMs: (device: Bytes) => number;
  /** The round is over. `brought`: something that was not here; `complete`: as it says, all it has. */
  readonly roundEnds: (device: Bytes, o: { readonly brought: boolean; readonly complete: boolean }) => void;
  /** A round of requests to this device, or (null) to everybody, begins: what they have said so far is what they can answer. */
  readonly roundBegins: (device: Bytes | null) => void;
  /** Its first request was served: from a state of these roots. */
  readonly told: (device: Bytes, roots: SyncDone['roots']) => void;
  /** The round is over, and everything behind these roots was sent: what is missing still waits here or was refused for good. */
  readonly fetched: (device: Bytes) => void;
  /**
   * Time has passed: who still says something else than is here is asked again, ever more seldom while nothing changes. The
   * end of a forked chain (F6) brings an earlier root back, behind which there is more than there was.
   */
  readonly doubt: () => void;
  readonly send: (to: Peer | 'all', netLink?: NetLink) => void;
  /** Something changed here: everybody hears of it, soon. */
  readonly news: () => void;
  /** Whether some member says to hold exactly what is here: what another says to have beyond that may not exist. */
  readonly isAgreed: () => boolean;
  /** Entries that a device says to hold; null: it has not said. */
  readonly countOf: (device: Bytes) => number | null;
  /** Most entries anybody says to hold; null: nobody said. */
  readonly bestCount: () => number | null;
}

export interface BeaconsHost {
  readonly roster: Roster;
  readonly after: (ms: number, run: () => void) => () => void;
  /** Elections only (bar S11): nothing is said. */
  readonly isCold: boolean;
}

export function createBeacons(core: RoomCore, host: BeaconsHost): Beacons {
  const heard = new Map<string, Beacon>();
  const exhausted = new Map<string, Set<string>>();
  const doubted = new Map<string, ReadonlyMap<string, Doubt>>();
  /** Roots of each device's round. */
  const rounds = new Map<string, readonly string[]>();
  const turns = createTurns();
  let lastNewsMs = -beaconIntervalMs;
  let waiting = false;
  const asks = new Map<string, { readonly turn: number; readonly untilMs: number; readonly waitMs: number }>();
  const neverAsked = { turn: 0, untilMs: 0, waitMs: 0 };
  let turn = 0;
  const asksOf = ({ device }: Peer): typeof neverAsked => asks.get(toHex(device)) ?? neverAsked;
  const restOf = (device: Bytes): number =>
    Math.max(0, (asks.get(toHex(device))?.untilMs ?? 0) - core.ports.time.now());
  let known = { state: core.state, keys: core.epochKeys.size, heldLost: core.heldLost };

  /** What could not be used then may be now: a key has come, something that waited was dropped, or the disk was read anew. */
  const forgetFetched = (): void => {
    const { state, heldLost } = core;
    const keys = core.epochKeys.size;
    if (state === known.state && keys === known.keys && heldLost === known.heldLost) return;
    exhausted.clear();
    known = { state, keys, heldLost };
  };
  const isHere = ({ domainId, root }: Beacon['domains'][number]): boolean => {
    const domain = domainOf(core.state, toHex(domainId));
    return domain !== null && equalBytes(summaryOf(domain).root, root);
  };
  /** Everything behind these roots is here, or refused for good, or waits. */
  const noteFetched = (device: string, roots: readonly string[]): void => {
    forgetFetched();
    const before = exhausted.get(device) ?? [];
    exhausted.set(device, new Set([...before, ...roots].slice(-maxExhaustedRoots)));
  };
  const differs = (device: string): boolean => {
    forgetFetched();
    const done = exhausted.get(device);
    return heard.get(device)?.domains.some((said) => !isHere(said) && done?.has(toHex(said.root)) !== true) === true;
  };
  const canSpeak = (): boolean => !host.isCold && myGrant(core) !== null && sendEpoch(core) !== null;
  const saidOf = (device: Bytes): number | null => {
    const beacon = heard.get(toHex(device));
    return beacon === undefined ? null : countOf(beacon);
  };
  const send = (to: Peer | 'all', netLink?: NetLink): void => {
    if (!canSpeak()) return;
    // What a beacon says is held must be on the disk: others take an equal root for an acknowledgement.
    core.loop.afterCommit(() => {
      say(to, netLink);
    });
  };
  const say = (to: Peer | 'all', netLink?: NetLink): void => {
    const domains = turns.next(core, to === 'all');
    const body = encodeBeacon({ domains, serve: true, hidden: false });
    for (const one of netLink ? [netLink] : host.roster.links.values())
      one.send({ type: frameTypes.beacon, body, to, lane: 'ctl' });
  };
  return {
    hear: (device, beacon) => {
      heard.set(toHex(device), beacon);
      // Who says the same as is held here has nothing else, also once more has been written here.
      const same = beacon.domains.filter(isHere).map(({ root }) => toHex(root));
      if (same.length > 0 && host.roster.isEffective(device)) noteFetched(toHex(device), same);
    },
    forget: (device) => {
      heard.delete(toHex(device));
      rounds.delete(toHex(device));
      doubted.delete(toHex(device));
      asks.delete(toHex(device));
    },
    bestSource: () => {
      const sources = host.roster.members().filter((peer) => differs(toHex(peer.device)));
      const sizeOf = (peer: Peer): number => saidOf(peer.device) ?? 0;
      const order = (a: Peer, b: Peer): number =>
        restOf(a.device) - restOf(b.device) || asksOf(a).turn - asksOf(b).turn || sizeOf(b) - sizeOf(a);
      return [...sources].sort(order)[0] ?? null;
    },
    restMs: restOf,
    roundEnds: (device, { brought, complete }) => {
      const { turn: asked, waitMs: before } = asks.get(toHex(device)) ?? neverAsked;
      const isDone = brought && complete;
      const longest = complete ? maxRestMs : maxIncompleteRestMs;
      const waitMs = isDone ? 0 : Math.min(longest, brought ? firstRestMs : Math.max(firstRestMs, 2 * before));
      asks.set(toHex(device), { turn: asked, waitMs, untilMs: core.ports.time.now() + waitMs });
    },
    roundBegins: (device) => {
      if (device !== null) asks.set(toHex(device), { ...(asks.get(toHex(device)) ?? neverAsked), turn: ++turn });
      for (const [key, { domains }] of heard)
        if (device === null || key === toHex(device))
          rounds.set(
            key,
            domains.map(({ root }) => toHex(root)),
          );
    },
    told: (device, roots) => {
      const key = toHex(device);
      rounds.set(key, [...roots.map(({ root }) => toHex(root)), ...(rounds.get(key) ?? [])]);
    },
    fetched: (device) => {
      noteFetched(toHex(device), rounds.get(toHex(device)) ?? []);
      rounds.delete(toHex(device));
    },
    doubt: () => {
      const now = core.ports.time.now();
      for (const [device, { domains }] of heard)
        for (const said of domains.filter((candidate) => !isHere(candidate))) {
          const mine = domainOf(core.state, toHex(said.domainId));
          const pair = `${toHex(said.root)} ${mine === null ? '' : toHex(summaryOf(mine).root)}`;
          const doubts = new Map(doubted.get(device));
          const { dueMs, waitMs } = doubts.get(pair) ?? { dueMs: now, waitMs: firstDoubtMs };
          if (dueMs > now) continue;
          exhausted.get(device)?.delete(toHex(said.root));
          doubts.set(pair, { dueMs: now + waitMs, waitMs: Math.min(2 * waitMs, maxDoubtMs) });
          doubted.set(device, new Map([...doubts].slice(-maxExhaustedRoots)));
        }
    },
    send,
    news: () => {
      if (waiting) return;
      waiting = true;
      host.after(Math.max(0, lastNewsMs + beaconIntervalMs - core.ports.time.now()), () => {
        waiting = false;
        if (!canSpeak()) return; // not said: what comes next is told at once
        lastNewsMs = core.ports.time.now();
        if (host.roster.members().length > 0) send('all');
      });
    },
    isAgreed: () =>
      host.roster.members().some(({ device }) => {
        const said = heard.get(toHex(device))?.domains ?? [];
        return said.length > 0 && said.every(isHere);
      }),
    countOf: saidOf,
    bestCount: () => {
      const counts = [...heard.values()].map(countOf);
      return counts.length === 0 ? null : Math.max(...counts);
    },
  };
}

/**
 * Whose turn it is where a beacon has no place for all domains: control, what has changed since everybody heard of it, then
 * what they heard of longest ago.
 */
function createTurns(): { readonly next: (core: RoomCore, isToAll: boolean) => Beacon['domains'] } {
  const told = new Map<string, { readonly root: string; readonly turn: number }>();
  let turn = 0;
  return {
    next: (core, isToAll) => {
      const place = ({ domainId, root }: Beacon['domains'][number]): number => {
        const key = toHex(domainId);
        const before = told.get(key);
        if (key === controlKey) return -Infinity;
        return before === undefined || before.root !== toHex(root) ? (before?.turn ?? 0) - turn - 1 : before.turn;
      };
      const some = summariesOf(core)
        .sort((a, b) => place(a) - place(b))
        .slice(0, maxBeaconDomains);
      if (isToAll) for (const { domainId, root } of some) told.set(toHex(domainId), { root: toHex(root), turn });
      if (isToAll) turn++;
      return some;
    },
  };
}

function countOf({ domains }: Beacon): number {
  return domains.reduce((sum, { count }) => sum + count, 0);
}
