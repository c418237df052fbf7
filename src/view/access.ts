import type { MemberInfo, PageInfo } from '../bridge/index.js';
import type { Power } from '../core/access/index.js';
import { hasPermission, mayChangeOwned, mayWriteDomain, metaPermission, permissions } from '../core/access/index.js';
import type { CollectionDeclaration } from '../core/schema/index.js';
import { metaDomain } from '../core/schema/index.js';
import { creatorOf } from './ids.js';

/** What a member may do, in names of domains, as the engine tells them. */
function powerOf({ rank, perms, write }: MemberInfo): Power {
  return { rank, perms, write: write && new Set(write) };
}

/** The member of a room by id. */
export function memberOf(info: PageInfo, id: string): MemberInfo | null {
  return info.members.find((member) => member.id === id) ?? null;
}

/** The member whose device made the record; null while it is not known here. */
export function creatorMember(info: PageInfo, recordId: string): MemberInfo | null {
  const creator = creatorOf(recordId);
  return info.members.find(({ devices }) => devices.includes(creator)) ?? null;
}

/** What is written: a collection, and the record unless it is new. */
export interface WriteTarget {
  readonly name: string;
  readonly collection: CollectionDeclaration;
  readonly id: string | null;
}

/** Whether the rules that every peer enforces let this device's member write there (format.md X2, X3). */
export function mayWrite(info: PageInfo, { name, collection, id }: WriteTarget): boolean {
  const me = memberOf(info, info.me);
  if (me === null) return false;
  const power = powerOf(me);
  if (collection.domain === metaDomain) {
    return hasPermission(power.perms, permissions.read | (metaPermission(name) ?? 0));
  }
  if (!mayWriteDomain(power, collection.domain)) return false;
  return !collection.owned || id === null || mayChangeOwned(power, creatorMember(info, id)?.id === me.id);
}
