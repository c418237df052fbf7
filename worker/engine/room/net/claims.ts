import { equalBytes, toHex, type Bytes } from '../../../../src/core/base/index.js';
import { claimDelay, createClaimBook, isSuppressed, penaltiesMs } from '../../../../src/core/election/index.js';
import { coverageOf } from '../../../../src/core/reconcile/index.js';
import type { Peer } from '../../../../src/core/session/index.js';
import {
  encodeSyncClaim,
  frameTypes,
  type SyncClaim,
  type SyncGrant,
  type SyncReq,
} from '../../../../src/core/wire/index.js';
import { bump, type RoomCore } from '../core.js';
import type { NetLink } from './link.js';
import { lackingCount } from './lacking.js';
import { serve, type Serving } from './source.js';

/** Transfers served at one time (sync.md §4.3). */
const maxServing = 3;
/** Of these to devices without effect here: whoever comes along must not take them all. */
const maxServingStrangers = 2;
/** A requester that acknowledges nothing this long is served no further. */
const serveStallMs = 10_000;
/** A transfer that has lasted this long gives way when somebody has no place. */
const fairServeMs = 60_000;
/** A rough size of an entry in a pack, for the estimate in a claim. */
const bytesPerEntry = 64;
/** Requests whose grant may still come. */
const maxRemembered = 64;

export interface ClaimsHost {
  readonly isEffective: (device: Bytes) => boolean;
  /** Devices that are here and serve, the requester not included. */
  readonly roster: (requester: Bytes) => readonly Bytes[];
  /** Most entries anybody says to hold, by beacons; null: nobody said. */
  readonly bestCount: () => number | null;
}

/** The source's side of an election: who claims when, and the transfers that run. */
export interface Claims {
  readonly onRequest: (netLink: NetLink, peer: Peer, req: SyncReq) => void;
  readonly onClaim: (claim: SyncClaim, claimer: Bytes) => void;
  readonly onGrant: (netLink: NetLink, peer: Peer, grant: SyncGrant) => void;
  /** This peer has taken packs off the wire. */
  readonly onAck: (netLink: NetLink, peer: Peer, transfers: readonly number[]) => void;
  readonly peerGone: (address: string) => void;
  readonly isServing: () => boolean;
  readonly stop: () => void;
}

