import { fail, type Bytes, type Fault, type Result } from '../../../src/core/base/index.js';
import { entryKinds, type Entry } from '../../../src/core/entry/index.js';
import { judgeEffect } from '../../../src/core/admission/index.js';
import type { Payload } from '../../../src/core/op/index.js';
import {
  admitUnit,
  applyPayload,
  codeOf,
  countOf,
  dataContext,
  domainOf,
  domainsInOrder,
  type Unit,
} from '../replica/index.js';
import { signData, storeUnit, tick, type Signable } from './author.js';
import { bump, myGrant, now, ownWaits, sendEpoch, type RoomCore, type WriteRef } from './core.js';
import { draftsIn, keepDrafts } from './drafts/queue.js';
import type { Draft } from './drafts/types.js';
import type { Step } from './step.js';
import { trackWrite } from './undelivered.js';

/** A transaction of a page. */
export interface LocalWrite {
  readonly tab: string;
  /** The tab's counter: a known one is answered as done, so that resending is safe (X11). */
  readonly n: number;
  /** The tab's write of this room before it, when that is not known to be saved; else 0. */
  readonly prev: number;
  readonly domainHex: string;
  readonly payload: Bytes;
}

/** What came of a local write: durable with this step's commit, done before or out of turn, or refused (typed, VOID at every peer). */
export type WriteOutcome =
  | { readonly outcome: 'taken'; readonly ref: WriteRef }
  | { readonly outcome: 'left-out' }
  | { readonly outcome: 'refused'; readonly fault: Fault };

/** What was signed in a step. */
export interface Signed {
  /** To be sent once they are stored. */
  readonly units: readonly Unit[];
  /** Drafts that can have no effect any more, as of an author who has lost a permission since: told to it, not signed. */
  readonly dropped: readonly { readonly payload: Bytes; readonly fault: Fault }[];
  /** The state shows ops as they do not stand: it must be read anew after the step. */
  readonly mustReload: boolean;
}

/** Whether writes are signed at once: cleared by the resume probe, effective, and with an epoch to write under (F10). */
export function canSign(core: RoomCore, isCleared: boolean): boolean {
  return isCleared && myGrant(core) !== null && sendEpoch(core) !== null;
}

/** Whether control and meta can be written too: they know no drafts. */
export function canAct(core: RoomCore, isCleared: boolean): boolean {
  return (
    canSign(core, isCleared) &&
    !domainsInOrder(core.state)
      .slice(0, 2)
      .some((domainHex) => ownWaits(core, domainHex))
  );
}

/**
 * Takes page writes, in order. Signed at once when this engine is cleared (one signature for all of one domain that share
 * the step, F20), else kept as durable drafts. Call with no draft waiting where writes are signed: those come first.
 */
export async function takeWrites(
  core: RoomCore,
  step: Step,
  o: { readonly writes: readonly LocalWrite[]; readonly isCleared: boolean },
): Promise<{ outcomes: WriteOutcome[]; signed: Signed }> {
  const outcomes: WriteOutcome[] = [];
  const accepted = new Map<string, { readonly draft: Draft; readonly at: number }[]>();
  const marks = new Map<string, number>();
  for (const write of o.writes) {
    const mark = core.marks.get(write.tab) ?? 0;
    // Past a write that did not come nothing is taken: the mark would cover that one. Its tab sends both again.
    const isLeftOut = write.prev > mark || (write.n <= mark && core.ports.weaknesses?.has('dedupe') !== true);
    const checked = isLeftOut ? null : checkWrite(core, write);
    const { domainHex, payload } = write;
    if (checked?.ok === true) {
      const [author, hlc] = [core.keys.deviceId, tick(core)];
      applyPayload(core.state, { author, hlc, payload: checked.value, domainHex }, step.changed);
      const [group, one] = [accepted.get(domainHex), { draft: { hlc, payload }, at: outcomes.length }];
      if (group?.push(one) === undefined) accepted.set(domainHex, [one]);
    }
    outcomes.push(checked?.ok === false ? { outcome: 'refused', fault: checked.fault } : { outcome: 'left-out' });
    if (isLeftOut) continue;
    core.marks.set(write.tab, Math.max(write.n, mark));
    marks.set(write.tab, Math.max(write.n, mark));
  }
  for (const [tab, value] of marks) step.ops.push({ do: 'put', table: 'marks', key: [core.room, tab], value });
  const units: Unit[] = [];
  if (accepted.size > 0) step.infoChanged = true;
  for (const [domainHex, group] of accepted) {
    const drafts = group.map(({ draft }) => draft);
    const isOpen = canSign(core, o.isCleared) && !isHeldBack(core, domainHex);
    if (isOpen) units.push(...(await commitSigned(core, step, { domainHex, items: drafts })));
    const first = isOpen ? null : await keepDrafts(core, step, { domain: domainHex, drafts });
    const next = countOf(domainOf(core.state, domainHex)?.chainsByAuthor.get(core.device));
    for (const [i, { draft, at }] of group.entries()) {
      const ref = { domain: domainHex, isDraft: !isOpen, n: (first ?? next - drafts.length) + i };
      outcomes[at] = { outcome: 'taken', ref };
      trackWrite(core, draft.payload, ref);
    }
  }
  return { outcomes, signed: { units, dropped: [], mustReload: false } };
}

/** Nothing of a domain is signed while own entries wait there, or drafts that come first. */
function isHeldBack(core: RoomCore, domainHex: string): boolean {
  return ownWaits(core, domainHex) || draftsIn(core, domainHex).count > 0;
}

/** The same judgement that every peer will make of the entry this write becomes. */
export function checkWrite(core: RoomCore, write: Pick<LocalWrite, 'domainHex' | 'payload'>): Result<Payload> {
  const domain = domainOf(core.state, write.domainHex);
  const grant = myGrant(core);
  if (domain === null || !core.state.access.domains.has(write.domainHex)) return fail('entry/scope', 'unknown domain');
  if (grant === null) return fail('entry/grant-void', 'this device has no grant with effect');
  const nothing = new Uint8Array(32);
  const entry: Entry = {
    id: nothing,
    roomId: core.roomId,
    domainId: domain.id,
    author: core.keys.deviceId,
    seq: 0,
    prev: nothing,
    kind: entryKinds.data,
    boot: core.boot,
    cap: grant.record.entry.id,
    kid: nothing,
    hlcMs: core.lastHlc.ms,
    hlcCtr: core.lastHlc.ctr,
    deps: [],
    payload: write.payload,
    commit: nothing,
  };
  return judgeEffect(entry, dataContext(core.state, write.domainHex, { head: null, roomNowMs: now(core) }));
}

/** Signs, admits and stores what was judged just before; its ops are in the state already. */
export async function commitSigned(
  core: RoomCore,
  step: Step,
  o: { readonly domainHex: string; readonly items: readonly Signable[]; readonly isBulk?: boolean },
): Promise<readonly Unit[]> {
  const units = await signData(core, o);
  for (const unit of units) {
    const outcome = admitUnit(core.state, unit, { roomNowMs: Number.MAX_SAFE_INTEGER, isApplied: true });
    if (outcome.outcome !== 'admitted' || outcome.rest !== null || outcome.voided.length > 0)
      throw new TypeError(`own unit was not admitted: ${codeOf(outcome)}`);
    await storeUnit(core, step, unit);
  }
  bump(core, 'entriesSigned', o.items.length);
  return units;
}
