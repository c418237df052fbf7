import { maxHlc } from '../../../../src/core/clock/index.js';
import { decodePayload } from '../../../../src/core/op/index.js';
import { applyPayload } from '../../replica/index.js';
import { countFault, type RoomCore } from '../core.js';
import { trackWrite } from '../undelivered.js';
import { addRow, draftsIn } from './queue.js';
import { draftsOf, readDraftRow, unsealDrafts } from './row.js';
import type { CoveredDrafts, DraftRow, DraftRun } from './types.js';

/**
 * Reads the drafts from the disk and shows what they do. Rows that are covered are left closed, but for the last, which
 * has the newest time: their keys say how many they hold. False when some that was covered is not there any more. A
 * damaged row is left out.
 */
export async function loadDrafts(core: RoomCore, covered: readonly CoveredDrafts[] = []): Promise<boolean> {
  const before = core.drafts;
  core.drafts = new Map();
  for (const [domain, { next }] of before) draftsIn(core, domain).next = next;
  const coveredTo = new Map(covered.map(([domain, next]) => [domain, next]));
  const found = (await core.ports.store.list('drafts', [core.room]))
    .map((stored) => ({ row: readDraftRow(core, stored), value: stored.value }))
    .sort((a, b) => (a.row?.n ?? 0) - (b.row?.n ?? 0));
  const ends = new Map(found.map(({ row }) => [row?.domain, row]));
  const isOpen = (row: DraftRow): boolean =>
    row.n + row.count > (coveredTo.get(row.domain) ?? 0) || ends.get(row.domain) === row;
  const bodies = await Promise.all(
    found.map(async ({ row, value }) => (row?.drafts === null && isOpen(row) ? unsealDrafts(core, value) : null)),
  );
  for (const [i, { row }] of found.entries()) {
    const drafts = row && isOpen(row) ? (row.drafts ?? draftsOf(bodies[i] ?? null, row)) : [];
    if (row === null || drafts === null) countFault(core, 'store/corrupt');
    else {
      addRow(core, row);
      showDrafts(core, { ...row, drafts }, coveredTo.get(row.domain) ?? 0);
    }
  }
  return covered.every(([domain, next, count]) => {
    const held = draftsIn(core, domain).rows.map((row) => Math.max(0, Math.min(row.count, next - row.n)));
    return held.reduce((sum, some) => sum + some, 0) === count;
  });
}

/** Those from a number on join the records. */
function showDrafts(core: RoomCore, { domain, n, drafts }: DraftRun, from: number): void {
  for (const [i, { hlc, payload }] of drafts.entries()) {
    core.lastHlc = maxHlc(core.lastHlc, hlc);
    const decoded = decodePayload(payload);
    if (n + i < from || !decoded.ok) continue;
    const shown = { author: core.keys.deviceId, hlc, payload: decoded.value, domainHex: domain };
    applyPayload(core.state, shown, new Map());
    trackWrite(core, payload, { domain, isDraft: true, n: n + i });
  }
}
