import { equalBytes, fail, idHex, isZero, ok, toHex, type Bytes, type Result } from '../base/index.js';
import {
  hasPermission,
  mayChangeOwned,
  mayWriteDomain,
  metaPermission,
  permissions,
  type AccessState,
  type DomainState,
  type Grant,
} from '../access/index.js';
import { compareHlc, isFuture, type Hlc } from '../clock/index.js';
import { entryKinds, type Entry } from '../entry/index.js';
import { creatorPrefixOf, devicePrefixBytes, isCreatorOf, profileRecordId } from '../identity/index.js';
import { decodePayload, type Op, type Payload } from '../op/index.js';
import { checkOps, creatorFault, metaDomain, own, type Declaration } from '../schema/index.js';

/** What judging a data entry needs to know of the room. Everything in it is the same at every peer that holds the same entries, but the clock. */
export interface DataContext {
  readonly access: AccessState;
  readonly domain: DomainState;
  /** Name of the domain in `meta`; null while unknown. */
  readonly domainName: string | null;
  /** Head of the author's chain, or null before seq 0. */
  readonly head: { readonly seq: number; readonly id: Bytes; readonly hlc: Hlc } | null;
  /** Time of an admitted entry of the same domain, or null. */
  readonly hlcOf: (idHex: string) => Hlc | null;
  /** A published declaration by prefix (hex), or null. */
  readonly declaration: (prefixHex: string) => Declaration | null;
  readonly roomNowMs: number;
}

/**
 * May this entry join the set? The ordered list of docs/protocol.md §Admission after the copy has proved itself (F1):
 * kind → place → dependencies → cap → clock. Codes are REJECT (seq 0 only, F8) or HOLD; nothing here depends on content.
 */
export function admitData(entry: Entry, c: DataContext): Result<null> {
  if (entry.kind !== entryKinds.data) return fail('entry/unknown-kind');
  const nextSeq = c.head === null ? 0 : c.head.seq + 1;
  if (entry.seq !== nextSeq) return fail('entry/missing-prev');
  if (c.head === null && !isZero(entry.prev)) return fail('entry/malformed');
  if (c.head !== null && !equalBytes(entry.prev, c.head.id)) return fail('entry/missing-prev');
  for (const dep of entry.deps) if (c.hlcOf(toHex(dep)) === null) return fail('entry/missing-dep', toHex(dep));
  const grant = c.access.grants.get(idHex(entry.cap));
  if (grant === undefined) return fail('entry/missing-cap', toHex(entry.cap));
  if (!c.access.kids.has(idHex(entry.kid))) return fail('entry/missing-key', toHex(entry.kid));
  if (entry.seq === 0 && (grant.subject !== idHex(entry.author) || !isInScope(grant, c.domain)))
    return fail('entry/no-grant');
  if (isFuture({ ms: entry.hlcMs, ctr: entry.hlcCtr }, c.roomNowMs)) return fail('entry/future-clock');
  return ok(null);
}

/**
 * Has this admitted entry an effect, and which? VOID per entry (one forbidden op voids its whole transaction, F20), or
 * HOLD while its schema version or domain name is unknown. Recomputed whenever authority changes.
 */
export function judgeEffect(entry: Entry, c: DataContext): Result<Payload> {
  const grant = c.access.grants.get(idHex(entry.cap));
  if (grant === undefined || grant.subject !== idHex(entry.author)) return fail('entry/cap');
  if (c.access.voids.has(grant.id)) return fail('entry/grant-void');
  if (!isInScope(grant, c.domain)) return fail('entry/scope');
  if (!isAfterPast(entry, c)) return fail('entry/clock');
  if (entry.payload === null) return fail('entry/payload');
  if (entry.payload.length > c.access.limits.maxPayload) return fail('entry/size');
  if (entry.deps.length > c.access.limits.maxDeps) return fail('entry/size');
  const payload = decodePayload(entry.payload);
  if (!payload.ok) return fail('entry/payload', payload.fault.detail);
  const declaration = c.declaration(idHex(payload.value.schema));
  if (declaration === null || c.domainName === null) return fail('entry/missing-schema', toHex(payload.value.schema));
  // Our own schema is for meta alone: else whoever names a data domain so could open profiles and roles to its writers.
  if (!c.domain.isMeta && c.domainName === metaDomain) return fail('entry/schema');
  const checked = checkOps({ declaration, domainName: c.domainName, ops: payload.value.ops });
  if (!checked.ok) return checked;
  for (const op of payload.value.ops) {
    const judged = c.domain.isMeta
      ? judgeMetaOp(op, entry, { grant, access: c.access })
      : judgeOp(op, entry, { grant, declaration, access: c.access });
    if (!judged.ok) return judged;
  }
  return payload;
}

