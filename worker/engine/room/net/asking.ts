import type { Bytes } from '../../../../src/core/base/index.js';
import type { RoomCore } from '../core.js';
import { searchOlder, type Ingested } from '../ingest.js';
import type { Step } from '../step.js';
import type { Beacons } from './beacons.js';
import type { NetLink } from './link.js';
import { createPull, type Pull, type PullStart } from './pull.js';
import type { Roster } from './roster.js';
import { createStrangers } from './strangers.js';

/** Devices without effect are thought of no more often than this. */
const strangerLookMs = 250;
/** A key that is not here ends an election without a source at most so often: whoever names unknown keys stops no others. */
const keyAskEveryMs = 10_000;

/** What asking needs of the network side. */
export interface AskingHost {
  readonly roster: Roster;
  readonly beacons: Beacons;
  /** Elections only: nobody is preferred. */
  readonly isCold: boolean;
  readonly isStopped: () => boolean;
  readonly after: (ms: number, run: () => void) => () => void;
  /** What had waited here is in the set. */
  readonly admitted: (step: Step, ingested: Ingested) => void;
  /** Nothing is left to be fetched. */
  readonly synced: () => void;
  /** A request is over. */
  readonly ended: () => void;
  readonly changed: () => void;
}

/** When and whom this device asks for what it lacks: one request at a time, of the best source (sync.md §6.3). */
export interface Asking {
  readonly pull: Pull;
  readonly ask: (o: PullStart) => void;
  readonly fetchFrom: (device: Bytes) => void;
  /** It has told what continues something that is not here: asked for now, or when the request is over that runs, if it still is. */
  readonly fetchBefore: (device: Bytes, isOpen: () => boolean) => void;
  /** It has lost what was asked of it. */
  readonly askAgain: (device: Bytes) => void;
  /** Nobody of them has a beacon to go by: they are asked in turn, one alone, when there is nothing else to ask for. */
  readonly askStranger: () => void;
  readonly considerPull: () => void;
  /** A frame from there came under a key that is not here. */
  readonly missingKey: (netLink: NetLink, address: string) => void;
  /** Whether everything that some source had was fetched once. */
  readonly hasCaughtUp: () => boolean;
}

export function createAsking(core: RoomCore, host: AskingHost): Asking {
  const { roster, beacons, after } = host;
  const { time } = core.ports;
  const strangers = createStrangers(core, roster);
  let caughtUp = false;
  /** What was held here, and waited, when the round began that runs. */
  let heldBefore = '';
  /** Whoever told something last that had to wait for a request: what was asked for may end before it. */
  let missed: { readonly device: Bytes; readonly isOpen: () => boolean } | null = null;
  let keyAskedAtMs = -keyAskEveryMs;
  let stopAsking: (() => void) | null = null;
  let stopResting: (() => void) | null = null;

  const pull = createPull(core, {
    reach: roster.reach,
    links: () => [...roster.links.values()],
    servers: () => Math.max(1, roster.members().length),
    ended: ({ by, complete, untilMs, wasControlOnly, isWhole, goesOn }) => {
      if (by !== null && isWhole && !wasControlOnly) {
        caughtUp = true;
        beacons.fetched(by);
      }
      const isOver = by !== null && !wasControlOnly && !goesOn;
      if (isOver) beacons.roundEnds(by, { brought: holdings(core) !== heldBefore, complete });
      if (by !== null && wasControlOnly && roster.isEffective(by)) ask({ prefer: by, controlOnly: false });
      else if (by === null) after(Math.max(0, untilMs - time.now()), considerPull);
      else if (goesOn) pull.start(reqOf(by));
      else considerPull();
      if (by === null || isOver) core.loop.enqueue(askOlder);
      host.changed();
      host.ended();
    },
    roundBegins: beacons.roundBegins,
    changed: host.changed,
  });
  /** What waits may name an entry that is here, and older than what is in memory. */
  const askOlder = async (step: Step): Promise<void> => {
    const found = await searchOlder(core, step);
    if (found !== null) host.admitted(step, found);
  };
  const reqOf = (device: Bytes): PullStart => ({ prefer: host.isCold ? null : device, controlOnly: false });
  const ask = (o: PullStart): boolean => {
    const before = holdings(core);
    const isStarted = pull.start(o);
    if (isStarted) heldBefore = before;
    return isStarted;
  };
  const fetchFrom = (device: Bytes): boolean =>
    ask(roster.isEffective(device) ? reqOf(device) : { prefer: device, controlOnly: true, isStranger: true });
  /** Behind those whose beacons say that they have more: what somebody tells of itself keeps nobody from being asked. */
  const askMissed = (): boolean => {
    const last = missed;
    missed = null;
    if (last === null || !roster.isEffective(last.device) || roster.reach(last.device) === null) return false;
    return beacons.restMs(last.device) === 0 && last.isOpen() && fetchFrom(last.device);
  };
  const askStranger = (): void => {
    stopAsking?.();
    const peer = host.isStopped() || pull.isActive() ? null : strangers.due();
    if (peer !== null) {
      strangers.asked(peer);
      ask({ prefer: peer.device, controlOnly: true, isStranger: true });
    }
    const at = strangers.nextAtMs();
    stopAsking = at === null ? null : after(Math.max(strangerLookMs, at - time.now()), askStranger);
  };
  const considerPull = (): void => {
    stopResting?.();
    if (host.isStopped() || (pull.isActive() && !pull.isToStranger())) return;
    const source = beacons.bestSource();
    const restMs = source === null ? 0 : beacons.restMs(source.device);
    if (source !== null && restMs === 0) {
      fetchFrom(source.device);
      return;
    }
    if (source !== null) stopResting = after(restMs, considerPull);
    if (askMissed()) return;
    askStranger();
    if (roster.members().length > 0 && source === null) host.synced();
  };
  return {
    pull,
    ask,
    fetchFrom,
    fetchBefore: (device, isOpen) => {
      if (!fetchFrom(device)) missed = { device, isOpen };
    },
    askAgain: (device) => {
      const dropped = pull.drop(device);
      if (dropped !== null) ask({ ...dropped, prefer: host.isCold ? null : device });
    },
    askStranger,
    considerPull,
    missingKey: (netLink, address) => {
      const peer = netLink.sessions.peerAt(address);
      if (peer === null || !roster.isEffective(peer.device)) return;
      // The claims that an election waits for may come under that key: it gives way, but not again and again.
      if (pull.isActive() && pull.source() === null && time.now() - keyAskedAtMs >= keyAskEveryMs) {
        keyAskedAtMs = time.now();
        pull.handle({ is: 'cancel' });
      }
      ask({ prefer: peer.device, controlOnly: true });
    },
    hasCaughtUp: () => caughtUp || beacons.isAgreed(),
  };
}

/** Changes with everything that comes here, also what has to wait, and keys. */
function holdings(core: RoomCore): string {
  return [totalEntries(core), core.state.forks.size, core.held.length, core.epochKeys.size].join();
}

/** Entries of all domains. */
export function totalEntries(core: RoomCore): number {
  let total = core.state.control.entryCount;
  for (const domain of core.state.domains.values()) total += domain.entryCount;
  return total;
}
