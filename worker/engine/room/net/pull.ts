import { equalBytes, toHex, type Bytes } from '../../../../src/core/base/index.js';
import {
  initialRequester,
  requestStep,
  type RequestAction,
  type Requester,
  type RequestEvent,
} from '../../../../src/core/election/index.js';
import { maxPacksPerGrant } from '../../../../src/core/flow/index.js';
import { firstRound, isInWindow, nextRound, toClockEntries, type Round } from '../../../../src/core/reconcile/index.js';
import {
  encodeSyncGrant,
  encodeSyncReq,
  fitSyncReq,
  frameTypes,
  heldHeadBytes,
  maxGrantFloors,
  maxHeld,
  maxRequestDomains,
  type HeldRange,
  type SyncReq,
} from '../../../../src/core/wire/index.js';
import { chainKey, controlKey, countOf, domainOf, domainsInOrder, idAt } from '../../replica/index.js';
import { bump, type RoomCore } from '../core.js';
import type { NetLink } from './link.js';
import type { Reach } from './roster.js';
import { clockOf, summaryOf } from './lacking.js';

export interface PullHost {
  readonly reach: (device: Bytes) => Reach | null;
  /** Networks that are up. */
  readonly links: () => readonly NetLink[];
  /** Devices that may serve, besides me. */
  readonly servers: () => number;
  /** The request is over; `by` null: nobody served, try again after `untilMs` or on news. */
  readonly ended: (o: {
    readonly by: Bytes | null;
    readonly complete: boolean;
    readonly untilMs: number;
    readonly wasControlOnly: boolean;
    /** Everything that `by` has was asked for, over as many requests as that took. */
    readonly isWhole: boolean;
    /** There is more to ask for in this round. */
    readonly goesOn: boolean;
  }) => void;
  /** The first request of a round goes out, to one device or (null) to everybody. */
  readonly roundBegins: (device: Bytes | null) => void;
  readonly changed: () => void;
}

/** The requester's side of catching up: one request and one source at a time (sync.md §6.3). */
export interface Pull {
  /** Asks, unless a request runs; one to a stranger gives way. `prefer` is granted with the request itself, to it alone. */
  readonly start: (o: PullStart) => boolean;
  readonly handle: (event: RequestEvent) => void;
  readonly isActive: () => boolean;
  /** Whether the request that runs is to a device without effect here (ELE-5). */
  readonly isToStranger: () => boolean;
  /** The source of the present transfer, by which fragments are accepted (X7). */
  readonly source: () => {
    readonly device: Bytes;
    readonly transfer: number;
    /** The first request for everything, of a round of as many as it takes. */
    readonly isFirst: boolean;
  } | null;
  readonly reqId: () => Bytes;
  /**
   * This device has lost what was asked of it, or answers too late: ends the request if it was the last to be granted and
   * nobody else serves. Gives what was asked; null: nothing has changed.
   */
  readonly drop: (device: Bytes) => PullStart | null;
  readonly stop: () => void;
}

export interface PullStart {
  readonly prefer: Bytes | null;
  readonly controlOnly: boolean;
  /** `prefer` has no effect here: it is asked alone (ELE-5). */
  readonly isStranger?: boolean;
}

