import { compareBytes, requireWithin, type Bytes } from '../base/index.js';
import { asArray, asBytes, asList, asUint, asBoolean, decodeValue, encodeValue, type Value } from '../codec/index.js';
import { entryKinds } from '../entry/index.js';
import { allPermissions } from './permissions.js';

/** Bytes of one control payload (format.md §2). */
export const maxControlPayloadBytes: number = 12 * 1024;
/** Recipients of one wrap entry (F12). */
export const maxWrapRecipients = 128;
const maxRank = 0xffff;
const maxListed = 256;

export interface RoomLimits {
  readonly maxPayload: number;
  readonly maxDeps: number;
  readonly maxControl: number;
  readonly maxDomains: number;
}

export interface GenesisPayload {
  readonly kind: 'genesis';
  readonly ruleset: number;
  readonly nonce: Bytes;
  readonly x25519: Bytes;
  readonly bind: Bytes;
  /** 32 bytes, or none: no recovery key. */
  readonly recovery: Bytes;
  readonly limits: RoomLimits;
}

export interface Via {
  readonly invite: Bytes;
  readonly use: number;
  readonly requestId: Bytes;
}

/** An epoch key for one device: opens with X25519(device, epk). */
export interface KeyWrap {
  readonly kid: Bytes;
  readonly epk: Bytes;
  readonly sealed: Bytes;
}

export interface GrantPayload {
  readonly kind: 'grant';
  readonly subject: Bytes;
  readonly x25519: Bytes;
  readonly bind: Bytes;
  /** 32 bytes, or none: a new person, whose id is this entry's. */
  readonly member: Bytes;
  readonly scope: Bytes;
  readonly rank: number;
  readonly depth: number;
  readonly perms: number;
  readonly write: readonly Bytes[] | null;
  readonly via: Via | null;
  readonly wraps: readonly KeyWrap[];
}

export interface EpochPayload {
  readonly kind: 'epoch';
  readonly scope: Bytes;
  readonly kid: Bytes;
  readonly gen: number;
  readonly parents: readonly Bytes[];
  readonly links: readonly Bytes[];
}

export interface WrapPayload {
  readonly kind: 'wrap';
  readonly kid: Bytes;
  readonly epk: Bytes;
  readonly recipients: readonly { readonly device: Bytes; readonly sealed: Bytes }[];
}

export interface DomainPayload {
  readonly kind: 'domain';
  readonly scope: Bytes;
  readonly isMeta: boolean;
  readonly nonce: Bytes;
}

export interface InvitePayload {
  readonly kind: 'invite';
  readonly invitePub: Bytes;
  readonly rank: number;
  readonly perms: number;
  readonly scope: Bytes;
  readonly write: readonly Bytes[] | null;
  readonly maxUses: number;
  readonly expiryMs: number;
  readonly approval: boolean;
  readonly anyAdmitter: boolean;
  readonly admitters: readonly Bytes[];
}

/** Only the invite kind has effect in this version; the others are held until theirs. */
export interface RevokePayload {
  readonly kind: 'revoke';
  readonly targetKind: number;
  readonly target: Bytes;
  readonly cascade: boolean;
}

export interface FoldPayload {
  readonly kind: 'fold';
}

export type ControlPayload =
  | GenesisPayload
  | GrantPayload
  | EpochPayload
  | WrapPayload
  | DomainPayload
  | InvitePayload
  | RevokePayload
  | FoldPayload;

/** `revoke` of an invite; kinds 0 to 2 (member, device, grant) have no effect in this version. */
export const revokeTargetInvite = 3;

/** The entry kind a payload goes with. */
export function controlKind(payload: ControlPayload): number {
  return entryKinds[payload.kind];
}

/** Positional MessagePack (format.md §2 Control payloads). Throws RangeError above {@link maxControlPayloadBytes}. */
export function encodeControl(payload: ControlPayload): Bytes {
  const bytes = encodeValue(toValue(payload));
  requireWithin('bytes of a control payload', bytes.length, 0, maxControlPayloadBytes);
  return bytes;
}

