import { toHex, type Bytes } from '../../../src/core/base/index.js';
import type { Grant, InviteState } from '../../../src/core/access/index.js';
import type { InviteInfo, MemberInfo, NetworkState, RoomInfo } from '../../../src/bridge/index.js';
import { domainName } from '../replica/index.js';
import type { RoomCore } from './core.js';
import { undeliveredCount } from './undelivered.js';

/** What the network part of a room adds to its info. */
export interface NetworkInfo {
  readonly network: NetworkState;
  /** Of the catch-up under way, or of the last. */
  readonly progress: number;
  readonly stalled: boolean;
  /** Devices (hex) that are here now; this one not included. */
  readonly online: ReadonlySet<string>;
  readonly lastSyncedAtMs: number | null;
  readonly blocked: string | null;
  /** Invite entry (hex) → code, for those made on this device. */
  readonly codes: ReadonlyMap<string, string>;
}

/** The room as its pages show it, beside the records. */
export function roomInfo(core: RoomCore, net: NetworkInfo): RoomInfo {
  const { access } = core.state;
  return {
    device: core.device,
    me: access.devices.get(core.device)?.member ?? '',
    members: memberInfos(core, net),
    invites: [...access.invites.values()]
      .filter((invite) => isListed(core, invite))
      .map((invite) => inviteInfo(invite, net)),
    domains: domainIds(core),
    declarations: [...core.state.declarations.values()].map((known) => known.bytes).filter((bytes) => bytes.length > 0),
    network: net.network,
    progress: net.network === 'syncing' ? net.progress : 1,
    stalled: net.stalled,
    undelivered: undeliveredCount(core),
    lastSyncedAtMs: net.lastSyncedAtMs,
    blocked: net.blocked,
  };
}

/** Members by their strongest device; devices by age of their grant. */
function memberInfos(core: RoomCore, net: NetworkInfo): MemberInfo[] {
  const byMember = new Map<string, Grant[]>();
  for (const grant of core.state.access.devices.values())
    byMember.set(grant.member, [...(byMember.get(grant.member) ?? []), grant]);
  const infos: MemberInfo[] = [];
  for (const [id, grants] of byMember) {
    const ordered = [...grants].sort((a, b) => a.record.entry.hlcMs - b.record.entry.hlcMs || (a.id < b.id ? -1 : 1));
    const best = [...grants].sort((a, b) => a.rank - b.rank)[0];
    if (best === undefined) continue;
    infos.push({
      id,
      rank: best.rank,
      perms: best.perms,
      write: namesOf(core, best.write),
      devices: ordered.map((grant) => grant.subject),
      online: ordered.some((grant) => grant.subject === core.device || net.online.has(grant.subject)),
      invitedBy: invitedBy(core, best),
    });
  }
  return infos.sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1));
}

function invitedBy(core: RoomCore, grant: Grant): string | null {
  const invite = grant.via && core.state.access.invites.get(grant.via.invite);
  if (invite) return invite.author.member;
  return core.state.access.grants.get(toHex(grant.record.entry.cap))?.member ?? null;
}

function namesOf(core: RoomCore, write: ReadonlySet<string> | null): readonly string[] | null {
  return write === null ? null : [...write].map((id) => domainName(core.state, id) ?? id);
}

function domainIds(core: RoomCore): Record<string, string> {
  const ids: Record<string, string> = {};
  const named = [...core.state.access.domains.keys()].sort();
  for (const id of named) {
    const name = domainName(core.state, id);
    if (name !== null && !Object.hasOwn(ids, name)) ids[name] = id;
  }
  return ids;
}

function isListed(core: RoomCore, invite: InviteState): boolean {
  return (
    !invite.revoked && invite.uses.size < invite.payload.maxUses && invite.payload.expiryMs > core.ports.time.now()
  );
}

export function inviteInfo(invite: InviteState, net: Pick<NetworkInfo, 'codes'>): InviteInfo {
  return {
    id: invite.id,
    code: net.codes.get(invite.id) ?? null,
    rank: invite.rank,
    expiresAtMs: invite.payload.expiryMs,
    usesLeft: invite.payload.maxUses - invite.uses.size,
  };
}

/** Domain id (bytes) by name: what a role's write list becomes in a grant. Null when a name is unknown. */
export function domainsByName(core: RoomCore, names: readonly string[] | null): readonly Bytes[] | null | undefined {
  if (names === null) return null;
  const ids = domainIds(core);
  const found: Bytes[] = [];
  for (const name of names) {
    const id = core.state.access.domains.get(ids[name] ?? '')?.id;
    if (id === undefined) return undefined;
    found.push(id);
  }
  return found;
}
