import { compareBytes, maxU48, requireWithin, type Bytes } from '../base/index.js';
import {
  anything,
  bytesOf,
  bytesUpTo,
  decodeValue,
  encodeValue,
  fieldsOf,
  flag,
  held,
  listOf,
  only,
  orNull,
  uintTo,
  type Form,
  type Value,
} from '../codec/index.js';
import { entryKinds } from '../entry/index.js';
import { allPermissions } from './permissions.js';

/** Bytes of one control payload (format.md §2). */
export const maxControlPayloadBytes: number = 12 * 1024;
/** Recipients of one wrap entry (F12). */
export const maxWrapRecipients = 128;
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

/** The fields of a payload, in the order of the wire; its kind stands in the entry. */
type FieldsOf<P extends ControlPayload> = Form<Omit<P, 'kind'>>;

const id = bytesOf(32);
const idOrNone = only(bytesUpTo(32), ({ length }) => length === 32 || length === 0);
const signature = bytesOf(64);
const sealedKey = bytesOf(48);
const u16 = uintTo(0xffff);
const perms = uintTo(allPermissions);

function isAscending(ids: readonly Bytes[]): boolean {
  return ids.every((each, i) => i === 0 || compareBytes(ids[i - 1] ?? each, each) < 0);
}

/** Null: every domain. Ascending, so that one set has one encoding. */
const domains: Form<readonly Bytes[] | null> = orNull(only(listOf(id, maxListed), isAscending));

const genesis: FieldsOf<GenesisPayload> = fieldsOf({
  ruleset: u16,
  nonce: id,
  x25519: id,
  bind: signature,
  recovery: idOrNone,
  limits: fieldsOf<RoomLimits>({
    maxPayload: uintTo(2 ** 20),
    maxDeps: uintTo(32),
    maxControl: uintTo(maxControlPayloadBytes),
    maxDomains: uintTo(256),
  }),
});

const grant: FieldsOf<GrantPayload> = fieldsOf({
  subject: id,
  x25519: id,
  bind: signature,
  member: idOrNone,
  scope: id,
  rank: u16,
  depth: uintTo(255),
  perms,
  write: domains,
  via: orNull(fieldsOf<Via>({ invite: id, use: u16, requestId: bytesOf(16) })),
  wraps: listOf(fieldsOf<KeyWrap>({ kid: id, epk: id, sealed: sealedKey }), maxListed),
});

const epoch: FieldsOf<EpochPayload> = only(
  fieldsOf<Omit<EpochPayload, 'kind'>>({
    scope: id,
    kid: id,
    gen: uintTo(2 ** 32 - 1),
    parents: listOf(id, maxListed),
    links: listOf(sealedKey, maxListed),
  }),
  ({ parents, links }) => parents.length === links.length,
);

const wrap: FieldsOf<WrapPayload> = fieldsOf({
  kid: id,
  epk: id,
  recipients: only(
    listOf(fieldsOf<WrapPayload['recipients'][number]>({ device: id, sealed: sealedKey }), maxWrapRecipients),
    (recipients) => isAscending(recipients.map(({ device }) => device)),
  ),
});

const domain: FieldsOf<DomainPayload> = fieldsOf({
  scope: id,
  isMeta: held(uintTo(1), (value) => value === 1, Number),
  nonce: bytesOf(16),
});

const invite: FieldsOf<InvitePayload> = held(
  fieldsOf<Omit<InvitePayload, 'kind' | 'approval' | 'anyAdmitter'> & { readonly flags: number }>({
    invitePub: id,
    rank: u16,
    perms,
    scope: id,
    write: domains,
    maxUses: only(u16, (uses) => uses > 0),
    expiryMs: uintTo(maxU48),
    flags: uintTo(3),
    admitters: listOf(id, maxListed),
  }),
  ({ flags, ...rest }) => ({ ...rest, approval: (flags & 1) !== 0, anyAdmitter: (flags & 2) !== 0 }),
  ({ approval, anyAdmitter, ...rest }) => ({ ...rest, flags: (approval ? 1 : 0) | (anyAdmitter ? 2 : 0) }),
);

/** Pins belong to a later version: here they are counted. */
type RevokeFields = Omit<RevokePayload, 'kind'> & { readonly pins: readonly Value[] };

const revoke: Form<RevokeFields> = fieldsOf<RevokeFields>({
  targetKind: uintTo(3),
  target: id,
  cascade: flag,
  pins: listOf(anything, 60),
});

const forms = { genesis, grant, epoch, wrap, domain, invite, revoke, fold: fieldsOf<object>({}) };
const kinds = Object.keys(forms) as (keyof typeof forms)[];

function toValue(payload: ControlPayload): Value {
  return (forms[payload.kind] as Form<unknown>).write({ ...payload, pins: [] }, payload.kind);
}

/** Null when the bytes are not exactly one payload of that kind; 'unsupported' for kinds of later versions. */
export function decodeControl(kind: number, bytes: Bytes): ControlPayload | 'unsupported' | null {
  const name = kinds.find((each) => entryKinds[each] === kind);
  if (name === undefined) return 'unsupported';
  const value = bytes.length > maxControlPayloadBytes ? null : decodeValue(bytes);
  const fields = value?.ok === true ? (forms[name].read(value.value) as Partial<RevokeFields> | undefined) : undefined;
  if (fields === undefined) return null;
  const { pins, ...rest } = fields;
  if (pins !== undefined && (pins.length > 0 || rest.targetKind !== revokeTargetInvite)) return 'unsupported';
  return { kind: name, ...rest } as ControlPayload;
}
