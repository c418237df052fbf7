import { compareBytes, toHex, type Bytes, type FaultCode } from '../base/index.js';
import type { Entry } from '../entry/index.js';
import type { ControlPayload, GrantPayload, InvitePayload, KeyWrap, RoomLimits } from './payload.js';
import { allPermissions, isWithin, type Power } from './permissions.js';

/** Device id (hex) → number of its control entries, and ids (hex) of those on branches: a causal past in `control`. */
export type ControlPast = ReadonlyMap<string, number>;

/** One admitted control entry with its decoded payload and its causal past (itself not included). */
export interface ControlRecord {
  /** Entry id, author and cap in hex. */
  readonly id: string;
  readonly author: string;
  readonly cap: string;
  readonly entry: Entry;
  readonly payload: ControlPayload;
  readonly past: ControlPast;
  /** It lies on a branch that does not stand here (F6): causal pasts name it by its id, for its place is another's. */
  readonly isBranch?: true;
}

/** A capability: who may do what. Genesis counts as the founder's grant. */
export interface Grant extends Power {
  /** Entry id in hex. */
  readonly id: string;
  readonly subject: string;
  readonly subjectId: Bytes;
  readonly x25519: Bytes;
  readonly member: string;
  readonly depth: number;
  readonly via: { readonly invite: string; readonly use: number; readonly requestId: string } | null;
  readonly wraps: readonly KeyWrap[];
  readonly record: ControlRecord;
}

export interface InviteState extends Power {
  readonly id: string;
  readonly payload: InvitePayload;
  readonly author: Grant;
  readonly revoked: boolean;
  /** Grants with effect that cite it, by use slot. */
  readonly uses: ReadonlyMap<number, Grant>;
}

export interface EpochState {
  readonly kid: Bytes;
  readonly gen: number;
  readonly record: ControlRecord;
  /** Devices (hex) some wrap in the log is for. */
  readonly recipients: ReadonlySet<string>;
}

export interface DomainState {
  readonly id: Bytes;
  /** Device id (hex) of who made it, and alone names it (X3). */
  readonly author: string;
  readonly isMeta: boolean;
}

/** Authority as a pure function of a set of admitted control entries: no order, clock or viewer enters. */
export interface AccessState {
  readonly limits: RoomLimits;
  readonly grants: ReadonlyMap<string, Grant>;
  /** Grants without effect, and why. */
  readonly voids: ReadonlyMap<string, FaultCode>;
  /** Effective devices and the grant each acts under (AUTH-13). */
  readonly devices: ReadonlyMap<string, Grant>;
  /** On a fallen branch too: whoever wrote in a domain loses nothing with its author (AUTH-7). */
  readonly domains: ReadonlyMap<string, DomainState>;
  readonly epochs: ReadonlyMap<string, EpochState>;
  /**
   * Every kid an epoch entry names, on a fallen branch too: an epoch without effect voids no content (F12). To each those of
   * its parents, whose keys its own opens.
   */
  readonly kids: ReadonlyMap<string, readonly string[]>;
  /** Kid → devices that a wrap of its key is for, all in hex. */
  readonly recipients: ReadonlyMap<string, ReadonlySet<string>>;
  readonly invites: ReadonlyMap<string, InviteState>;
}

const noLimits: RoomLimits = { maxPayload: 0, maxDeps: 0, maxControl: 0, maxDomains: 0 };

/** Whether `record` lies in `past`. */
export function isInPast(past: ControlPast, record: ControlRecord): boolean {
  if (record.isBranch === true) return past.has(record.id);
  return (past.get(record.author) ?? 0) > record.entry.seq;
}

/**
 * Evaluates a causally closed set of admitted entries (docs/protocol.md §Authority). `fallen` have no effect (F6); without
 * it those that are marked as branches.
 */
export function evaluateAccess(
  all: readonly ControlRecord[],
  fallen: ReadonlySet<string> = branchesOf(all),
): AccessState {
  const grants = new Map<string, Grant>();
  const domains = new Map<string, DomainState>();
  let limits = noLimits;
  const log = fallen.size === 0 ? all : all.filter((record) => !fallen.has(record.id));
  for (const record of all) {
    const { payload, entry, author } = record;
    const grant = grantOf(record);
    if (grant !== null) grants.set(grant.id, grant);
    if (payload.kind === 'genesis') limits = payload.limits;
    if (payload.kind === 'domain') domains.set(record.id, { id: entry.id, author, isMeta: payload.isMeta });
  }
  const voids = findVoids(all, grants, fallen);
  const effective = [...grants.values()].filter((grant) => !voids.has(grant.id));
  const invites = collectInvites(log, grants, effective, voids);
  const recipients = collectRecipients(all);
  return {
    limits,
    grants,
    voids,
    devices: bestByDevice(effective, grants, invites),
    domains,
    epochs: collectEpochs(log, recipients, grants),
    kids: collectKids(all),
    recipients,
    invites,
  };
}

const none: ReadonlySet<string> = new Set();

function branchesOf(log: readonly ControlRecord[]): ReadonlySet<string> {
  const branches = log.filter((record) => record.isBranch === true);
  return branches.length === 0 ? none : new Set(branches.map((record) => record.id));
}