export function createClaims(core: RoomCore, host: ClaimsHost): Claims {
  const book = createClaimBook();
  const requests = new Map<string, { readonly req: SyncReq; readonly device: Bytes }>();
  const timers = new Set<() => void>();
  const serving = new Map<string, Serving & { readonly isStranger: boolean; readonly fairToMs: number }>();
  const waiters = new Map<string, (() => void)[]>();

  const start = (o: {
    netLink: NetLink;
    peer: Peer;
    req: SyncReq;
    transfer: number;
    floors: SyncGrant['floors'];
  }): void => {
    const { address } = o.peer;
    const isStranger = !host.isEffective(o.peer.device);
    giveUp(address);
    if (!isPlaceFor(isStranger, serving.values())) giveUp(overdue(isStranger));
    const windowMoved = (): Promise<boolean> =>
      new Promise((resolve) => {
        const stall = core.ports.time.after(serveStallMs, () => {
          resolve(false);
        });
        const moved = (): void => {
          stall();
          resolve(true);
        };
        waiters.set(address, [...(waiters.get(address) ?? []), moved]);
      });
    const fairToMs = core.ports.time.now() + fairServeMs;
    const running = { ...serve(core, { ...o, windowMoved }), isStranger, fairToMs };
    serving.set(address, running);
    void running.done
      .catch((error: unknown) => {
        bump(core, 'servesFailed');
        core.ports.report?.(error);
      })
      .finally(() => {
        if (serving.get(address) === running) serving.delete(address);
      });
  };
  const hasRoom = ({ address, device }: Peer): boolean => {
    const isStranger = !host.isEffective(device);
    return serving.has(address) || isPlaceFor(isStranger, serving.values()) || overdue(isStranger) !== null;
  };
  /** Whose transfer has had its time, and leaves its place to somebody else: the one that has had the most. */
  const overdue = (isStranger: boolean): string | null => {
    for (const [address, one] of serving) {
      const others = [...serving.values()].filter((other) => other !== one);
      if (one.fairToMs <= core.ports.time.now() && isPlaceFor(isStranger, others)) return address;
    }
    return null;
  };
  const giveUp = (address: string | null): void => {
    if (address === null) return;
    serving.get(address)?.cancel();
    serving.delete(address);
    wake(address);
  };
  const wake = (address: string): void => {
    const waiting = waiters.get(address) ?? [];
    waiters.delete(address);
    for (const resolve of waiting) resolve();
  };
  const claim = (netLink: NetLink, peer: Peer, o: { req: SyncReq; coverage: number; entries: number }): void => {
    const { req, coverage, entries } = o;
    const others = book.claims(req.reqId);
    if (isSuppressed({ claims: others, exclude: req.exclude, want: req.want, me: core.keys.deviceId, coverage })) {
      bump(core, 'claimsSuppressed');
      return;
    }
    bump(core, 'claimsSent');
    const body = encodeSyncClaim({
      reqId: req.reqId,
      requester: peer.device,
      coverage,
      entries,
      bytesEstimate: entries * bytesPerEntry,
      load: serving.size,
    });
    netLink.send({ type: frameTypes.syncClaim, body, to: 'all', lane: 'ctl' });
  };
  return {
    onRequest: (netLink, peer, req) => {
      const now = core.ports.time.now();
      if (!book.open(req.reqId, req.attempt, now)) return;
      remember(requests, req, peer.device);
      const isMe = req.prefer !== null && equalBytes(req.prefer, core.keys.deviceId);
      if (isMe) {
        if (hasRoom(peer)) start({ netLink, peer, req, transfer: req.transfer, floors: [] });
        return;
      }
      const entries = lackingCount(core, req);
      const theirs = req.domains.reduce((sum, domain) => sum + domain.count, 0);
      const best = host.bestCount();
      const coverage = coverageOf(entries, best === null ? null : Math.max(0, best - theirs));
      const failedBefore = req.exclude.some((device) => equalBytes(device, core.keys.deviceId));
      const penaltyMs = serving.size * penaltiesMs.perServe + (failedBefore ? penaltiesMs.failedBefore : 0);
      const prefer = req.prefer === null ? null : 'other';
      const random = (core.ports.random.bytes(1)[0] ?? 0) / 256;
      const delay = claimDelay({
        reqId: req.reqId,
        me: core.keys.deviceId,
        roster: host.roster(peer.device),
        coverage,
        penaltyMs,
        prefer,
        random,
      });
      if (delay === null || !hasRoom(peer)) return;
      const cancel = core.ports.time.after(delay, () => {
        timers.delete(cancel);
        core.loop.enqueue(() => {
          claim(netLink, peer, { req, coverage, entries });
        });
      });
      timers.add(cancel);
    },
    onClaim: (heard, claimer) => {
      book.hear(heard.reqId, { claimer, coverage: heard.coverage }, core.ports.time.now());
    },
    onGrant: (netLink, peer, grant) => {
      const known = requests.get(toHex(grant.reqId));
      if (
        !equalBytes(grant.claimer, core.keys.deviceId) ||
        known === undefined ||
        !equalBytes(known.device, peer.device) ||
        !hasRoom(peer)
      )
        return;
      start({ netLink, peer, req: known.req, transfer: grant.transfer, floors: grant.floors });
    },
    onAck: (netLink, { address }, transfers) => {
      const window = netLink.windowOf(address);
      // What acknowledges nothing that is under way keeps no place (ELE-6).
      if (transfers.filter((transfer) => window.received(transfer)).length > 0) wake(address);
    },
    peerGone: giveUp,
    isServing: () => serving.size > 0,
    stop: () => {
      for (const cancel of timers) cancel();
      for (const [address, running] of serving) {
        running.cancel();
        wake(address);
      }
    },
  };
}

/** Whether one more can be served beside these. */
function isPlaceFor(isStranger: boolean, running: Iterable<{ readonly isStranger: boolean }>): boolean {
  const all = [...running];
  const strangers = all.filter((one) => one.isStranger).length;
  return all.length < maxServing && (!isStranger || strangers < maxServingStrangers);
}

function remember(requests: Map<string, { req: SyncReq; device: Bytes }>, req: SyncReq, device: Bytes): void {
  requests.delete(toHex(req.reqId));
  requests.set(toHex(req.reqId), { req, device });
  const [oldest] = requests.keys();
  if (requests.size > maxRemembered && oldest !== undefined) requests.delete(oldest);
}