function toValue(p: ControlPayload): Value {
  switch (p.kind) {
    case 'genesis':
      return [
        p.ruleset,
        p.nonce,
        p.x25519,
        p.bind,
        p.recovery,
        [p.limits.maxPayload, p.limits.maxDeps, p.limits.maxControl, p.limits.maxDomains],
      ];
    case 'grant':
      return [
        p.subject,
        p.x25519,
        p.bind,
        p.member,
        p.scope,
        p.rank,
        p.depth,
        p.perms,
        p.write,
        p.via && [p.via.invite, p.via.use, p.via.requestId],
        p.wraps.map((w) => [w.kid, w.epk, w.sealed]),
      ];
    case 'epoch':
      return [p.scope, p.kid, p.gen, p.parents, p.links];
    case 'wrap':
      return [p.kid, p.epk, p.recipients.map((r) => [r.device, r.sealed])];
    case 'domain':
      return [p.scope, p.isMeta ? 1 : 0, p.nonce];
    case 'invite':
      return [
        p.invitePub,
        p.rank,
        p.perms,
        p.scope,
        p.write,
        p.maxUses,
        p.expiryMs,
        (p.approval ? 1 : 0) | (p.anyAdmitter ? 2 : 0),
        p.admitters,
      ];
    case 'revoke':
      return [p.targetKind, p.target, p.cascade, []];
    case 'fold':
      return [];
  }
}

/** Null when the bytes are not exactly one payload of that kind; 'unsupported' for kinds of later versions. */
export function decodeControl(kind: number, bytes: Bytes): ControlPayload | 'unsupported' | null {
  const decoder = decoders.get(kind);
  if (decoder === undefined) return 'unsupported';
  if (bytes.length > maxControlPayloadBytes) return null;
  const value = decodeValue(bytes);
  return value.ok ? decoder(value.value) : null;
}

const decoders: ReadonlyMap<number, (value: Value) => ControlPayload | 'unsupported' | null> = new Map<
  number,
  (value: Value) => ControlPayload | 'unsupported' | null
>([
  [entryKinds.genesis, decodeGenesis],
  [entryKinds.grant, decodeGrant],
  [entryKinds.epoch, decodeEpoch],
  [entryKinds.wrap, decodeWrap],
  [entryKinds.domain, decodeDomain],
  [entryKinds.invite, decodeInvite],
  [entryKinds.revoke, decodeRevoke],
  [entryKinds.fold, (value) => (asArray(value, 0) === null ? null : { kind: 'fold' })],
]);

function decodeGenesis(value: Value): GenesisPayload | null {
  const f = asArray(value, 6);
  const l = asArray(f?.[5], 4);
  if (f === null || l === null) return null;
  const [ruleset, nonce, x25519, bind, recovery] = [
    asUint(f[0], 0xffff),
    asBytes(f[1], 32),
    asBytes(f[2], 32),
    asBytes(f[3], 64),
    id32OrNone(f[4]),
  ];
  const [maxPayload, maxDeps, maxControl, maxDomains] = [
    asUint(l[0], 2 ** 20),
    asUint(l[1], 32),
    asUint(l[2], maxControlPayloadBytes),
    asUint(l[3], 256),
  ];
  if (ruleset === null || nonce === null || x25519 === null || bind === null || recovery === null) return null;
  if (maxPayload === null || maxDeps === null || maxControl === null || maxDomains === null) return null;
  return {
    kind: 'genesis',
    ruleset,
    nonce,
    x25519,
    bind,
    recovery,
    limits: { maxPayload, maxDeps, maxControl, maxDomains },
  };
}

function decodeGrant(value: Value): GrantPayload | null {
  const f = asArray(value, 11);
  if (f === null) return null;
  const [subject, x25519, bind, member, scope] = [
    asBytes(f[0], 32),
    asBytes(f[1], 32),
    asBytes(f[2], 64),
    id32OrNone(f[3]),
    asBytes(f[4], 32),
  ];
  const [rank, depth, perms] = [asUint(f[5], maxRank), asUint(f[6], 255), asUint(f[7], allPermissions)];
  const [write, via, wraps] = [asDomains(f[8]), asVia(f[9]), asWraps(f[10])];
  if (subject === null || x25519 === null || bind === null || member === null || scope === null) return null;
  if (rank === null || depth === null || perms === null || write === undefined || via === undefined || wraps === null)
    return null;
  return { kind: 'grant', subject, x25519, bind, member, scope, rank, depth, perms, write, via, wraps };
}

function decodeEpoch(value: Value): EpochPayload | null {
  const f = asArray(value, 5);
  if (f === null) return null;
  const [scope, kid, gen] = [asBytes(f[0], 32), asBytes(f[1], 32), asUint(f[2], 0xffffffff)];
  const [parents, links] = [asIds(f[3], 32), asIds(f[4], 48)];
  if (scope === null || kid === null || gen === null || parents === null || links === null) return null;
  return parents.length === links.length ? { kind: 'epoch', scope, kid, gen, parents, links } : null;
}