/** Records do not change, so a grant is worked out once: logs are evaluated again with every entry that joins. */
const knownGrants = new WeakMap<ControlRecord, Grant>();

function grantOf(record: ControlRecord): Grant | null {
  const known = knownGrants.get(record);
  if (known !== undefined) return known;
  const grant = readGrant(record);
  if (grant !== null) knownGrants.set(record, grant);
  return grant;
}

function readGrant(record: ControlRecord): Grant | null {
  const { payload, entry, id } = record;
  if (payload.kind === 'genesis') {
    const founder = { id, record, subject: record.author, subjectId: entry.author, x25519: payload.x25519, member: id };
    return { ...founder, rank: 0, depth: 0, perms: allPermissions, write: null, via: null, wraps: [] };
  }
  return payload.kind === 'grant' ? fromPayload(record, payload) : null;
}

function fromPayload(record: ControlRecord, payload: GrantPayload): Grant {
  return {
    id: record.id,
    record,
    subject: toHex(payload.subject),
    subjectId: payload.subject,
    x25519: payload.x25519,
    member: payload.member.length === 0 ? record.id : toHex(payload.member),
    rank: payload.rank,
    depth: payload.depth,
    perms: payload.perms,
    write: payload.write === null ? null : new Set(payload.write.map(toHex)),
    via: payload.via && {
      invite: toHex(payload.via.invite),
      use: payload.via.use,
      requestId: toHex(payload.via.requestId),
    },
    wraps: payload.wraps,
  };
}

/**
 * Grants without effect: fallen themselves, made concurrently with the revocation of their invite, beaten to a use slot,
 * or resting on what has none (their granter's grant, the invite, or the grant of its author). All of these are senior to
 * the grant itself, so the recursion goes strictly down in rank. Of rivals for a slot the one of the senior admitter
 * stands, then the lower id: a junior cannot push out whom a senior let in.
 */
function findVoids(
  log: readonly ControlRecord[],
  grants: ReadonlyMap<string, Grant>,
  fallen: ReadonlySet<string>,
): Map<string, FaultCode> {
  const voids = new Map<string, FaultCode>();
  const inviters = new Map<string, string>();
  const revokes = new Map<string, ControlRecord[]>();
  for (const record of log) {
    if (record.payload.kind === 'invite') inviters.set(record.id, record.cap);
    if (record.payload.kind !== 'revoke' || fallen.has(record.id)) continue;
    const target = toHex(record.payload.target);
    const known = revokes.get(target);
    if (known === undefined) revokes.set(target, [record]);
    else known.push(record);
  }
  const byRank = [...grants.values()].sort(
    (a, b) =>
      a.rank - b.rank ||
      granterRank(a, grants) - granterRank(b, grants) ||
      compareBytes(a.record.entry.id, b.record.entry.id),
  );
  const slots = new Map<string, Grant>();
  for (const grant of byRank) {
    const code = voidCode(grant, { revokes, inviters, voids, slots, fallen });
    if (code !== null) voids.set(grant.id, code);
  }
  return voids;
}

function granterRank({ record }: Grant, grants: ReadonlyMap<string, Grant>): number {
  return grants.get(record.cap)?.rank ?? 0;
}

interface VoidContext {
  /** By invite. */
  readonly revokes: ReadonlyMap<string, readonly ControlRecord[]>;
  /** Invite → the grant its author acted under. */
  readonly inviters: ReadonlyMap<string, string>;
  readonly voids: ReadonlyMap<string, FaultCode>;
  readonly slots: Map<string, Grant>;
  readonly fallen: ReadonlySet<string>;
}

function voidCode(grant: Grant, c: VoidContext): FaultCode | null {
  if (grant.record.payload.kind === 'genesis') return null;
  if (c.fallen.has(grant.id)) return 'control/fork';
  if (c.voids.has(grant.record.cap)) return 'entry/grant-void';
  if (grant.via === null) return null;
  if (c.fallen.has(grant.via.invite)) return 'entry/grant-void';
  if (c.voids.has(c.inviters.get(grant.via.invite) ?? '')) return 'entry/grant-void';
  for (const revoke of c.revokes.get(grant.via.invite) ?? [])
    if (!c.voids.has(revoke.cap) && !isInPast(revoke.past, grant.record)) return 'control/invite-revoked';
  const slot = `${grant.via.invite}/${String(grant.via.use)}`;
  const rival = c.slots.get(slot);
  if (rival !== undefined && rival.subject !== grant.subject) return 'control/invite-slot';
  c.slots.set(slot, grant);
  return null;
}

/**
 * A device acts under the grant that the most senior gave, or under one that gives more in every respect: so nobody takes
 * anything from it by granting it once more. Of equal givers the one with the lowest permission bit that the other lacks.
 */
