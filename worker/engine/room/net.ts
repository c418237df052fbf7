import { equalBytes, toHex, type Bytes, type Fault } from '../../../src/core/base/index.js';
import type { NetworkState } from '../../../src/bridge/index.js';
import type { Peer, SessionAction } from '../../../src/core/session/index.js';
import { encodeLive, frameTypes, maxLiveBodyBytes } from '../../../src/core/wire/index.js';
import type { Link, LinkEvents } from '../../../src/ports/index.js';
import type { Unit } from '../replica/index.js';
import { bump, isContent, type RoomCore } from './core.js';
import type { NetworkInfo } from './info.js';
import { retryHeld } from './ingest.js';
import { createAcks } from './net/acks.js';
import { createAdmitter } from './net/admit-joiner.js';
import { createAsking, totalEntries } from './net/asking.js';
import { createBeacons } from './net/beacons.js';
import { createClaims } from './net/claims.js';
import { createClearance, type StartKind } from './net/clearance.js';
import { createDispatch } from './net/dispatch.js';
import { createGreetings } from './net/greetings.js';
import { createIntake, type Intake } from './net/intake.js';
import { createNetLink, type NetLink } from './net/link.js';
import { createProgress } from './net/progress.js';
import { createMinting } from './net/minting.js';
import { heedClocks } from './net/room-clock.js';
import { createRoster } from './net/roster.js';
import type { Step } from './step.js';
import { unitColumns } from './units.js';

/** Held entries and lost frames are looked at again this often; every event does it sooner. */
const sweepMs = 30_000;
/** Frames waiting to be looked at; beyond, new ones are dropped and counted: the next diff finds what is missing. */
const maxQueuedFrames = 4096;
/** A cold start asks this long after somebody has come. */
const coldAskMs = 250;
export interface NetHost {
  readonly infoChanged: () => void;
  /** The state no longer follows from what was applied: rebuild it from the disk. */
  readonly reload: () => Promise<void>;
  readonly sendAfter: (step: Step, units: readonly Unit[]) => void;
  readonly rejectedOwn: (fault: Fault, payload: Bytes) => void;
  /** This start may sign now, or may no longer. */
  readonly cleared: () => void;
}

/** The network side of a room: links, sessions, catching up and serving, acknowledgements, admission of joiners. */
export interface RoomNet {
  /** A network is up: from here its events come. */
  readonly attach: (key: string, link: Link) => LinkEvents;
  readonly detach: (key: string) => void;
  /** Own entries are stored: everybody here gets them. */
  readonly sendUnits: (units: readonly Unit[]) => void;
  readonly info: () => Omit<NetworkInfo, 'codes'>;
  readonly isCleared: () => boolean;
  /** The join is over, and that is stored. */
  readonly joined: () => void;
  /** Networks that are offered, and whether one of them says that it is stuck. */
  readonly setOffered: (o: { readonly count: number; readonly stalled: boolean }) => void;
  readonly links: () => readonly NetLink[];
  /** Whether everything that some source had was fetched once: in a busy room, or beside a liar, nobody is ever up to date for long. */
  readonly hasCaughtUp: () => boolean;
  /** Whether packs come or go at this moment. */
  readonly isTransferring: () => boolean;
  /** Looks whether there is anything to fetch now. */
  readonly look: () => void;
  /** A joiner listens here for answers, and for networks to ask on. */
  onJoinAnswer: ((netLink: NetLink, frame: Bytes, from: string) => Promise<void>) | null;
  onLinkUp: ((netLink: NetLink) => void) | null;
  /** It also hears of each pack that was taken, and when a request is over. */
  onFetch: (() => void) | null;
  readonly stop: () => void;
}

export interface NetOptions {
  /** Of a join nothing is signed before {@link RoomNet.joined}. */
  readonly start: StartKind;
  /** Elections only (bar S11): never prefer, never beacon. */
  readonly isCold: boolean;
}

