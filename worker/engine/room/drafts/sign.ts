import { faultOutcomes, type Fault } from '../../../../src/core/base/index.js';
import { clampToFuture, compareHlc } from '../../../../src/core/clock/index.js';
import { domainOf, headOf, type Unit } from '../../replica/index.js';
import { countFault, now, ownWaits, type RoomCore } from '../core.js';
import { canSign, checkWrite, commitSigned, type Signed } from '../local.js';
import { dropOps } from '../snapshot/write.js';
import type { Step } from '../step.js';
import { trackWrite } from '../undelivered.js';
import { deleteRows, draftCount, replaceRows } from './queue.js';
import { maxRowDrafts, maxRowWeight, openDrafts, sealDrafts } from './row.js';
import type { Draft, DraftQueue, DraftRow, DraftRun } from './types.js';

/** Of more than so many at once the units are as large as may be, and peers fetch them; fewer go out as live frames. */
const maxLiveDrafts = 256;

/**
 * Late signing (F10): drafts become entries, in order, each with its own time; only a time far in the future is clamped,
 * order kept (F17), and then the state must be rebuilt, because stamps moved. Each is judged before: one that must wait
 * holds back its domain, one that can have no effect goes. Of many drafts only as many as others can wait for: call
 * again while {@link hasReadyDrafts}. Call when cleared.
 */
export async function signDrafts(core: RoomCore, step: Step): Promise<Signed> {
  const signed: Late = { units: [], dropped: [], mustReload: false };
  core.draftsToSign = Math.max(core.draftsToSign, draftCount(core));
  let left = maxRowDrafts;
  for (const [domain, queue] of core.drafts) {
    if (left <= 0 || queue.count === 0 || isWaiting(core, domain)) continue;
    const { ready, gone } = await takeFirst(core, step, signed, { domain, queue, left });
    left -= gone;
    if (ready.length > 0) await signReady(core, step, signed, { domain, ready });
  }
  for (const { fault } of signed.dropped) countFault(core, fault.code);
  signed.mustReload ||= signed.dropped.length > 0;
  // Nothing went: what was not known yet has to wait, too.
  if (left === maxRowDrafts) step.infoChanged = true;
  if (left === maxRowDrafts || draftCount(core) === 0) core.draftsToSign = 0;
  return signed;
}

/** How much of it is done, in hundredths from 0 to 0.99; null: there is nothing that can be signed now. */
export function signingProgress(core: RoomCore, isCleared: boolean): number | null {
  const left = draftCount(core);
  if (left === 0 || !canSign(core, isCleared) || !hasReadyDrafts(core)) return null;
  return Math.floor((1 - left / Math.max(left, core.draftsToSign)) * 100) / 100;
}

/** Whether some draft need not wait: to be signed, or to go. Of one that is on the disk alone it is not known yet. */
export function hasReadyDrafts(core: RoomCore): boolean {
  for (const [domainHex, { rows }] of core.drafts) {
    const [first] = rows;
    if (first === undefined || isWaiting(core, domainHex)) continue;
    const draft = first.drafts?.[0];
    if (draft === undefined || !isHold(judge(core, domainHex, draft))) return true;
  }
  return false;
}

/** What is under way to be {@link Signed}. */
interface Late {
  readonly units: Unit[];
  readonly dropped: Signed['dropped'][number][];
  mustReload: boolean;
}

/** A draft that can be signed, with its number. */
interface Ready extends Draft {
  readonly n: number;
}

/** Takes drafts off the front of a queue and, with this step, off the disk, up to one that must wait; how many are gone. */
async function takeFirst(
  core: RoomCore,
  step: Step,
  signed: Late,
  { queue, domain, left }: { readonly queue: DraftQueue; readonly domain: string; readonly left: number },
): Promise<{ readonly ready: readonly Ready[]; readonly gone: number }> {
  const ready: Ready[] = [];
  const read: DraftRow[] = [];
  let [rows, gone, weight] = [0, 0, 0];
  let rest: DraftRun | null = null;
  for (let row = queue.rows[0]; row !== undefined && rest === null; row = queue.rows[rows]) {
    weight += row.weight;
    if (rows > 0 && (gone + row.count > left || weight > maxRowWeight)) break;
    const drafts = (row.drafts = await openDrafts(core, row)); // of one that waits it is to be known why
    const went = drafts === null ? row.count : sortDrafts(core, { ...row, drafts }, { ready, dropped: signed.dropped });
    if (went === 0) break;
    [rows, gone] = [rows + 1, gone + went];
    if (drafts !== null) read.push(row);
    else {
      countFault(core, 'store/corrupt');
      signed.mustReload = true; // what it did is to be shown no longer
    }
    if (drafts !== null && went < row.count) rest = { domain, n: row.n + went, drafts: drafts.slice(went) };
  }
  if (gone === 0) return { ready, gone };
  const kept = rest && (await sealDrafts(core, rest));
  // A snapshot that has them goes with the first: what is signed would count twice beside it.
  step.ops.push(...deleteRows(read), ...(kept ? [kept.op] : []), ...dropOps(core));
  replaceRows(queue, { at: 0, gone: rows, by: kept?.row });
  step.infoChanged = true;
  core.snapshot = null;
  core.draftsLeft++;
  return { ready, gone };
}

/** Up to the first that must wait; how many these are. */
function sortDrafts(
  core: RoomCore,
  { domain, n, drafts }: DraftRun,
  to: { readonly ready: Ready[]; readonly dropped: Late['dropped'] },
): number {
  for (const [i, draft] of drafts.entries()) {
    const fault = judge(core, domain, draft);
    if (isHold(fault)) return i;
    if (fault !== null) to.dropped.push({ payload: draft.payload, fault });
    else to.ready.push({ ...draft, n: n + i });
  }
  return drafts.length;
}

async function signReady(
  core: RoomCore,
  step: Step,
  signed: Late,
  { domain, ready }: { readonly domain: string; readonly ready: readonly Ready[] },
): Promise<void> {
  const replica = domainOf(core.state, domain);
  const head = (replica && headOf(replica, core.device)) ?? null;
  let previous = head?.hlc ?? null;
  const items = ready.map(({ hlc, payload }) => {
    previous = clampToFuture(hlc, now(core), previous);
    signed.mustReload ||= compareHlc(previous, hlc) !== 0;
    return { hlc: previous, payload };
  });
  const isBulk = ready.length > maxLiveDrafts;
  signed.units.push(...(await commitSigned(core, step, { domainHex: domain, items, isBulk })));
  const known = core.signedDrafts.get(domain) ?? [];
  let [seq, before] = [head?.seq ?? -1, 0];
  for (const { payload, n } of ready) {
    trackWrite(core, payload, { domain, isDraft: false, n: ++seq }, n);
    before = n + 1;
  }
  core.signedDrafts.set(domain, [...known, { before, seq }]);
  step.failures.push(() => core.signedDrafts.set(domain, known));
}

function judge(core: RoomCore, domainHex: string, { payload }: Draft): Fault | null {
  const checked = checkWrite(core, { domainHex, payload });
  return checked.ok ? null : checked.fault;
}

function isHold(fault: Fault | null): boolean {
  return fault !== null && faultOutcomes[fault.code] === 'hold';
}

/** No end of the own chain to go on from: something of it waits, or control does not name the domain (yet). */
function isWaiting(core: RoomCore, domainHex: string): boolean {
  return ownWaits(core, domainHex) || !core.state.access.domains.has(domainHex);
}