function decodeWrap(value: Value): WrapPayload | null {
  const f = asArray(value, 3);
  const list = asList(f?.[2], maxWrapRecipients);
  if (f === null || list === null) return null;
  const [kid, epk] = [asBytes(f[0], 32), asBytes(f[1], 32)];
  if (kid === null || epk === null) return null;
  const recipients: { device: Bytes; sealed: Bytes }[] = [];
  for (const item of list) {
    const pair = asArray(item, 2);
    const [device, sealed] = [asBytes(pair?.[0], 32), asBytes(pair?.[1], 48)];
    const before = recipients.at(-1);
    if (device === null || sealed === null || (before !== undefined && compareBytes(before.device, device) >= 0))
      return null;
    recipients.push({ device, sealed });
  }
  return { kind: 'wrap', kid, epk, recipients };
}

function decodeDomain(value: Value): DomainPayload | null {
  const f = asArray(value, 3);
  const [scope, flags, nonce] = [asBytes(f?.[0], 32), asUint(f?.[1], 1), asBytes(f?.[2], 16)];
  return scope === null || flags === null || nonce === null
    ? null
    : { kind: 'domain', scope, isMeta: flags === 1, nonce };
}

function decodeInvite(value: Value): InvitePayload | null {
  const f = asArray(value, 9);
  if (f === null) return null;
  const [invitePub, rank, perms, scope, write] = [
    asBytes(f[0], 32),
    asUint(f[1], maxRank),
    asUint(f[2], allPermissions),
    asBytes(f[3], 32),
    asDomains(f[4]),
  ];
  const [maxUses, expiryMs, flags, admitters] = [
    asUint(f[5], 0xffff),
    asUint(f[6], 2 ** 48 - 1),
    asUint(f[7], 3),
    asIds(f[8], 32),
  ];
  if (invitePub === null || rank === null || perms === null || scope === null || write === undefined) return null;
  if (maxUses === null || maxUses < 1 || expiryMs === null || flags === null || admitters === null) return null;
  return {
    kind: 'invite',
    invitePub,
    rank,
    perms,
    scope,
    write,
    maxUses,
    expiryMs,
    approval: (flags & 1) !== 0,
    anyAdmitter: (flags & 2) !== 0,
    admitters,
  };
}

function decodeRevoke(value: Value): RevokePayload | 'unsupported' | null {
  const f = asArray(value, 4);
  const [targetKind, target, cascade, pins] = [
    asUint(f?.[0], 3),
    asBytes(f?.[1], 32),
    asBoolean(f?.[2]),
    asList(f?.[3], 60),
  ];
  if (targetKind === null || target === null || cascade === null || pins === null) return null;
  if (targetKind !== revokeTargetInvite || pins.length > 0) return 'unsupported';
  return { kind: 'revoke', targetKind, target, cascade };
}

function id32OrNone(value: Value | undefined): Bytes | null {
  return asBytes(value, 32) ?? asBytes(value, 0);
}

function asIds(value: Value | undefined, length: number): Bytes[] | null {
  const list = asList(value, maxListed);
  if (list === null) return null;
  const ids: Bytes[] = [];
  for (const item of list) {
    const id = asBytes(item, length);
    if (id === null) return null;
    ids.push(id);
  }
  return ids;
}

/** Undefined = malformed; null = every domain. Ascending, so that one set has one encoding. */
function asDomains(value: Value | undefined): Bytes[] | null | undefined {
  if (value === null) return null;
  const ids = asIds(value, 32);
  if (ids === null) return undefined;
  const isAscending = ids.every((id, i) => i === 0 || compareBytes(ids[i - 1] ?? id, id) < 0);
  return isAscending ? ids : undefined;
}

function asVia(value: Value | undefined): Via | null | undefined {
  if (value === null) return null;
  const f = asArray(value, 3);
  const [invite, use, requestId] = [asBytes(f?.[0], 32), asUint(f?.[1], 0xffff), asBytes(f?.[2], 16)];
  return invite === null || use === null || requestId === null ? undefined : { invite, use, requestId };
}

function asWraps(value: Value | undefined): KeyWrap[] | null {
  const list = asList(value, maxListed);
  if (list === null) return null;
  const wraps: KeyWrap[] = [];
  for (const item of list) {
    const f = asArray(item, 3);
    const [kid, epk, sealed] = [asBytes(f?.[0], 32), asBytes(f?.[1], 32), asBytes(f?.[2], 48)];
    if (kid === null || epk === null || sealed === null) return null;
    wraps.push({ kid, epk, sealed });
  }
  return wraps;
}
