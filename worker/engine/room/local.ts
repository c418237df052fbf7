import { fail, faultOutcomes, toHex, type Bytes, type Fault, type Result } from '../../../src/core/base/index.js';
import { clampToFuture, compareHlc, type Hlc } from '../../../src/core/clock/index.js';
import { entryKinds, type Entry } from '../../../src/core/entry/index.js';
import { judgeEffect } from '../../../src/core/admission/index.js';
import type { Payload } from '../../../src/core/op/index.js';
import {
  admitUnit,
  applyPayload,
  codeOf,
  dataContext,
  domainOf,
  domainsInOrder,
  headOf,
  type Unit,
} from '../replica/index.js';
import { signData, storeUnit, tick } from './author.js';
import { bump, countFault, myGrant, now, ownWaits, sendEpoch, type RoomCore } from './core.js';
import { trackWrite } from './load.js';
import { encodeDraft, type Draft } from './rows.js';
import type { Step } from './step.js';

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
  { readonly outcome: 'taken' | 'left-out' } | { readonly outcome: 'refused'; readonly fault: Fault };

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
  const accepted: { write: LocalWrite; hlc: Hlc }[] = [];
  const marks = new Map<string, number>();
  for (const write of o.writes) {
    const mark = core.marks.get(write.tab) ?? 0;
    // Past a write that did not come nothing is taken: the mark would cover that one. Its tab sends both again.
    const isLeftOut = write.prev > mark || (write.n <= mark && core.ports.weaknesses?.has('dedupe') !== true);
    const checked = isLeftOut ? null : checkWrite(core, write);
    if (checked === null) outcomes.push({ outcome: 'left-out' });
    else if (!checked.ok) outcomes.push({ outcome: 'refused', fault: checked.fault });
    else {
      const hlc = tick(core);
      const { domainHex } = write;
      applyPayload(core.state, { author: core.keys.deviceId, hlc, payload: checked.value, domainHex }, step.changed);
      accepted.push({ write, hlc });
      outcomes.push({ outcome: 'taken' });
    }
    if (isLeftOut) continue;
    core.marks.set(write.tab, Math.max(write.n, mark));
    marks.set(write.tab, Math.max(write.n, mark));
  }
  for (const [tab, value] of marks) step.ops.push({ do: 'put', table: 'marks', key: [core.room, tab], value });
  if (accepted.length > 0) step.infoChanged = true;
  const domains = canSign(core, o.isCleared) ? accepted.map(({ write }) => write.domainHex) : [];
  const open = new Set([...new Set(domains)].filter((domainHex) => !isHeldBack(core, domainHex)));
  const isOpen = ({ write }: { readonly write: LocalWrite }): boolean => open.has(write.domainHex);
  const signed = await signWrites(core, step, accepted.filter(isOpen));
  for (const one of accepted) if (!isOpen(one)) keepDraft(core, step, one);
  return { outcomes, signed };
}

/** Nothing of a domain is signed while own entries wait there, or drafts that come first. */
function isHeldBack(core: RoomCore, domainHex: string): boolean {
  return ownWaits(core, domainHex) || core.drafts.some((draft) => domainOfDraft(draft) === domainHex);
}

/** The same judgement that every peer will make of the entry this write becomes. */
function checkWrite(core: RoomCore, write: Pick<LocalWrite, 'domainHex' | 'payload'>): Result<Payload> {
  const domain = domainOf(core.state, write.domainHex);
  const grant = myGrant(core);
  if (domain === null || !core.state.access.domains.has(write.domainHex)) return fail('entry/scope', 'unknown domain');
  if (grant === null) return fail('entry/grant-void', 'this device has no grant with effect');
  const epoch = sendEpoch(core)?.kid ?? [...core.state.access.epochs.values()][0]?.kid ?? core.roomId;
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
    kid: epoch,
    hlcMs: core.lastHlc.ms,
    hlcCtr: core.lastHlc.ctr,
    deps: [],
    payload: write.payload,
    commit: nothing,
  };
  return judgeEffect(entry, dataContext(core.state, write.domainHex, { head: null, roomNowMs: now(core) }));
}

/** A draft's row joins the step; its ops are in the state already. */
function keepDraft(core: RoomCore, step: Step, d: { write: LocalWrite; hlc: Hlc }): void {
  const domain = domainOf(core.state, d.write.domainHex);
  if (domain === null) return;
  const draft: Draft = {
    n: core.nextDraft++,
    domainId: domain.id,
    hlc: d.hlc,
    tab: d.write.tab,
    counter: d.write.n,
    payload: d.write.payload,
  };
  core.drafts.push(draft);
  const sealed = core.ports.vault.sealAtRest('draft', encodeDraft(draft));
  step.ops.push({ do: 'put', table: 'drafts', key: [core.room, draft.n], value: sealed });
  trackWrite(core, draft.payload, { draft: draft.n });
}