function bestByDevice(
  effective: readonly Grant[],
  grants: ReadonlyMap<string, Grant>,
  invites: ReadonlyMap<string, InviteState>,
): Map<string, Grant> {
  const bySubject = new Map<string, Grant[]>();
  for (const grant of effective) {
    const own = bySubject.get(grant.subject);
    if (own === undefined) bySubject.set(grant.subject, [grant]);
    else own.push(grant);
  }
  const giverRank = ({ via, record }: Grant): number =>
    (via === null ? grants.get(record.cap) : invites.get(via.invite)?.author)?.rank ?? 0;
  const byGiver = (a: Grant, b: Grant): number => {
    const differing = a.perms ^ b.perms;
    const lowest = differing & -differing;
    return (
      giverRank(a) - giverRank(b) ||
      (b.perms & lowest) - (a.perms & lowest) ||
      (b.write?.size ?? Infinity) - (a.write?.size ?? Infinity) ||
      a.rank - b.rank ||
      (a.id < b.id ? -1 : 1)
    );
  };
  const devices = new Map<string, Grant>();
  for (const [device, own] of bySubject)
    devices.set(
      device,
      own.sort(byGiver).reduce((best, grant) => (covers(grant, best) && !covers(best, grant) ? grant : best)),
    );
  return devices;
}

function covers(outer: Power, inner: Power): boolean {
  return outer.rank <= inner.rank && isWithin(inner, outer);
}

function collectKids(all: readonly ControlRecord[]): Map<string, readonly string[]> {
  const kids = new Map<string, readonly string[]>();
  for (const { payload } of all) {
    if (payload.kind !== 'epoch') continue;
    const kid = toHex(payload.kid);
    kids.set(kid, [...(kids.get(kid) ?? []), ...payload.parents.map(toHex)]);
  }
  return kids;
}

/** A fallen wrap has handed out its key all the same. */
function collectRecipients(all: readonly ControlRecord[]): Map<string, ReadonlySet<string>> {
  const recipients = new Map<string, Set<string>>();
  const add = (kid: Bytes, device: Bytes): void => {
    const key = toHex(kid);
    recipients.set(key, (recipients.get(key) ?? new Set()).add(toHex(device)));
  };
  for (const { payload } of all) {
    if (payload.kind === 'wrap') for (const to of payload.recipients) add(payload.kid, to.device);
    if (payload.kind === 'grant') for (const wrap of payload.wraps) add(wrap.kid, payload.subject);
  }
  return recipients;
}

/** Of several entries that name one kid (the key is one) that of the senior author counts, then the lower id. */
function collectEpochs(
  log: readonly ControlRecord[],
  recipients: ReadonlyMap<string, ReadonlySet<string>>,
  grants: ReadonlyMap<string, Grant>,
): Map<string, EpochState> {
  const epochs = new Map<string, EpochState>();
  for (const record of log) {
    if (record.payload.kind !== 'epoch') continue;
    const key = toHex(record.payload.kid);
    const rival = epochs.get(key)?.record;
    if (rival !== undefined && !isSenior(record, rival, grants)) continue;
    epochs.set(key, {
      kid: record.payload.kid,
      gen: record.payload.gen,
      record,
      recipients: recipients.get(key) ?? new Set(),
    });
  }
  return epochs;
}

function isSenior(a: ControlRecord, b: ControlRecord, grants: ReadonlyMap<string, Grant>): boolean {
  const [x, y] = [grants.get(a.cap)?.rank ?? 0, grants.get(b.cap)?.rank ?? 0];
  return x === y ? a.id < b.id : x < y;
}

function collectInvites(
  log: readonly ControlRecord[],
  grants: ReadonlyMap<string, Grant>,
  effective: readonly Grant[],
  voids: ReadonlyMap<string, FaultCode>,
): Map<string, InviteState> {
  const revoked = new Set<string>();
  for (const { payload, cap } of log)
    if (payload.kind === 'revoke' && !voids.has(cap)) revoked.add(toHex(payload.target));
  const usesByInvite = collectUses(effective);
  const invites = new Map<string, InviteState>();
  for (const record of log) {
    const author = grants.get(record.cap);
    if (record.payload.kind !== 'invite' || author === undefined) continue;
    const { rank, perms, write } = record.payload;
    const power = { rank, perms, write: write === null ? null : new Set(write.map(toHex)) };
    invites.set(record.id, {
      ...power,
      id: record.id,
      payload: record.payload,
      author,
      revoked: revoked.has(record.id),
      uses: usesByInvite.get(record.id) ?? new Map<number, Grant>(),
    });
  }
  return invites;
}

/** By invite and use; of several grants of one person the lowest id. */
function collectUses(effective: readonly Grant[]): Map<string, Map<number, Grant>> {
  const byInvite = new Map<string, Map<number, Grant>>();
  for (const grant of effective) {
    if (grant.via === null) continue;
    let uses = byInvite.get(grant.via.invite);
    if (uses === undefined) byInvite.set(grant.via.invite, (uses = new Map<number, Grant>()));
    const known = uses.get(grant.via.use);
    if (known === undefined || grant.id < known.id) uses.set(grant.via.use, grant);
  }
  return byInvite;
}

/** Whether `inner` may be given by `outer`: within its powers and strictly junior. */
export function mayGive(inner: Power, outer: Power): boolean {
  return inner.rank > outer.rank && isWithin(inner, outer);
}
