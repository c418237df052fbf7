import { fromHex, maxU48, toBase64Url, toHex } from '../../src/core/base/index.js';
import { hasPermission, mayGive, permissions, revokeTargetInvite } from '../../src/core/access/index.js';
import { encodeInviteCode, inviteKeys, inviteSecretBytes } from '../../src/core/invite/index.js';
import { createRecordId } from '../../src/core/identity/index.js';
import type { CallArgs, InviteInfo } from '../../src/bridge/index.js';
import { storedBytes } from '../../src/ports/index.js';
import { callError } from './call-error.js';
import { writeMeta } from './create.js';
import { writeControl } from './room/author.js';
import { myGrant, now, type RoomCore } from './room/core.js';
import { domainsByName, inviteInfo } from './room/info.js';
import { canAct } from './room/local.js';
import type { RoomEngine } from './room/room.js';
import type { StoredRoom } from './room/stored.js';
import type { Step } from './room/step.js';

/** What invites of a room are made from. */
export interface InvitingRoom {
  readonly engine: RoomEngine;
  /** Codes of invites made on this device, by invite entry (hex). */
  readonly codes: Map<string, string>;
  /** Those entries, by the request for them. */
  readonly requests: Map<string, string>;
}

const zeros32 = new Uint8Array(32);
const maxUsesLimit = 0xffff;
/** How long an invite is kept waiting for another member to answer. */
const signingWaitMs = 20_000;

/**
 * Makes an invite: its entry in control, its psk for the other admitters in `meta`, its secret sealed on this disk.
 * One use means one admitter, this device, so that "once" is exact (X9). `request` makes a repeated call the same invite.
 */
export async function createInvite(room: InvitingRoom, a: CallArgs<'createInvite'>): Promise<InviteInfo> {
  const { engine, codes, requests } = room;
  const { core } = engine;
  const known = requests.get(a.request);
  if (known !== undefined) return infoOf(core, codes, known);
  if (!Number.isInteger(a.maxUses) || a.maxUses < 1 || a.maxUses > maxUsesLimit)
    throw new RangeError(`maxUses: expected 1 to ${String(maxUsesLimit)}, got ${String(a.maxUses)}`);
  if (!(a.expiresInMs > 0)) throw new RangeError(`expiresInMs: expected more than 0, got ${String(a.expiresInMs)}`);
  await untilSigning(engine);
  // Asked twice at a time, it is made once: the look-up and the writing are one job.
  const id = await engine.act((step) => requests.get(a.request) ?? writeInvite(room, step, a));
  return infoOf(core, codes, id);
}

/** Control cannot be a draft: with nobody to ask where this device's chain ends it cannot be written (F10). */
async function untilSigning(room: RoomEngine): Promise<void> {
  if (room.core.blocked !== null) throw callError('device/blocked', 'another copy of this device has written');
  let cancel = (): void => undefined;
  const inVain = new Promise<never>((_, reject) => {
    cancel = room.core.ports.time.after(signingWaitMs, () => {
      reject(callError('invite/busy', 'no other member could be asked yet; try again when one is online'));
    });
  });
  try {
    await Promise.race([room.whenSigning(), inVain]);
  } finally {
    cancel();
  }
}

/** In the turn itself: what ran before it may have taken away what {@link untilSigning} waited for. */
function expectSigning({ core, net }: RoomEngine): void {
  if (!canAct(core, net.isCleared())) throw callError('invite/busy', 'nothing can be signed for a moment; try again');
}

