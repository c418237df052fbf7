/** Phase 2 again, as the document words it: by plain recursion, with no order of evaluation to get right. */
import { toHex } from '../base/index.js';
import type { ControlRecord } from './index.js';

type GrantRecord = ControlRecord & { readonly payload: { readonly kind: 'grant' | 'genesis' } };

function isGrant(record: ControlRecord | undefined): record is GrantRecord {
  return record?.payload.kind === 'grant' || record?.payload.kind === 'genesis';
}

/** Ids of the grants that have no effect. */
export function referenceVoids(log: readonly ControlRecord[]): ReadonlySet<string> {
  const byId = new Map(log.map((record) => [record.id, record]));
  const grants = log.filter(isGrant);
  const capOf = (record: ControlRecord): ControlRecord | undefined => byId.get(toHex(record.entry.cap));
  const rankOf = (record: ControlRecord | undefined): number =>
    record?.payload.kind === 'grant' ? record.payload.rank : 0;
  const known = new Map<string, boolean>();
  const isVoid = (record: ControlRecord | undefined): boolean => {
    if (!isGrant(record)) return false;
    const before = known.get(record.id);
    if (before !== undefined) return before;
    const verdict = restsOnNothing(record) || isRevoked(record) || isBeaten(record);
    known.set(record.id, verdict);
    return verdict;
  };
  const inviteOf = (record: GrantRecord): string | null =>
    record.payload.kind === 'grant' && record.payload.via !== null ? toHex(record.payload.via.invite) : null;
  const restsOnNothing = (record: GrantRecord): boolean => {
    if (record.payload.kind === 'genesis') return false;
    const invite = byId.get(inviteOf(record) ?? '');
    return isVoid(capOf(record)) || (invite !== undefined && isVoid(capOf(invite)));
  };
  const isRevoked = (record: GrantRecord): boolean =>
    log.some(
      (revoke) =>
        revoke.payload.kind === 'revoke' &&
        toHex(revoke.payload.target) === inviteOf(record) &&
        !isVoid(capOf(revoke)) &&
        (revoke.past.get(record.author) ?? 0) <= record.entry.seq,
    );
  const slotOf = (record: GrantRecord): string | null =>
    record.payload.kind === 'grant' && record.payload.via !== null
      ? `${toHex(record.payload.via.invite)}/${String(record.payload.via.use)}`
      : null;
  const subjectOf = (record: GrantRecord): string =>
    record.payload.kind === 'grant' ? toHex(record.payload.subject) : '';
  const isBeaten = (record: GrantRecord): boolean => {
    if (slotOf(record) === null) return false;
    const rivals = grants.filter((one) => slotOf(one) === slotOf(record) && !restsOnNothing(one) && !isRevoked(one));
    rivals.sort((a, b) => rankOf(capOf(a)) - rankOf(capOf(b)) || (a.id < b.id ? -1 : 1));
    const [first] = rivals;
    return first !== undefined && subjectOf(first) !== subjectOf(record);
  };
  return new Set(grants.filter(isVoid).map((record) => record.id));
}
