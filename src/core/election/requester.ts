import type { Bytes } from '../base/index.js';
import { assertNever, equalBytes } from '../base/index.js';
import { jittered, maxPacksPerGrant } from '../flow/index.js';
import { fullCoverage } from '../reconcile/index.js';
import { maxExcluded } from '../wire/index.js';
import type { ExclusionKind } from './exclusion.js';
import { activeExclusions, exclude, exclusionOf, forgive } from './exclusion.js';
import type { Moment, OpenClaim, RequestAction, Requester, RequestEvent, RequestStep } from './request.js';
import {
  claimValidMs,
  claimWaitMs,
  collectMs,
  firstBackoffMs,
  giveUpBackoffMs,
  grantTimeoutMs,
  maxBackoffMs,
  progressTimeoutMs,
} from './timing.js';

const maxClaims = 64;

/** Asks nothing yet. `firstTransfer` is a random u32 whose low 16 bits are zero: late fragments of an earlier start do not match. */
export function initialRequester(firstTransfer: number): Requester {
  return {
    phase: { is: 'idle' },
    reqId: new Uint8Array(16),
    attempt: 0,
    failures: 0,
    claims: [],
    exclusions: new Map(),
    nextTransfer: firstTransfer,
    peers: 0,
    rttMs: null,
    alone: false,
  };
}

/** One step of the requester's side of an election (sync.md §6.3). What does not fit the phase changes nothing. */
export function requestStep(state: Requester, event: RequestEvent, at: Moment): RequestStep {
  switch (event.is) {
    case 'start':
      return state.phase.is === 'idle' ? start(state, event, at) : still(state);
    case 'claim':
      return takeClaim(state, event, at);
    case 'progress':
      return isServedUnder(state, event.transfer) ? still(withProgress(state, at)) : still(state);
    case 'done':
      return isServedUnder(state, event.transfer) ? done(state, event, at) : still(state);
    case 'bad':
      return isServedUnder(state, event.transfer) ? badCopy(state, event, at) : still(state);
    case 'timer':
      return onTimer(state, at);
    case 'peer-gone':
      return peerGone(state, event.device, at);
    case 'cancel':
      return finish(state, []);
    default:
      return assertNever(event);
  }
}

function still(state: Requester): RequestStep {
  return { state, actions: [] };
}

function start(before: Requester, event: RequestEvent & { readonly is: 'start' }, at: Moment): RequestStep {
  const { reqId, peers, rttMs, prefer, alone = false } = event;
  const state = { ...before, reqId, peers, rttMs, alone, attempt: 0, claims: [] };
  if (prefer !== null && isTrusted(state, prefer, at)) return serve(state, prefer, { at, asPreferred: true });
  return alone ? { state, actions: [gaveUp(at)] } : ask(state, at);
}

/** A request to one alone has led to nothing: no pause that others would have to wait for. */
function gaveUp({ now, random }: Moment): RequestAction {
  return { do: 'gave-up', untilMs: now + jittered(firstBackoffMs, random) };
}

function ask(state: Requester, { now }: Moment): RequestStep {
  const untilMs = now + claimWaitMs;
  return {
    state: { ...state, phase: { is: 'asking', untilMs } },
    actions: [request(state, null, now), timer(untilMs)],
  };
}

/** Where there is nobody else, a slow source is as good as any: a frame may have been lost. */
function isTrusted(state: Requester, device: Bytes, { now }: Moment): boolean {
  const kind = exclusionOf(state.exclusions, device, now);
  return kind === null || (kind === 'slow' && state.peers <= 1);
}

/** Two claims are wanted where the first source has failed, so that the next grant needs no new request. */
function request(state: Requester, prefer: Bytes | null, now: number): RequestAction {
  const { reqId, attempt, nextTransfer: transfer } = state;
  const excluded = state.peers <= 1 ? [] : activeExclusions(state.exclusions, maxExcluded, now);
  const want = attempt > 0 || excluded.length > 0 ? 2 : 1;
  return { do: 'send-req', reqId, attempt, want, prefer, exclude: excluded, transfer };
}

/** Hands out the next transfer: by the request itself to a preferred device, else by a grant. */
function serve(
  state: Requester,
  by: Bytes,
  { at, asPreferred }: { readonly at: Moment; readonly asPreferred: boolean },
): RequestStep {
  const { reqId, nextTransfer: transfer } = state;
  const untilMs = at.now + grantTimeoutMs(state.rttMs);
  const grant: RequestAction = { do: 'send-grant', reqId, claimer: by, transfer };
  return {
    state: {
      ...state,
      phase: { is: 'served', by, transfer, untilMs },
      claims: state.claims.filter((claim) => !equalBytes(claim.claimer, by)),
      nextTransfer: (transfer + maxPacksPerGrant) % 2 ** 32,
    },
    actions: [asPreferred ? request(state, by, at.now) : grant, timer(untilMs)],
  };
}

