import {
  fromBase64Url,
  fromHex,
  readU32,
  toBase64Url,
  toHex,
  type Bytes,
  type Result,
} from '../../../../src/core/base/index.js';
import { isAdmitter, mayGive, type Grant, type InviteState, type KeyWrap } from '../../../../src/core/access/index.js';
import { isLowOrderX25519, sha256 } from '../../../../src/core/crypto/index.js';
import { rankIn } from '../../../../src/core/election/index.js';
import { sealKey } from '../../../../src/core/epoch/index.js';
import { bindMessage } from '../../../../src/core/identity/index.js';
import { joinAnswerMessage, joinAskMessage } from '../../../../src/core/invite/index.js';
import {
  joinAskInviteId,
  joinSigned,
  openJoinAsk,
  sealJoinAnswer,
  type JoinAnswer,
  type JoinAsk,
  type JoinStatus,
} from '../../../../src/core/wire/index.js';
import type { Unit } from '../../replica/index.js';
import { tryControl } from '../author.js';
import { bump, countFault, myGrant, now, sendEpoch, type RoomCore } from '../core.js';
import { keysToGive, maxGrantWraps } from '../epochs.js';
import type { Step } from '../step.js';
import type { NetLink } from './link.js';

/** Slot between two admitters that could answer (sync.md §6.2). */
const admitterSlotMs = 120;
/** Asks of one address that are looked at in a minute; 128 bits need no limit for secrecy, only our CPU does. */
const asksPerMinute = 20;
const minuteMs = 60_000;
/** Addresses of which asks are counted; beyond, the one that has asked least lately is forgotten. */
const maxAskers = 1024;
const zeros32 = new Uint8Array(32);

export interface AdmitHost {
  readonly isCleared: () => boolean;
  /** Devices that are here, for the order of answers. */
  readonly hereDevices: () => readonly Bytes[];
  readonly sendAfter: (step: Step, units: readonly Unit[]) => void;
}

/** The admitter's side of joining (X9). */
export interface Admitter {
  readonly onAsk: (netLink: NetLink, frame: Bytes, from: string) => Promise<void>;
  readonly stop: () => void;
}

export function createAdmitter(core: RoomCore, host: AdmitHost): Admitter {
  const waiting = new Map<string, () => void>();
  const recent = new Map<string, number[]>();
  const isAllowed = (from: string): boolean => {
    const at = core.ports.time.now();
    const times = (recent.get(from) ?? []).filter((time) => at - time < minuteMs);
    if (times.length >= asksPerMinute) return false;
    recent.delete(from);
    recent.set(from, [...times, at]);
    for (const oldest of recent.keys()) {
      if (recent.size <= maxAskers) break;
      recent.delete(oldest);
    }
    return true;
  };
  const answerLater = (o: AskCase): void => {
    const key = toHex(o.ask.requestId) + toHex(o.ask.device);
    if (waiting.has(key)) return;
    const admitters = host
      .hereDevices()
      .filter((device) => couldAdmit(o.invite, core.state.access.devices.get(toHex(device)) ?? null));
    const rank = rankIn({ reqId: o.ask.requestId, me: core.keys.deviceId, roster: admitters });
    const answer = (): void => {
      waiting.delete(key);
      core.loop.enqueue((step) => answerAsk(core, step, o, host));
    };
    waiting.set(key, core.ports.time.after(rank * admitterSlotMs, answer));
  };
  return {
    onAsk: async (netLink, frame, from) => {
      if (!isAllowed(from)) {
        bump(core, 'asksOverBudget');
        return;
      }
      const found = await readAsk(core, netLink, { frame, from });
      if (typeof found === 'string') countFault(core, found);
      else if (couldAdmit(found.invite, myGrant(core))) answerLater(found);
    },
    stop: () => {
      for (const cancel of waiting.values()) cancel();
    },
  };
}

interface AskCase {
  readonly netLink: NetLink;
  readonly from: string;
  readonly frame: Bytes;
  readonly psk: Bytes;
  readonly invite: InviteState;
  readonly ask: JoinAsk;
}

type AskFault = 'join/malformed' | 'join/unknown-invite' | 'join/bad-seal' | 'join/bad-proof' | 'frame/oversized';