/** Composes the network side; what each part does is in its own file. */
export function createNet(core: RoomCore, host: NetHost, options: NetOptions): RoomNet {
  const { time } = core.ports;
  const timers = new Set<() => void>();
  /** Networks on which a cold start has asked. */
  const asked = new WeakSet<NetLink>();
  const ticking = new Map<NetLink, () => void>();
  let offered = { count: 0, stalled: false };
  let lastSyncedAtMs: number | null = null;
  let stopped = false;

  const after = (ms: number, run: () => void): (() => void) => {
    const cancel = time.after(ms, () => {
      timers.delete(cancel);
      if (!stopped) core.loop.enqueue(run);
    });
    timers.add(cancel);
    return () => {
      timers.delete(cancel);
      cancel();
    };
  };
  const roster = createRoster(core);
  const { links } = roster;
  const clearance = createClearance(core, {
    start: options.start,
    changed: () => {
      host.cleared();
      host.infoChanged();
      considerMint();
    },
  });
  const devicesHere = (): Bytes[] => [core.keys.deviceId, ...roster.members().map((peer) => peer.device)];
  const acks = createAcks(core);
  const beacons = createBeacons(core, { roster, after, isCold: options.isCold });
  const progress = createProgress();
  const claims = createClaims(core, {
    isEffective: roster.isEffective,
    roster: (requester) => devicesHere().filter((device) => !equalBytes(device, requester)),
    bestCount: () => {
      const best = beacons.bestCount();
      return best === null ? null : Math.max(best, totalEntries(core));
    },
  });
  const admitter = createAdmitter(core, {
    isCleared: () => clearance.isCleared(),
    hereDevices: () => devicesHere(),
    sendAfter: host.sendAfter,
  });
  const asking = createAsking(core, {
    roster,
    beacons,
    isCold: options.isCold,
    isStopped: () => stopped,
    after,
    admitted: (step, ingested) => {
      intake.admitted(step, ingested, null);
    },
    synced: () => {
      lastSyncedAtMs = time.now();
      if (net.onFetch === null) progress.restart(); // a join is one catch-up, however many rounds it takes
      host.infoChanged();
    },
    ended: () => net.onFetch?.(),
    changed: host.infoChanged,
  });
  const { pull, ask, fetchFrom, fetchBefore, askAgain, askStranger, considerPull, missingKey } = asking;

  const session = (netLink: NetLink, actions: readonly SessionAction[]): void => {
    for (const action of actions) {
      if (action.do === 'send-hello')
        netLink.sendHello(action.to, action.echo, greetings.sumFor(netLink, action.device, action.echo));
      if (action.do === 'peer-here') onHere(netLink, action.peer);
      if (action.do === 'peer-gone') onGone(netLink, action.peer);
      if (action.do === 'peer-asks') onAsks(netLink, action.peer);
    }
    scheduleTick(netLink);
    if (heedClocks(core, roster)) core.loop.enqueue(tryHeld);
  };
  const scheduleTick = (netLink: NetLink): void => {
    const at = netLink.sessions.nextTickAt();
    ticking.get(netLink)?.();
    ticking.delete(netLink);
    if (at === null) return;
    const tick = (): void => {
      session(netLink, netLink.sessions.tick(time.now()));
    };
    ticking.set(netLink, after(Math.max(0, at - time.now()), tick));
  };
  const onHere = (netLink: NetLink, peer: Peer): void => {
    netLink.forget(peer.address);
    host.infoChanged();
    if (roster.isEffective(peer.device)) greet(netLink, peer);
    else askStranger();
  };
  const greetings = createGreetings(core, { roster, beacons, clearance, considerPull, isCold: options.isCold });
  const greet = (netLink: NetLink, peer: Peer): void => {
    if (!greetings.greet(netLink, peer)) return;
    clearance.peerHere();
    if (!options.isCold || asked.has(netLink)) return;
    asked.add(netLink);
    after(coldAskMs, () => {
      ask({ prefer: null, controlOnly: false });
    });
  };
  /** Its network told it that I had gone, say, when it was an earlier session of mine that had. */
  const onAsks = (netLink: NetLink, peer: Peer): void => {
    greetings.forget(peer);
    onHere(netLink, peer);
    askAgain(peer.device);
  };
  const onGone = (netLink: NetLink, peer: Peer): void => {
    greetings.forget(peer);
    netLink.forget(peer.address);
    claims.peerGone(peer.address);
    if (roster.reach(peer.device) === null) {
      beacons.forget(peer.device);
      pull.handle({ is: 'peer-gone', device: peer.device });
    }
    host.infoChanged();
  };
  /** Strangers may be members now, keys may be new. */
  const controlChanged = (step: Step): void => {
    step.effects.push(() => {
      for (const netLink of links.values()) {
        session(netLink, netLink.sessions.refresh(time.now()));
        for (const peer of netLink.sessions.peers()) if (roster.isEffective(peer.device)) greet(netLink, peer);
      }
      host.cleared();
      considerMint();
    });
  };

  const considerMint = createMinting(core, {
    isCleared: () => clearance.isCleared(),
    devicesHere,
    after,
    sendAfter: host.sendAfter,
    controlChanged,
  });
  const { reload, rejectedOwn, infoChanged } = host;
  const flow = { acks, beacons, clearance, pull, fetchFrom, fetchBefore, askAgain, considerPull };
  const took = (count: number, source: Bytes): void => {
    progress.took(count, { have: totalEntries(core), said: beacons.countOf(source) });
    net.onFetch?.();
    infoChanged();
  };
  const intake: Intake = createIntake(core, { ...flow, controlChanged, rejectedOwn, reload, took });
  const joinAnswer = (netLink: NetLink, frame: Bytes, from: string): Promise<void> | null =>
    net.onJoinAnswer?.(netLink, frame, from) ?? null;
  const suspect = (netLink: NetLink, address: string): void => {
    netLink.sessions.suspect(address, time.now());
    scheduleTick(netLink);
  };
  const dispatch = createDispatch(core, {
    ...flow,
    roster,
    intake,
    claims,
    admitter,
    greetings,
    session,
    suspect,
    missingKey,
    joinAnswer,
  });

  const tryHeld = async (step: Step): Promise<void> => {
    if (core.held.length > 0) intake.admitted(step, await retryHeld(core, step), null);
  };
  const sweep = (): void => {
    core.loop.enqueue(async (step) => {
      await tryHeld(step);
      if (roster.members().length > 0) beacons.send('all');
      else if (core.epochKeys.size > 0)
        for (const netLink of links.values()) session(netLink, netLink.sessions.start(time.now()));
      beacons.doubt();
      considerPull();
      considerMint();
    });
    after(sweepMs, sweep);
  };
  after(sweepMs, sweep);

  const networkState = (): NetworkState => {
    if (links.size === 0) return offered.count === 0 ? 'offline' : 'connecting';
    // Somebody may be on a network that is not up.
    if (roster.members().length === 0) return links.size < offered.count ? 'connecting' : 'alone';
    // Who is here and has not said what it holds yet may hold anything.
    const isUntold = beacons.bestCount() === null && !options.isCold;
    const isPulling = pull.isActive() && !pull.isToStranger();
    return isUntold || isPulling || beacons.bestSource() !== null ? 'syncing' : 'up-to-date';
  };

  /** Everybody at once under the send rule's key; control, which may bring that key, to each under the newest both know. */
  const audience = (unit: Unit): { netLink: NetLink; to: Peer | 'all' }[] =>
    [...links.values()].flatMap((netLink): { netLink: NetLink; to: Peer | 'all' }[] => {
      if (isContent(toHex(unit.domainId))) return [{ netLink, to: 'all' }];
      const peers = netLink.sessions.peers().filter((peer) => roster.isEffective(peer.device));
      return peers.map((to) => ({ netLink, to }));
    });

  const net: RoomNet = {
    attach: (key, link) => {
      net.detach(key);
      const down = (): void => {
        if (links.get(key) === netLink) net.detach(key);
      };
      const netLink = createNetLink(core, link, { down });
      links.set(key, netLink);
      core.loop.enqueue(() => {
        if (core.epochKeys.size > 0) session(netLink, netLink.sessions.start(time.now()));
        net.onLinkUp?.(netLink);
        host.infoChanged();
      });
      return {
        frame: (bytes, from) => {
          if (core.loop.queued() > maxQueuedFrames) bump(core, 'framesDropped');
          else
            core.loop.enqueue((step) =>
              links.get(key) === netLink ? dispatch(step, netLink, { bytes, from }) : undefined,
            );
        },
        peer: (address, change) => {
          core.loop.enqueue(() => {
            if (change === 'here') netLink.sessions.addressHere(address, time.now());
            else session(netLink, netLink.sessions.addressGone(address));
            scheduleTick(netLink);
          });
        },
        down,
      };
    },
    detach: (key) => {
      const netLink = links.get(key);
      if (netLink === undefined) return;
      links.delete(key);
      netLink.close();
      ticking.get(netLink)?.();
      core.loop.enqueue(() => {
        for (const peer of netLink.sessions.peers()) onGone(netLink, peer);
        host.infoChanged();
      });
    },
    sendUnits: (units) => {
      beacons.news();
      if (roster.members().length === 0) return;
      for (const unit of units) {
        const body = unitColumns(unit);
        if (body.length > maxLiveBodyBytes) continue; // too large for one frame: the beacon announces it (X7)
        const { domainId, fromSeq, endSig } = unit;
        const live = encodeLive({ domainId, fromSeq, count: unit.entries.length, endSig, body });
        for (const { netLink, to } of audience(unit))
          netLink.send({ type: frameTypes.live, body: live, to, lane: 'live' });
      }
    },
    info: () => ({
      network: networkState(),
      progress: progress.value(),
      stalled: offered.stalled,
      online: new Set(roster.members().map((peer) => toHex(peer.device))),
      lastSyncedAtMs,
      blocked: clearance.blocked(),
    }),
    isCleared: () => clearance.isCleared(),
    joined: clearance.joined,
    setOffered: (o) => {
      offered = o;
      host.infoChanged();
    },
    links: () => [...links.values()],
    hasCaughtUp: asking.hasCaughtUp,
    isTransferring: () => claims.isServing() || pull.source() !== null,
    look: () => {
      considerPull();
    },
    onJoinAnswer: null,
    onLinkUp: null,
    onFetch: null,
    stop: () => {
      stopped = true;
      for (const part of [pull, claims, admitter, acks, clearance]) part.stop();
      for (const cancel of timers) cancel();
      for (const netLink of links.values()) netLink.close();
      links.clear();
    },
  };
  return net;
}