export function createPull(core: RoomCore, host: PullHost): Pull {
  const base = core.ports.random.bytes(2);
  let state: Requester = initialRequester((base[0] ?? 0) * 2 ** 24 + (base[1] ?? 0) * maxPacksPerGrant);
  let asked: PullStart = { prefer: null, controlOnly: false };
  /** Whom the present request was given to last. */
  let granted: Bytes | null = null;
  const rounds = createRounds();
  let startClock: SyncReq | null = null;
  let cancelTimer: (() => void) | null = null;
  const answers = createAnswerTimes();

  const handle = (event: RequestEvent): void => {
    if (event.is === 'progress') answers.came(event.transfer, core.ports.time.now());
    const wasActive = state.phase.is !== 'idle';
    const moment = { now: core.ports.time.now(), random: (core.ports.random.bytes(1)[0] ?? 0) / 256 };
    const step = requestStep(state, event, moment);
    state = step.state;
    for (const action of step.actions) perform(action);
    if (wasActive !== (state.phase.is !== 'idle')) host.changed();
  };
  const perform = (action: RequestAction): void => {
    switch (action.do) {
      case 'send-req':
        return sendReq(action);
      case 'send-grant':
        return sendGrant(action);
      case 'end-transfer': {
        if (answers.ended(action.transfer)) bump(core, 'grantsUnanswered');
        const reach = host.reach(action.source);
        return reach?.netLink.reassemblyOf(reach.peer.address).end(action.transfer);
      }
      case 'arm-timer':
        cancelTimer?.();
        cancelTimer = core.ports.time.after(Math.max(0, action.atMs - core.ports.time.now()), () => {
          core.loop.enqueue(() => {
            handle({ is: 'timer' });
          });
        });
        return;
      case 'stop-timer':
        cancelTimer?.();
        cancelTimer = null;
        return;
      case 'finished':
        return ended({ by: action.by, complete: action.complete, untilMs: 0 });
      case 'gave-up':
        return ended({ by: null, complete: false, untilMs: action.untilMs });
    }
  };
  const isFirst = (): boolean => !asked.controlOnly && rounds.of(asked).by === null;
  const ended = (o: { readonly by: Bytes | null; readonly complete: boolean; readonly untilMs: number }): void => {
    const page = { req: startClock, isLast: isLastPage(core, asked, startClock) };
    const nothing = { isWhole: false, goesOn: false };
    const { isWhole, goesOn } = o.by !== null && o.complete ? rounds.served(asked, page, o.by) : nothing;
    host.ended({ ...o, wasControlOnly: asked.controlOnly, isWhole, goesOn });
  };
  const sendReq = (action: Extract<RequestAction, { do: 'send-req' }>): void => {
    const { reqId, attempt, want, prefer, exclude, transfer } = action;
    if (isFirst() && attempt === 0) host.roundBegins(prefer);
    const req = fitSyncReq({
      reqId,
      attempt,
      want,
      prefer,
      exclude,
      transfer,
      controlOnly: asked.controlOnly,
      domains: requestDomains(core, asked.controlOnly, rounds.of(asked)),
      held: heldRanges(core),
    });
    startClock = req;
    bump(core, 'requestsSent');
    const reach = prefer && host.reach(prefer);
    if (prefer !== null && reach) {
      expect(reach, transfer);
      reach.netLink.send({ type: frameTypes.syncReq, body: encodeSyncReq(req), to: reach.peer, lane: 'ctl' });
    } else
      for (const netLink of host.links())
        netLink.send({ type: frameTypes.syncReq, body: encodeSyncReq(req), to: 'all', lane: 'ctl' });
  };
  const sendGrant = (action: Extract<RequestAction, { do: 'send-grant' }>): void => {
    const reach = host.reach(action.claimer);
    if (reach === null) return;
    expect(reach, action.transfer);
    bump(core, 'grantsSent');
    const body = encodeSyncGrant({
      reqId: action.reqId,
      claimer: action.claimer,
      transfer: action.transfer,
      ranges: null,
      floors: floors(core, startClock),
    });
    reach.netLink.send({ type: frameTypes.syncGrant, body, to: reach.peer, lane: 'ctl' });
  };
  const expect = ({ netLink, peer }: Reach, transfer: number): void => {
    granted = peer.device;
    answers.asked(transfer, core.ports.time.now());
    netLink.reassemblyOf(peer.address).grant(transfer);
  };
  return {
    start: (o) => {
      const givesWay = asked.isStranger === true && o.isStranger !== true;
      if (state.phase.is !== 'idle' && givesWay) handle({ is: 'cancel' });
      if (state.phase.is !== 'idle') return false;
      asked = o;
      granted = null;
      handle({
        is: 'start',
        reqId: core.ports.random.bytes(16),
        prefer: o.prefer,
        peers: host.servers(),
        rttMs: answers.typicalMs(),
        alone: o.isStranger === true,
      });
      return true;
    },
    handle,
    isActive: () => state.phase.is !== 'idle',
    isToStranger: () => state.phase.is !== 'idle' && asked.isStranger === true,
    source: () =>
      state.phase.is === 'served'
        ? { device: state.phase.by, transfer: state.phase.transfer, isFirst: isFirst() }
        : null,
    reqId: () => state.reqId,
    drop: (device) => {
      const last = state.phase.is === 'served' ? state.phase.by : granted;
      const isIts = state.phase.is !== 'idle' && asked.isStranger !== true && last !== null && equalBytes(last, device);
      if (!isIts) return null;
      handle({ is: 'cancel' });
      return asked;
    },
    stop: () => cancelTimer?.(),
  };
}

/** Rounds that are remembered, the newest last. */
const maxRounds = 16;

/** How far each source was asked through clocks and domains that do not fit one request; what was asked of everybody is one more. */
function createRounds(): {
  readonly of: (asked: PullStart) => Round;
  /** The request was served whole; gives whether its round is at its end, and was served by this one alone. */
  readonly served: (
    asked: PullStart,
    o: { readonly req: SyncReq | null; readonly isLast: boolean },
    by: Bytes,
  ) => { readonly isWhole: boolean; readonly goesOn: boolean };
} {
  const rounds = new Map<string, Round>();
  const keyOf = ({ prefer, controlOnly }: PullStart): string =>
    `${controlOnly ? 'control' : 'all'} ${prefer === null ? '' : toHex(prefer)}`;
  const of = (asked: PullStart): Round => rounds.get(keyOf(asked)) ?? firstRound;
  return {
    of,
    served: (asked, { req, isLast }, by) => {
      const windows = (req?.domains ?? []).map(({ domainId, window }) => ({ domain: toHex(domainId), window }));
      const next = nextRound(of(asked), { windows, isLast }, toHex(by));
      rounds.delete(keyOf(asked));
      if (next.round.by !== null) rounds.set(keyOf(asked), next.round);
      for (const oldest of rounds.keys()) {
        if (rounds.size <= maxRounds) break;
        rounds.delete(oldest);
      }
      return { isWhole: next.isWhole, goesOn: next.round.by !== null };
    },
  };
}