async function writeInvite(room: InvitingRoom, step: Step, a: CallArgs<'createInvite'>): Promise<string> {
  const { core, net } = room.engine;
  const secret = core.ports.random.bytes(inviteSecretBytes);
  const grant = myGrant(core);
  const write = domainsByName(core, a.role.write);
  expectSigning(room.engine);
  if (grant === null || !hasPermission(grant.perms, permissions.invite))
    throw callError('access/forbidden', 'this device may not invite');
  if (write === undefined)
    throw callError('schema/not-published', 'the role names a domain that the room does not have');
  const power = { rank: a.role.rank, perms: a.role.perms, write: write === null ? null : new Set(write.map(toHex)) };
  if (!mayGive(power, grant)) throw callError('access/forbidden', 'an invite gives less than its maker has');
  const keys = inviteKeys({ roomId: core.roomId, secret });
  const { publicKey: invitePub } = await core.ports.vault.signerOfSeed(keys.seed);
  const isSingle = a.maxUses === 1;
  const unit = await writeControl(core, step, {
    kind: 'invite',
    invitePub,
    rank: a.role.rank,
    perms: a.role.perms,
    scope: zeros32,
    write: write === null ? null : [...write].sort((x, y) => (toHex(x) < toHex(y) ? -1 : 1)),
    maxUses: a.maxUses,
    expiryMs: Math.min(maxU48, now(core) + Math.floor(a.expiresInMs)),
    approval: false,
    anyAdmitter: !isSingle,
    admitters: isSingle ? [core.keys.deviceId] : [],
  });
  const id = toHex(unit.entries[0]?.id ?? zeros32);
  const fields = { invite: id, inviteId: toBase64Url(keys.inviteId), psk: toBase64Url(keys.psk) };
  const recordId = createRecordId(core.ports.random.bytes(12), core.keys.deviceId);
  const meta = await writeMeta(core, step, [{ kind: 'insert', collection: '$invites', id: recordId, fields }]);
  const sealed = core.ports.vault.sealAtRest('invite-secret', secret);
  step.ops.push({ do: 'put', table: 'state', key: [core.room, 'invite-secret', id], value: sealed });
  step.ops.push({ do: 'put', table: 'state', key: [core.room, 'invite-request', a.request], value: id });
  room.requests.set(a.request, id);
  room.codes.set(id, encodeInviteCode({ roomId: core.roomId, secret }));
  step.failures.push(() => {
    room.requests.delete(a.request);
    room.codes.delete(id);
  });
  step.effects.push(() => {
    net.sendUnits([unit, ...meta]);
  });
  return id;
}

/** Codes of the invites made on this device, by invite entry (hex). */
export function inviteCodes({ roomId, ports }: RoomCore, stored: StoredRoom): Map<string, string> {
  const codes = new Map<string, string>();
  for (const row of stored.state('invite-secret')) {
    const [id, sealed] = [row.key[2], storedBytes(row.value)];
    const secret = sealed && ports.vault.openAtRest('invite-secret', sealed);
    if (typeof id === 'string' && secret?.length === inviteSecretBytes)
      codes.set(id, encodeInviteCode({ roomId, secret }));
  }
  return codes;
}

/** What each request for an invite was answered with. */
export function inviteRequests(stored: StoredRoom): [string, string][] {
  return stored.state('invite-request').map(({ key, value }) => [String(key[2]), String(value)]);
}

/** Takes an invite back: grants made concurrently have no effect, those before stay (security.md §2.8). */
export async function revokeInvite(room: RoomEngine, id: string): Promise<void> {
  const { core } = room;
  await untilSigning(room);
  await room.act(async (step) => {
    const [invite, grant, target] = [core.state.access.invites.get(id), myGrant(core), fromHex(id)];
    if (invite === undefined || target === null) throw callError('record/not-found', 'no such invite');
    if (invite.revoked) return;
    if (grant === null || (invite.author.member !== grant.member && grant.rank >= invite.author.rank))
      throw callError('access/forbidden', 'only its maker or somebody senior may revoke an invite');
    expectSigning(room);
    const unit = await writeControl(core, step, {
      kind: 'revoke',
      targetKind: revokeTargetInvite,
      target,
      cascade: false,
    });
    step.effects.push(() => {
      room.net.sendUnits([unit]);
    });
  });
}

function infoOf(core: RoomCore, codes: ReadonlyMap<string, string>, id: string): InviteInfo {
  const invite = core.state.access.invites.get(id);
  if (invite === undefined) throw callError('record/not-found', 'the invite is gone');
  return inviteInfo(invite, { codes });
}
