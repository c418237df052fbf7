import { equalBytes, fail, isZero, ok, toHex, type Bytes, type FaultCode, type Result } from '../base/index.js';
import type { Entry } from '../entry/index.js';
import {
  revokeTargetInvite,
  type ControlPayload,
  type EpochPayload,
  type GrantPayload,
  type InvitePayload,
  type RevokePayload,
  type WrapPayload,
} from './payload.js';
import { hasPermission, permissions } from './permissions.js';
import { mayGive, type AccessState, type Grant } from './state.js';

/**
 * Phase 1: may this control entry exist? A pure function of the entry and the authority of its own causal past, so every
 * peer agrees for ever (security.md §2.7). `past` is evaluateAccess over exactly the entries before it.
 * Signatures (the entry's, and `bind`) are checked by the engine before. Every failure is REJECT.
 */
export function judgeControl(entry: Entry, payload: ControlPayload, past: AccessState): Result<null> {
  if (payload.kind === 'genesis') return judgeGenesis(entry, past);
  const cap = past.grants.get(toHex(entry.cap));
  if (cap === undefined || cap.subject !== toHex(entry.author) || past.voids.has(cap.id)) return fail('control/cap');
  if (!isZero(entry.kid)) return fail('control/malformed');
  switch (payload.kind) {
    case 'grant':
      return judgeGrant(entry, payload, { past, cap });
    case 'epoch':
      return judgeEpoch(payload, { past, cap });
    case 'wrap':
      return judgeWrap(payload, { past, cap });
    case 'domain':
      return judgeDomain(payload.isMeta, { past, cap });
    case 'invite':
      return judgeInvite(payload, cap);
    case 'revoke':
      return judgeRevoke(payload, { past, cap });
    case 'fold':
      return ok(null);
  }
}

interface Context {
  readonly past: AccessState;
  readonly cap: Grant;
}

function judgeGenesis(entry: Entry, past: AccessState): Result<null> {
  const isFirst = entry.seq === 0 && past.grants.size === 0;
  return judged(isFirst && isZero(entry.cap) && isZero(entry.kid), 'control/malformed');
}

function judgeGrant(entry: Entry, payload: GrantPayload, c: Context): Result<null> {
  const given = { rank: payload.rank, perms: payload.perms, write: domainSet(payload.write) };
  // Groups, delegated depth and linked devices belong to a later version.
  if (!isZero(payload.scope) || payload.depth !== 0 || payload.member.length !== 0) return fail('control/forbidden');
  if (!mayGive(given, c.cap)) return fail('control/escalation');
  if (!payload.wraps.every(({ kid }) => c.past.kids.has(toHex(kid)))) return fail('control/bad-wrap');
  if (payload.via === null) return judged(hasPermission(c.cap.perms, permissions.manageMembers), 'control/forbidden');
  const invite = c.past.invites.get(toHex(payload.via.invite));
  if (invite === undefined || invite.revoked || c.past.voids.has(invite.author.id)) return fail('control/bad-invite');
  if (entry.hlcMs > invite.payload.expiryMs || payload.via.use >= invite.payload.maxUses)
    return fail('control/bad-invite');
  const taken = invite.uses.get(payload.via.use);
  if (taken !== undefined && taken.subject !== toHex(payload.subject)) return fail('control/bad-invite');
  if (!isAdmitter(invite.payload, invite.author, c.cap)) return fail('control/forbidden');
  const isAsInvited =
    given.rank === invite.rank && given.perms === invite.perms && isSameSet(given.write, invite.write);
  return judged(isAsInvited, 'control/escalation');
}

/** Who may use an invite to admit: its author's device, a named admitter, or with the flag anybody who may invite. */
export function isAdmitter(invite: InvitePayload, author: Grant, granter: Grant): boolean {
  if (!hasPermission(granter.perms, permissions.invite)) return false;
  if (granter.subject === author.subject) return true;
  return invite.anyAdmitter || invite.admitters.some((device) => equalBytes(device, granter.subjectId));
}

function judgeEpoch(payload: EpochPayload, c: Context): Result<null> {
  if (!hasPermission(c.cap.perms, permissions.write) || !isZero(payload.scope)) return fail('control/forbidden');
  let gen = 1;
  for (const parent of payload.parents) {
    const epoch = c.past.epochs.get(toHex(parent));
    if (epoch === undefined) return fail('control/bad-parent');
    gen = Math.max(gen, epoch.gen + 1);
  }
  return judged(payload.gen === gen && !c.past.epochs.has(toHex(payload.kid)), 'control/bad-parent');
}

/** A wrap makes its recipients readers of an epoch, and nobody writes under one that strangers may read (F5). */
function judgeWrap(payload: WrapPayload, c: Context): Result<null> {
  if (!hasPermission(c.cap.perms, permissions.write)) return fail('control/forbidden');
  if (!c.past.epochs.has(toHex(payload.kid))) return fail('control/bad-parent');
  return judged(
    payload.recipients.every(({ device }) => c.past.devices.has(toHex(device))),
    'control/bad-wrap',
  );
}

function judgeDomain(isMeta: boolean, c: Context): Result<null> {
  if (!hasPermission(c.cap.perms, permissions.manageSchema)) return fail('control/forbidden');
  if (c.past.domains.size >= c.past.limits.maxDomains) return fail('control/forbidden');
  const hasMeta = [...c.past.domains.values()].some((domain) => domain.isMeta);
  return judged(!isMeta || (!hasMeta && c.cap.rank === 0), 'control/forbidden');
}

function judgeInvite(payload: InvitePayload, cap: Grant): Result<null> {
  if (!hasPermission(cap.perms, permissions.invite) || !isZero(payload.scope)) return fail('control/forbidden');
  const offered = { rank: payload.rank, perms: payload.perms, write: domainSet(payload.write) };
  return judged(mayGive(offered, cap), 'control/escalation');
}

function judgeRevoke(payload: RevokePayload, c: Context): Result<null> {
  const invite = payload.targetKind === revokeTargetInvite ? c.past.invites.get(toHex(payload.target)) : undefined;
  if (invite === undefined) return fail('control/bad-invite');
  const isOwn = invite.author.member === c.cap.member;
  return judged(isOwn || c.cap.rank < invite.author.rank, 'control/forbidden');
}

function judged(isAllowed: boolean, code: FaultCode): Result<null> {
  return isAllowed ? ok(null) : fail(code);
}

function domainSet(ids: readonly Bytes[] | null): ReadonlySet<string> | null {
  return ids === null ? null : new Set(ids.map(toHex));
}

function isSameSet(a: ReadonlySet<string> | null, b: ReadonlySet<string> | null): boolean {
  if (a === null || b === null) return a === b;
  return a.size === b.size && [...a].every((item) => b.has(item));
}
