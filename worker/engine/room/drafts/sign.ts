import { faultOutcomes, type Fault } from '../../../../src/core/base/index.js';
import { clampToFuture, compareHlc } from '../../../../src/core/clock/index.js';
import { domainOf, headOf, type Unit } from '../../replica/index.js';
import { countFault, now, ownWaits, type RoomCore } from '../core.js';
import { checkWrite, commitSigned, type Signed } from '../local.js';
import { dropOps } from '../snapshot/write.js';
import type { Step } from '../step.js';
import { trackWrite } from '../undelivered.js';
import { deleteRows, replaceRows } from './queue.js';
import { maxRowDrafts, maxRowWeight, openDrafts, sealDrafts } from './row.js';
import type { Draft, DraftQueue, DraftRun } from './types.js';

/** Of more than so many at once the units are as large as may be, and peers fetch them; fewer go out as live frames. */
const maxLiveDrafts = 256;

/**
 * Late signing (F10): drafts become entries, in order, each with its own time; only a time far in the future is clamped,
 * order kept (F17), and then the state must be rebuilt, because stamps moved. Each is judged before: one that must wait
 * holds back its domain, one that can have no effect goes. Of many drafts only as many as others can wait for: call
 * again while {@link hasReadyDrafts}. Call when cleared.
 */
export async function signDrafts(core: RoomCore, step: Step): Promise<Signed> {
  const units: Unit[] = [];
  const dropped: Signed['dropped'][number][] = [];
  let [left, mustReload] = [maxRowDrafts, false];
  for (const [domain, queue] of core.drafts) {
    if (left <= 0 || queue.count === 0 || isWaiting(core, domain)) continue;
    const first = await takeFirst(core, step, { domain, queue, left });
    left -= first.gone;
    dropped.push(...first.dropped);
    mustReload ||= first.isDamaged || first.dropped.length > 0;
    if (first.ready.length === 0) continue;
    const signed = await signReady(core, step, { domainHex: domain, ...first });
    units.push(...signed.units);
    mustReload ||= signed.isClamped;
  }
  for (const { fault } of dropped) countFault(core, fault.code);
  return { units, dropped, mustReload };
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

interface First {
  readonly ready: Draft[];
  readonly dropped: Signed['dropped'][number][];
  /** Numbers of those that are to be signed. */
  readonly numbers: number[];
  /** How many left the queue. */
  gone: number;
  /** A row did not open: what it did is to be shown no longer. */
  isDamaged: boolean;
}

/** Takes drafts off the front of a queue and, with this step, off the disk, up to one that must wait. */
async function takeFirst(
  core: RoomCore,
  step: Step,
  { queue, domain, left }: { readonly queue: DraftQueue; readonly domain: string; readonly left: number },
): Promise<First> {
  const first: First = { ready: [], dropped: [], numbers: [], gone: 0, isDamaged: false };
  let [rows, weight] = [0, 0];
  let rest: DraftRun | null = null;
  for (let row = queue.rows[0]; row !== undefined && rest === null; row = queue.rows[rows]) {
    weight += row.weight;
    if (rows > 0 && (first.gone + row.count > left || weight > maxRowWeight)) break;
    const drafts = (row.drafts = await openDrafts(core, row)); // of one that waits it is to be known why
    const went = drafts === null ? row.count : sortDrafts(core, first, { ...row, drafts });
    if (drafts === null) countFault(core, 'store/corrupt');
    first.isDamaged ||= drafts === null;
    first.gone += went;
    if (went === 0) break;
    rows++;
    if (drafts !== null && went < row.count) rest = { domain, n: row.n + went, drafts: drafts.slice(went) };
  }
  if (first.gone === 0) return first;
  const kept = rest && (await sealDrafts(core, rest));
  // A snapshot that has them goes with the first: what is signed would count twice beside it.
  const read = queue.rows.slice(0, rows).filter((row) => row.drafts !== null);
  step.ops.push(...deleteRows(read), ...(kept ? [kept.op] : []), ...dropOps(core));
  replaceRows(queue, { at: 0, gone: rows, by: kept?.row });
  step.infoChanged = true;
  core.snapshot = null;
  core.draftsLeft++;
  return first;
}

/** Up to the first that must wait; how many these are. */
function sortDrafts(core: RoomCore, { ready, dropped, numbers }: First, { domain, n, drafts }: DraftRun): number {
  for (const [i, draft] of drafts.entries()) {
    const fault = judge(core, domain, draft);
    if (isHold(fault)) return i;
    if (fault !== null) dropped.push({ payload: draft.payload, fault });
    else numbers[ready.push(draft) - 1] = n + i;
  }
  return drafts.length;
}

async function signReady(
  core: RoomCore,
  step: Step,
  { domainHex, ready, numbers }: Pick<First, 'ready' | 'numbers'> & { readonly domainHex: string },
): Promise<{ readonly units: readonly Unit[]; readonly isClamped: boolean }> {
  const domain = domainOf(core.state, domainHex);
  const head = (domain && headOf(domain, core.device)) ?? null;
  let [previous, isClamped] = [head?.hlc ?? null, false];
  const items = ready.map(({ hlc, payload }) => {
    previous = clampToFuture(hlc, now(core), previous);
    isClamped ||= compareHlc(previous, hlc) !== 0;
    return { hlc: previous, payload };
  });
  const units = await commitSigned(core, step, { domainHex, items, isBulk: ready.length > maxLiveDrafts });
  let seq = head?.seq ?? -1;
  for (const [i, { payload }] of ready.entries())
    trackWrite(core, payload, { domain: domainHex, isDraft: false, n: ++seq }, numbers[i]);
  const runs = core.signedDrafts.get(domainHex) ?? [];
  core.signedDrafts.set(domainHex, runs);
  runs.push({ before: 1 + (numbers.at(-1) ?? -1), seq });
  return { units, isClamped };
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