async function signWrites(
  core: RoomCore,
  step: Step,
  accepted: readonly { write: LocalWrite; hlc: Hlc }[],
): Promise<Signed> {
  const byDomain = new Map<string, { hlc: Hlc; payload: Bytes }[]>();
  for (const { write, hlc } of accepted) {
    const items = byDomain.get(write.domainHex) ?? [];
    items.push({ hlc, payload: write.payload });
    byDomain.set(write.domainHex, items);
  }
  const units: Unit[] = [];
  for (const [domainHex, items] of byDomain) units.push(...(await commitSigned(core, step, { domainHex, items })));
  return { units, dropped: [], mustReload: false };
}

/** Signs, admits and stores what was judged just before; its ops are in the state already. */
async function commitSigned(
  core: RoomCore,
  step: Step,
  o: { readonly domainHex: string; readonly items: readonly { hlc: Hlc; payload: Bytes }[] },
): Promise<readonly Unit[]> {
  const units = await signData(core, o.domainHex, o.items);
  for (const unit of units) {
    const skipEffect = new Set(unit.entries.map((entry) => toHex(entry.id)));
    const outcome = admitUnit(core.state, unit, { roomNowMs: Number.MAX_SAFE_INTEGER, skipEffect });
    if (outcome.outcome !== 'admitted' || outcome.rest !== null || outcome.voided.length > 0)
      throw new TypeError(`own unit was not admitted: ${codeOf(outcome)}`);
    await storeUnit(core, step, unit);
    for (const entry of unit.entries)
      if (entry.payload !== null) trackWrite(core, entry.payload, { domain: o.domainHex, seq: entry.seq });
  }
  bump(core, 'entriesSigned', o.items.length);
  return units;
}

/**
 * Late signing (F10): every draft becomes an entry, in order, each with its own time; only a time far in the future is
 * clamped, order kept (F17), and then the state must be rebuilt, because stamps moved. Each is judged before: one that
 * must wait holds back its domain, one that can have no effect goes. Call when cleared.
 */
export async function signDrafts(core: RoomCore, step: Step): Promise<Signed> {
  const { ready, dropped } = sortDrafts(core);
  const units: Unit[] = [];
  let clamped = false;
  for (const [domainHex, drafts] of ready) {
    let previous = lastSigned(core, domainHex);
    const items = drafts.map((draft) => {
      const hlc = clampToFuture(draft.hlc, now(core), previous);
      clamped ||= compareHlc(hlc, draft.hlc) !== 0;
      previous = hlc;
      return { hlc, payload: draft.payload };
    });
    const signed = await commitSigned(core, step, { domainHex, items });
    units.push(...signed);
    const firstSeq = signed[0]?.fromSeq ?? 0;
    for (const [i, draft] of drafts.entries()) core.signedDrafts.set(draft.n, { domain: domainHex, seq: firstSeq + i });
  }
  const gone = new Set([...[...ready.values()].flat(), ...dropped.map(({ draft }) => draft)]);
  for (const draft of gone) step.ops.push({ do: 'delete', table: 'drafts', key: [core.room, draft.n] });
  core.drafts = core.drafts.filter((draft) => !gone.has(draft));
  for (const { fault } of dropped) countFault(core, fault.code);
  if (gone.size > 0) step.infoChanged = true;
  return {
    units,
    dropped: dropped.map(({ draft, fault }) => ({ payload: draft.payload, fault })),
    mustReload: dropped.length > 0 || clamped,
  };
}

/** Whether some draft need not wait: to be signed, or to go. */
export function hasReadyDrafts(core: RoomCore): boolean {
  if (core.drafts.length === 0) return false;
  const { ready, dropped } = sortDrafts(core);
  return ready.size > 0 || dropped.length > 0;
}

/** What becomes of the drafts: by domain (hex) those to sign, and those that can have no effect. The others wait. */
function sortDrafts(core: RoomCore): {
  ready: Map<string, Draft[]>;
  dropped: { readonly draft: Draft; readonly fault: Fault }[];
} {
  const ready = new Map<string, Draft[]>();
  const dropped = [];
  const waiting = new Set(
    [...new Set(core.drafts.map(domainOfDraft))].filter((domainHex) => isWaiting(core, domainHex)),
  );
  for (const draft of core.drafts) {
    const domainHex = domainOfDraft(draft);
    if (waiting.has(domainHex)) continue;
    const checked = checkWrite(core, { domainHex, payload: draft.payload });
    if (!checked.ok && faultOutcomes[checked.fault.code] === 'hold') waiting.add(domainHex);
    else if (!checked.ok) dropped.push({ draft, fault: checked.fault });
    else if (ready.get(domainHex)?.push(draft) === undefined) ready.set(domainHex, [draft]);
  }
  return { ready, dropped };
}

function domainOfDraft({ domainId }: Draft): string {
  return toHex(domainId);
}

/** No end of the own chain to go on from: something of it waits, or control does not name the domain (yet). */
function isWaiting(core: RoomCore, domainHex: string): boolean {
  return ownWaits(core, domainHex) || !core.state.access.domains.has(domainHex);
}

function lastSigned(core: RoomCore, domainHex: string): Hlc | null {
  const domain = domainOf(core.state, domainHex);
  return (domain && headOf(domain, core.device)?.hlc) ?? null;
}
