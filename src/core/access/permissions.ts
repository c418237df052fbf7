import { builtinRanks } from '../schema/index.js';

/** Permission bits of a grant (format.md X2). Any other bit set is a REJECT. */
export const permissions = {
  read: 1,
  write: 2,
  invite: 4,
  manageMembers: 8,
  manageRoles: 16,
  manageRecords: 32,
  manageSchema: 64,
} as const;

/** Every permission there is. */
export const allPermissions: number = 127;

/** The roles every room has; a role *is* its rank (X2). */
export const builtinRoles: Readonly<
  Record<'owner' | 'admin' | 'editor' | 'viewer', { readonly rank: number; readonly perms: number }>
> = {
  owner: { rank: builtinRanks.owner, perms: allPermissions },
  admin: { rank: builtinRanks.admin, perms: allPermissions },
  editor: { rank: builtinRanks.editor, perms: permissions.read | permissions.write | permissions.invite },
  viewer: { rank: builtinRanks.viewer, perms: permissions.read },
};

/** Whether `perms` holds every bit of `wanted`. */
export function hasPermission(perms: number, wanted: number): boolean {
  return (perms & wanted) === wanted;
}

/** What a grant allows, in the terms both the engine and the page have. */
export interface Power {
  readonly rank: number;
  readonly perms: number;
  /** Domains it may write (ids or names, as the caller keeps them); null = every domain of its scope. */
  readonly write: ReadonlySet<string> | null;
}

/** Whether it may write records in a data domain. */
export function mayWriteDomain(power: Power, domain: string): boolean {
  return hasPermission(power.perms, permissions.read | permissions.write) && (power.write?.has(domain) ?? true);
}

/** Owned collections: only the creator's member, or who manages records. */
export function mayChangeOwned(power: Power, isOwner: boolean): boolean {
  return isOwner || hasPermission(power.perms, permissions.manageRecords);
}

/** The permission an op in a `meta` collection needs (X3); null = READ is enough, and only for the own record. */
export function metaPermission(collection: string): number | null {
  switch (collection) {
    case '$profiles':
      return null;
    case '$roles':
      return permissions.manageRoles;
    case '$room':
      return permissions.manageRecords;
    case '$invites':
      return permissions.invite;
    default:
      return permissions.manageSchema;
  }
}

/** Whether `inner` is within `outer`: permissions and domains a subset. Rank is judged apart. */
export function isWithin(inner: Power, outer: Power): boolean {
  if (!hasPermission(outer.perms, inner.perms)) return false;
  if (outer.write === null) return true;
  if (inner.write === null) return false;
  const allowed = outer.write;
  return [...inner.write].every((domain) => allowed.has(domain));
}