/** The longest answer that is still waited for: a busy machine is slow, a silent source is not served by patience. */
const maxAnswerMs = 2_000;

/** How long sources take from a grant to the first bytes, so that a slow network or machine is not taken for a dead source. */
function createAnswerTimes(): {
  readonly asked: (transfer: number, now: number) => void;
  readonly came: (transfer: number, now: number) => void;
  /** Gives whether nothing had come of it. */
  readonly ended: (transfer: number) => boolean;
  /** Null before the first grant. */
  readonly typicalMs: () => number | null;
} {
  let open: { readonly transfer: number; readonly at: number } | null = null;
  let typical: number | null = null;
  return {
    asked: (transfer, now) => {
      open = { transfer, at: now };
    },
    came: (transfer, now) => {
      if (open?.transfer !== transfer) return;
      typical = Math.min(maxAnswerMs, Math.max(now - open.at, (typical ?? 0) * 0.9));
      open = null;
    },
    ended: (transfer) => {
      if (open?.transfer !== transfer) return false;
      typical = Math.min(maxAnswerMs, 2 * Math.max(200, typical ?? 0)); // it said nothing in time: wait longer for the next
      open = null;
      return true;
    },
    typicalMs: () => typical,
  };
}

/** Whether no domain comes behind those of a request. */
function isLastPage(core: RoomCore, { controlOnly }: PullStart, req: SyncReq | null): boolean {
  const last = req?.domains.at(-1);
  return controlOnly || (last !== undefined && toHex(last.domainId) === domainsInOrder(core.state).at(-1));
}

/**
 * As many domains as a request names, from where the round has got to; those of which nothing is asked too, so that the
 * source can tell them from unknown ones. Control is always among them: it decides whether unknown ones are to be sent.
 */
function requestDomains(core: RoomCore, controlOnly: boolean, round: Round): SyncReq['domains'] {
  const others = controlOnly ? [] : domainsInOrder(core.state).slice(1);
  const from = round.behind === null ? 0 : others.indexOf(round.behind) + 1;
  return [controlKey, ...others.slice(from, from + maxRequestDomains - 1)].flatMap((key) => {
    const domain = domainOf(core.state, key);
    if (domain === null) return [];
    const window = { after: round.after.get(key) ?? null, upTo: null };
    return [{ ...summaryOf(domain), entries: toClockEntries(clockOf(domain)), window }];
  });
}

/**
 * What waits here right after what is admitted: not to be sent again (F17). Not what waits behind a gap, or for a better
 * copy. Unit by unit, the furthest first: a source may hold no more than some of them, or other branches.
 */
function heldRanges(core: RoomCore): HeldRange[] {
  const reached = new Map<string, number>();
  const ranges: HeldRange[] = [];
  const bySeq = [...core.held].sort((a, b) => a.unit.fromSeq - b.unit.fromSeq);
  for (const { unit, code } of bySeq) {
    const { domainId, author, fromSeq } = unit;
    const last = unit.entries.at(-1);
    if (code === 'entry/missing-key' || last === undefined) continue;
    const key = chainKey(toHex(domainId), toHex(author));
    const chain = domainOf(core.state, toHex(domainId))?.chainsByAuthor.get(toHex(author));
    const before = idAt(chain, fromSeq - 1);
    if (before !== undefined && !equalBytes(before, unit.prevId)) continue; // of another branch
    const next = reached.get(key) ?? countOf(chain);
    if (fromSeq > next || last.seq < countOf(chain)) continue;
    reached.set(key, Math.max(next, last.seq + 1));
    ranges.unshift({ domainId, author, seq: last.seq, head: last.id.slice(0, heldHeadBytes) });
  }
  return ranges.slice(0, maxHeld);
}

/** What has come since the request went out: the next source starts above it. */
function floors(core: RoomCore, before: SyncReq | null): { domainId: Bytes; author: Bytes; from: number }[] {
  const found: { domainId: Bytes; author: Bytes; from: number }[] = [];
  for (const key of domainsInOrder(core.state)) {
    const domain = domainOf(core.state, key);
    const asked = before?.domains.find((candidate) => toHex(candidate.domainId) === key);
    for (const chain of domain?.chainsByAuthor.values() ?? []) {
      if (asked !== undefined && !isInWindow(chain.authorId, asked.window)) continue;
      const count =
        asked?.entries.find((entry) => equalBytes(entry.author, chain.authorId.subarray(0, 16)))?.count ?? 0;
      if (countOf(chain) > count && domain && found.length < maxGrantFloors)
        found.push({ domainId: domain.id, author: chain.authorId, from: countOf(chain) });
    }
  }
  return found;
}