/** An ASK that proves itself for an invite that this device knows, or the code of its fault. */
async function readAsk(
  core: RoomCore,
  netLink: NetLink,
  o: { frame: Bytes; from: string },
): Promise<AskCase | AskFault> {
  const named = joinAskInviteId(o.frame);
  if (!named.ok) return named.fault.code === 'frame/oversized' ? 'frame/oversized' : 'join/malformed';
  let code: AskFault = 'join/unknown-invite';
  for (const { psk, invite } of knownInvites(core, named.value)) {
    const opened = openJoinAsk(o.frame, { roomId: core.roomId, psk });
    if (opened.ok) {
      const found: AskCase = { netLink, ...o, psk, invite, ask: opened.value };
      if (await isProven(core, found, named.value)) return found;
      code = 'join/bad-proof';
    } else if (code !== 'join/bad-proof')
      code = opened.fault.code === 'join/bad-seal' ? 'join/bad-seal' : 'join/malformed';
  }
  return code;
}

async function isProven(core: RoomCore, { netLink, from, invite, ask }: AskCase, inviteId: Bytes): Promise<boolean> {
  const { requestId, device, x25519, joinerNonce } = ask;
  const place = { transportType: netLink.link.type, address: from };
  const message = joinAskMessage({ roomId: core.roomId, inviteId, requestId, device, x25519, joinerNonce, ...place });
  const verdicts = await core.ports.vault.verify([
    { publicKey: invite.payload.invitePub, message, signature: ask.inviteSig },
    { publicKey: device, message, signature: ask.deviceSig },
    { publicKey: device, message: bindMessage(core.roomId, x25519), signature: ask.bind },
  ]);
  return verdicts.every(Boolean) && !isLowOrderX25519(x25519);
}

interface KnownInvite {
  readonly psk: Bytes;
  readonly invite: InviteState;
}

/**
 * The invites that an ASK may be for, through the records of `$invites` that members share. Who may invite can say of an
 * invite of its own all that another's record says, so there may be several: first those by which this device can let
 * somebody in, then those of the senior author, then those that give more.
 */
function knownInvites(core: RoomCore, inviteId: Bytes): readonly KnownInvite[] {
  const wanted = toBase64Url(inviteId);
  const isShut = (invite: InviteState): number =>
    Number(!couldAdmit(invite, myGrant(core)) || refusalOf(core, invite) !== null);
  return [...core.state.records.entries('$invites')]
    .flatMap(([, record]) => {
      const { inviteId: id, invite, psk } = record.fields;
      if (id !== wanted || typeof invite !== 'string' || typeof psk !== 'string') return [];
      const [state, key] = [core.state.access.invites.get(invite), fromBase64Url(psk)];
      // Anybody who may invite can write a record here; only the maker of the invite knows what opens it.
      const isMakers = state !== undefined && record.creatorPrefix === state.author.subject.slice(0, 32);
      return isMakers && key?.length === 32 ? [{ psk: key, invite: state }] : [];
    })
    .sort(({ invite: a }, { invite: b }) => isShut(a) - isShut(b) || a.author.rank - b.author.rank || a.rank - b.rank);
}

function couldAdmit(invite: InviteState, grant: Grant | null): boolean {
  return (
    grant !== null &&
    !invite.payload.approval &&
    isAdmitter(invite.payload, invite.author, grant) &&
    mayGive(invite, grant)
  );
}

async function answerAsk(core: RoomCore, step: Step, o: AskCase, host: AdmitHost): Promise<void> {
  const before = grantFor(core, o.ask);
  const refusal = before === null ? refusalOf(core, o.invite) : null;
  if (before === 'other-device') return queueAnswer(core, step, o, { status: 'declined' });
  if (refusal !== null) return queueAnswer(core, step, o, { status: refusal });
  const epoch = sendEpoch(core);
  const key = epoch && core.epochKeys.get(toHex(epoch.kid));
  if (epoch === null || !key || (before === null && !host.isCleared()))
    return queueAnswer(core, step, o, { status: 'busy' });
  if (before !== null)
    return queueAnswer(core, step, o, { status: 'granted', grantId: before.record.entry.id, kid: epoch.kid, key });
  const unit = await writeGrant(core, step, o);
  const grantId = unit.ok ? unit.value.entries[0]?.id : undefined;
  // Others may have made it impossible in a way that nothing above asks for: somebody else may still answer.
  if (!unit.ok || grantId === undefined) return queueAnswer(core, step, o, { status: 'busy' });
  host.sendAfter(step, [unit.value]);
  bump(core, 'grantsWritten');
  await queueAnswer(core, step, o, { status: 'granted', grantId, kid: epoch.kid, key });
}