/** Meta is open to everybody who reads, op by op; a data domain needs WRITE and the domain in the grant's scope (X2, X3). */
function isInScope(grant: Grant, domain: DomainState): boolean {
  if (domain.isMeta) return hasPermission(grant.perms, permissions.read);
  return mayWriteDomain(grant, idHex(domain.id));
}

function isAfterPast(entry: Entry, c: DataContext): boolean {
  const hlc = { ms: entry.hlcMs, ctr: entry.hlcCtr };
  if (c.head !== null && compareHlc(hlc, c.head.hlc) <= 0) return false;
  return entry.deps.every((dep) => {
    const time = c.hlcOf(toHex(dep));
    return time === null || compareHlc(hlc, time) > 0;
  });
}

function judgeOp(
  op: Op,
  entry: Entry,
  c: { readonly grant: Grant; readonly declaration: Declaration; readonly access: AccessState },
): Result<null> {
  const fault = creatorFault(entry.author, op);
  if (fault !== null) return { ok: false, fault };
  if (op.kind === 'opaque' || op.kind === 'insert') return ok(null);
  const collection = own(c.declaration.collections, op.collection);
  if (collection?.owned !== true) return ok(null);
  const isOwner = isMemberOfPrefix(c.grant.member, creatorPrefixOf(op.id), c.access);
  return mayChangeOwned(c.grant, isOwner) ? ok(null) : fail('entry/owner', op.collection);
}

/** Schema versions and domain names are append-only: what was written under one must stay readable. */
const appendOnly: ReadonlySet<string> = new Set(['$schema', '$domains']);

function judgeMetaOp(
  op: Op,
  entry: Entry,
  { grant, access }: { readonly grant: Grant; readonly access: AccessState },
): Result<null> {
  if (op.kind === 'opaque') return ok(null);
  if (op.collection === '$profiles') {
    const isOwn = equalBytes(op.id, profileRecordId(entry.author));
    return isOwn ? ok(null) : fail('entry/owner');
  }
  const fault = creatorFault(entry.author, op);
  if (fault !== null) return { ok: false, fault };
  const needed = metaPermission(op.collection);
  if (needed !== null && !hasPermission(grant.perms, needed)) return fail('entry/forbidden', op.collection);
  if (op.kind === 'insert')
    return op.collection === '$domains' ? judgeName(op.fields['domain'], entry, access) : ok(null);
  // An invite is ended in control, where it counts who may (AUTH-8): its record is what others admit by.
  if (op.collection === '$invites' && !isCreatorOf(entry.author, op.id)) return fail('entry/owner');
  return appendOnly.has(op.collection) ? fail('entry/forbidden') : ok(null);
}

/** A domain is named by its author alone. Like a cap its entry in control must be here first, so that all say the same. */
function judgeName(domain: unknown, { author }: Entry, access: AccessState): Result<null> {
  const id = String(domain);
  const named = access.domains.get(id);
  if (named === undefined) return fail(/^[\da-f]{64}$/.test(id) ? 'entry/missing-dep' : 'entry/schema', id);
  return named.author === toHex(author) ? ok(null) : fail('entry/owner');
}

/**
 * Whether a device of this member made the records whose ids end in `prefix`. A device that was granted twice belongs to
 * both members, so that a later grant takes nobody's records away.
 */
function isMemberOfPrefix(member: string, prefix: Bytes, access: AccessState): boolean {
  for (const grant of access.grants.values())
    if (grant.member === member && equalBytes(grant.subjectId.subarray(0, devicePrefixBytes), prefix)) return true;
  return false;
}
