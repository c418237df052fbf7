import type { InviteInfo, MemberInfo, PageInfo, RoleData } from '../bridge/index.js';
import { builtinRoles, permissions } from '../core/access/index.js';
import { own } from '../core/schema/index.js';
import type { Model, Replica } from '../view/index.js';
import { KeeproomError, memberOf, profileId } from '../view/index.js';
import { inviteLink } from './invite.js';
import type { Invite, Member, Profile } from './types.js';

/** A role of the app or of ours as a grant of it says it (format.md X2); null for a name that is neither. */
export function roleData(model: Model, name: string): RoleData | null {
  const builtin = own<{ readonly rank: number; readonly perms: number }>(builtinRoles, name);
  if (builtin !== undefined) return { ...builtin, write: null };
  const role = own(model.declaration.roles, name);
  if (role === undefined) return null;
  const { rank, write, can } = role;
  const perms = can.reduce(
    (bits, name) => bits | permissions[name],
    permissions.read | (write === 'none' ? 0 : permissions.write),
  );
  return { rank, perms, write: write === 'all' ? null : write === 'none' ? [] : write };
}

/** The name of a rank; one without a name shows as the nearest role that may less. */
function roleName(model: Model, rank: number): string {
  const roles = Object.entries<{ readonly rank: number }>({ ...builtinRoles, ...model.declaration.roles });
  roles.sort(([, a], [, b]) => a.rank - b.rank);
  return (roles.find(([, role]) => role.rank >= rank) ?? roles.at(-1))?.[0] ?? '';
}

/** How the room shows a member: its newest device with a profile speaks for it. */
export function toMember({ replica, model }: { replica: Replica; model: Model }, member: MemberInfo): Member {
  const { id, rank, devices, online, invitedBy } = member;
  const profiles = devices.map((device) => replica.table('$profiles').get(profileId(device))?.fields);
  const profile = profiles.findLast((fields) => fields !== undefined) ?? {};
  return {
    id,
    profile: toProfile(profile),
    role: roleName(model, rank),
    online,
    deviceCount: devices.length,
    invitedBy,
  };
}

/** This device's member, also in the moment before its grant is known. */
export function myMember(parts: { replica: Replica; model: Model }, info: PageInfo): Member {
  const { me, device } = info;
  const unknown = { id: me, rank: Infinity, perms: 0, write: [], devices: [device], online: true, invitedBy: null };
  return toMember(parts, memberOf(info, me) ?? unknown);
}

function toProfile({ name, color }: { readonly name?: unknown; readonly color?: unknown }): Profile {
  const shown = typeof name === 'string' ? name : '';
  return typeof color === 'string' ? { name: shown, color } : { name: shown };
}

/** An invite with its link, where its secret is known. */
export function toInvite(model: Model, { id, code, rank, expiresAtMs, usesLeft }: InviteInfo): Invite {
  return Object.freeze({
    id,
    code: code ?? '',
    role: roleName(model, rank),
    expiresAt: new Date(expiresAtMs),
    usesLeft,
    link: (page?: string | URL) => {
      if (code === null)
        throw new KeeproomError('invite/invalid', 'link: only the device that made an invite knows its code');
      return inviteLink(code, page);
    },
  });
}