/** A grant that answered this request before, also by another admitter or before a crash: same request, same answer. */
function grantFor(core: RoomCore, ask: JoinAsk): Grant | 'other-device' | null {
  for (const grant of core.state.access.grants.values()) {
    if (grant.via?.requestId !== toHex(ask.requestId)) continue;
    if (grant.subject !== toHex(ask.device)) return 'other-device';
    if (!core.state.access.voids.has(grant.id)) return grant;
  }
  return null;
}

function refusalOf(core: RoomCore, { id }: InviteState): Exclude<JoinStatus, 'granted'> | null {
  const invite = core.state.access.invites.get(id);
  if (invite === undefined || invite.revoked || core.state.access.voids.has(invite.author.id)) return 'revoked';
  // An entry of mine comes after everything that is here, also where that is ahead of the clock.
  if (invite.payload.expiryMs <= Math.max(now(core), core.lastHlc.ms)) return 'expired';
  return invite.uses.size >= invite.payload.maxUses ? 'used' : null;
}

async function writeGrant(core: RoomCore, step: Step, o: AskCase): Promise<Result<Unit>> {
  const { payload } = o.invite;
  // Two admitters that cannot see each other begin at different slots for different people.
  let use = readU32(o.ask.requestId, 0) % payload.maxUses;
  while (core.state.access.invites.get(o.invite.id)?.uses.has(use) === true) use = (use + 1) % payload.maxUses;
  return tryControl(core, step, {
    kind: 'grant',
    subject: o.ask.device,
    x25519: o.ask.x25519,
    bind: o.ask.bind,
    member: new Uint8Array(0),
    scope: zeros32,
    rank: payload.rank,
    depth: 0,
    perms: payload.perms,
    write: payload.write,
    via: { invite: fromHex(o.invite.id) ?? zeros32, use, requestId: o.ask.requestId },
    wraps: await wrapsFor(core, o),
  });
}

/** Bytes of a grant beside its wraps and domains, of a wrap in it, and of a domain in its list, at most. */
const grantBytes = 512;
const wrapBytes = 120;
const domainBytes = 34;

/** What opens every epoch, for the new device: it reads the whole history. What does not fit comes with a new epoch (F5). */
async function wrapsFor(core: RoomCore, { ask, invite }: AskCase): Promise<KeyWrap[]> {
  const { vault } = core.ports;
  const room = core.state.access.limits.maxControl - grantBytes - domainBytes * (invite.payload.write?.length ?? 0);
  const wraps: KeyWrap[] = [];
  for (const { kid, key } of keysToGive(core, Math.max(0, Math.min(maxGrantWraps, Math.floor(room / wrapBytes))))) {
    const once = await vault.createDeviceKeys();
    const shared = await vault.agree(once, ask.x25519);
    if (shared === null) continue;
    const epk = once.x25519;
    const context = { roomId: core.roomId, scope: zeros32, kid, epk, device: ask.device, x25519: ask.x25519 };
    wraps.push({ kid, epk, sealed: sealKey(key, shared, context) });
  }
  return wraps;
}

/** Sent after the commit: an answer nobody can take back is never ahead of the disk. */
async function queueAnswer(core: RoomCore, step: Step, o: AskCase, answer: JoinAnswer): Promise<void> {
  const { vault } = core.ports;
  const once = await vault.createDeviceKeys();
  const shared = await vault.agree(once, o.ask.x25519);
  if (shared === null) return;
  const askHash = sha256(o.frame);
  const key = { roomId: core.roomId, askHash, psk: o.psk, shared };
  const unsigned = sealJoinAnswer(key, {
    ephemeral: once.x25519,
    admitter: core.keys.deviceId,
    answer,
    random32: core.ports.random.bytes(32),
  });
  const sig = await vault.sign(core.keys, joinAnswerMessage({ roomId: core.roomId, askHash, unsigned }));
  step.effects.push(() => {
    bump(core, 'answersSent');
    o.netLink.sendClear(joinSigned(unsigned, sig), [o.from], 'ctl');
  });
}
