/**
 * Authority: capability grants ordered by (rank, depth), permissions and write scopes per domain, invites and their
 * revocation, the list of epochs and who holds their keys. Everything is a pure function of a causally closed set of
 * control entries (docs/protocol.md §Authority): judgeControl says whether an entry may exist, evaluateAccess what the
 * set amounts to. Revocation of people, adopt, groups and linked devices have bytes but no effect in this version.
 */
export type {
  ControlPayload,
  DomainPayload,
  EpochPayload,
  FoldPayload,
  GenesisPayload,
  GrantPayload,
  InvitePayload,
  KeyWrap,
  RevokePayload,
  RoomLimits,
  Via,
  WrapPayload,
} from './payload.js';
export {
  controlKind,
  decodeControl,
  encodeControl,
  maxControlPayloadBytes,
  maxWrapRecipients,
  revokeTargetInvite,
} from './payload.js';
export type { StandingPath, TreeEntry } from './branches.js';
export { fallenIn, standingPath } from './branches.js';
export { isAdmitter, judgeControl } from './judge.js';
export type { Power } from './permissions.js';
export {
  allPermissions,
  builtinRoles,
  hasPermission,
  isWithin,
  mayChangeOwned,
  mayWriteDomain,
  metaPermission,
  permissions,
} from './permissions.js';
export type { AccessState, ControlPast, ControlRecord, DomainState, EpochState, Grant, InviteState } from './state.js';
export { evaluateAccess, isInPast, mayGive } from './state.js';
