import { toHex, type Bytes } from '../../../src/core/base/index.js';
import type { Entry } from '../../../src/core/entry/index.js';
import { recordIdText } from '../../../src/core/identity/index.js';
import { decodePayload } from '../../../src/core/op/index.js';
import { controlKey, countOf } from '../replica/index.js';
import type { RoomCore, WriteRef } from './core.js';
import { draftCount } from './drafts/queue.js';

/** Own entries that no other device has acknowledged: where the newest change of each record is. */
export function noteUndelivered(core: RoomCore, entries: readonly Entry[]): void {
  for (const { domainId, payload, seq } of entries) {
    const domain = toHex(domainId);
    if (payload !== null && seq >= (core.delivered.get(domain) ?? 0))
      trackWrite(core, payload, { domain, isDraft: false, n: seq });
  }
}

/**
 * Remembers where the newest own change of each record in a payload is, until it is delivered; the newest are last.
 * `draft`: it was that one until now, and where a record has changed since its newest change is elsewhere.
 */
export function trackWrite(core: RoomCore, payload: Bytes, ref: WriteRef, draft: number | null = null): void {
  const decoded = decodePayload(payload);
  for (const op of decoded.ok ? decoded.value.ops : []) {
    if (op.kind === 'opaque') continue;
    const key = recordKey(op.collection, recordIdText(op.id));
    const known = core.undelivered.get(key);
    // A draft is newer than every entry but the one that it becomes: it comes after a lost tail, too (F10).
    if (!ref.isDraft && known?.isDraft === true ? known.n !== draft : draft !== null) continue;
    if (draft === null) core.undelivered.delete(key);
    core.undelivered.set(key, ref);
  }
}

/** Key of a record (its id in base64url) in maps of the engine. */
export function recordKey(collection: string, id: string): string {
  return `${collection}/${id}`;
}

/** Collection and id of a {@link recordKey}. */
export function ofRecordKey(key: string): [collection: string, id: string] {
  const slash = key.lastIndexOf('/');
  return [key.slice(0, slash), key.slice(slash + 1)];
}

/** Whether another device has acknowledged what `ref` points to. */
export function isDelivered(core: RoomCore, { domain, isDraft, n }: WriteRef): boolean {
  const known = core.delivered.get(domain) ?? 0;
  if (!isDraft) return n < known;
  if (n >= (core.drafts.get(domain)?.rows[0]?.n ?? Infinity)) return false;
  const signed = core.signedDrafts.get(domain) ?? [];
  // One that never became an entry was told as such: of it there is nothing to deliver, but of those before it.
  return ((signed.find(({ before }) => n < before) ?? signed.at(-1))?.seq ?? -1) < known;
}

/**
 * Own writes that no other device has acknowledged: drafts, and entries past the delivered count. Of control the revocations
 * alone: an invite has its record, and the rest is nobody's doing but the engine's.
 */
export function undeliveredCount(core: RoomCore): number {
  const known = core.delivered.get(controlKey) ?? 0;
  const isNews = countOf(core.state.control.chainsByAuthor.get(core.device)) > known;
  const log = isNews ? core.state.log : [];
  let count = draftCount(core);
  for (const { payload, author, entry } of log)
    if (payload.kind === 'revoke' && author === core.device && entry.seq >= known) count++;
  for (const [domainHex, domain] of core.state.domains) {
    const mine = countOf(domain.chainsByAuthor.get(core.device));
    count += Math.max(0, mine - (core.delivered.get(domainHex) ?? 0));
  }
  return count;
}