function takeClaim(before: Requester, event: RequestEvent & { readonly is: 'claim' }, at: Moment): RequestStep {
  const { claimer, coverage, load } = event;
  const kind = exclusionOf(before.exclusions, claimer, at.now);
  if (before.phase.is === 'idle' || coverage <= 0 || kind === 'bad') return still(before);
  const others = before.claims.filter((claim) => !equalBytes(claim.claimer, claimer));
  const claim = { claimer, coverage, load, untilMs: at.now + claimValidMs };
  const state = { ...before, claims: [...others, claim].slice(-maxClaims) };
  // A claim after the grant is kept for the case that the source fails; a slow device's until nobody else came.
  const isLastResort = !isTrusted(state, claimer, at) && before.phase.is !== 'pausing';
  if (before.phase.is === 'served' || isLastResort) return still(state);
  if (coverage >= fullCoverage || state.peers <= 1) return serve(state, claimer, { at, asPreferred: false });
  if (before.phase.is === 'collecting') return still(state);
  const untilMs = at.now + collectMs;
  return { state: { ...state, phase: { is: 'collecting', untilMs } }, actions: [timer(untilMs)] };
}

/** The timer stays as it is: when it fires early, it is set to the new time. */
function withProgress(state: Requester, { now }: Moment): Requester {
  if (state.phase.is !== 'served') return state;
  return { ...state, failures: 0, phase: { ...state.phase, untilMs: now + progressTimeoutMs } };
}

function done(state: Requester, event: RequestEvent & { readonly is: 'done' }, at: Moment): RequestStep {
  if (!event.useful || state.phase.is !== 'served') return sourceFailed(state, 'slow', at);
  const { by } = state.phase;
  const forgiven = { ...state, failures: 0, exclusions: forgive(state.exclusions, by) };
  return finish(forgiven, [{ do: 'finished', by, complete: event.complete }]);
}

function onTimer(state: Requester, at: Moment): RequestStep {
  const { phase } = state;
  if (phase.is === 'idle') return still(state);
  if (at.now < phase.untilMs) return { state, actions: [timer(phase.untilMs)] };
  if (phase.is === 'served') return sourceFailed(state, 'slow', at);
  if (phase.is === 'pausing') return ask({ ...state, attempt: state.attempt + 1 }, at);
  return grantNext(state, at);
}

function peerGone(state: Requester, device: Bytes, at: Moment): RequestStep {
  const claims = state.claims.filter((claim) => !equalBytes(claim.claimer, device));
  const left = { ...state, claims, peers: Math.max(0, state.peers - 1) };
  // Leaving is nobody's fault: nothing is held against it.
  if (state.phase.is === 'served' && equalBytes(state.phase.by, device)) return sourceFailed(left, null, at);
  return still(left);
}

/** Whoever signed for the copy sealed it (F2); who brought it has shown that it does not look, and is the last resort. */
function badCopy(state: Requester, { sealer }: RequestEvent & { readonly is: 'bad' }, at: Moment): RequestStep {
  if (sealer === undefined) return sourceFailed(state, 'bad', at);
  const exclusions = exclude(state.exclusions, { device: sealer, kind: 'bad' }, at.now);
  return sourceFailed({ ...state, exclusions }, 'slow', at);
}

function sourceFailed(state: Requester, kind: ExclusionKind | null, at: Moment): RequestStep {
  if (state.phase.is !== 'served') return still(state);
  const { by, transfer } = state.phase;
  const isCounted = kind === 'bad' || (kind === 'slow' && !state.alone);
  const exclusions = isCounted ? exclude(state.exclusions, { device: by, kind }, at.now) : state.exclusions;
  if (state.alone) return finish({ ...state, exclusions }, [gaveUp(at)]);
  const next = grantNext({ ...state, exclusions }, at);
  return { state: next.state, actions: [{ do: 'end-transfer', source: by, transfer }, ...next.actions] };
}

/** The best claim that is still valid, or a pause before the next attempt. */
function grantNext(state: Requester, at: Moment): RequestStep {
  const valid = state.claims.filter((claim) => claim.untilMs > at.now);
  const usable = valid.filter((claim) => exclusionOf(state.exclusions, claim.claimer, at.now) !== 'bad');
  const trusted = usable.filter((claim) => isTrusted(state, claim.claimer, at));
  const best = bestOf(trusted) ?? bestOf(usable);
  const next = { ...state, claims: usable };
  return best === null ? pause(next, at) : serve(next, best.claimer, { at, asPreferred: false });
}

function bestOf(claims: readonly OpenClaim[]): OpenClaim | null {
  const worth = ({ coverage, load }: OpenClaim): number => coverage / (1 + load);
  let best: OpenClaim | null = null;
  for (const claim of claims) if (best === null || worth(claim) > worth(best)) best = claim;
  return best;
}

function pause(state: Requester, { now, random }: Moment): RequestStep {
  const lengthMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** state.failures);
  const untilMs = now + jittered(lengthMs, random);
  const failed = { ...state, failures: state.failures + 1 };
  if (lengthMs >= giveUpBackoffMs) return finish(failed, [{ do: 'gave-up', untilMs }]);
  return { state: { ...failed, phase: { is: 'pausing', untilMs } }, actions: [timer(untilMs)] };
}

function finish(state: Requester, last: readonly RequestAction[]): RequestStep {
  const { phase } = state;
  if (phase.is === 'idle') return still(state);
  const ended: RequestAction[] =
    phase.is === 'served' ? [{ do: 'end-transfer', source: phase.by, transfer: phase.transfer }] : [];
  return {
    state: { ...state, phase: { is: 'idle' }, claims: [] },
    actions: [...ended, { do: 'stop-timer' }, ...last],
  };
}

function timer(atMs: number): RequestAction {
  return { do: 'arm-timer', atMs };
}

function isServedUnder({ phase }: Requester, transfer: number): boolean {
  return phase.is === 'served' && phase.transfer === transfer;
}
