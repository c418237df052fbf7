import { fromHex, isZero, toHex, type Bytes } from '../../../src/core/base/index.js';
import {
  hasPermission,
  maxWrapRecipients,
  permissions,
  type ControlPayload,
  type EpochState,
  type Grant,
} from '../../../src/core/access/index.js';
import { kidOf } from '../../../src/core/crypto/index.js';
import { rankIn } from '../../../src/core/election/index.js';
import {
  epochHeads,
  nextGeneration,
  openLink,
  sealKey,
  sealLink,
  sealedKeyBytes,
} from '../../../src/core/epoch/index.js';
import type { Unit } from '../replica/index.js';
import { tryControl } from './author.js';
import { learnKey, myGrant, sendEpoch, type RoomCore } from './core.js';
import type { Step } from './step.js';

const zeros32 = new Uint8Array(32);

/** Epochs that a new one continues, the newest: what names more does not fit an entry. */
const maxParents = 64;

/**
 * A new epoch for exactly the effective devices (F12): epoch entry with links to the epochs it continues, then wraps.
 * One whose key is not held here is continued too, or others would stay with it; its link is zeros, which asks for it.
 * Gives the units, which must reach peers under a key they have; fewer when others have made one impossible.
 */
export async function mintEpoch(core: RoomCore, step: Step): Promise<readonly Unit[]> {
  const key = core.ports.random.bytes(32);
  const kid = kidOf(core.roomId, zeros32, key);
  const continued = new Set([...epochHeads(core.state.access), ...epochsAsked(core), ...epochsShut(core)]);
  const parents = [...continued].sort(newerFirst).slice(0, maxParents);
  const links = parents.map((epoch) => {
    const parentKey = core.epochKeys.get(toHex(epoch.kid));
    const context = { roomId: core.roomId, scope: zeros32, kid, parentKid: epoch.kid };
    return parentKey === undefined ? new Uint8Array(sealedKeyBytes) : sealLink(parentKey, key, context);
  });
  learnKey(core, step, { kid, key });
  const gen = nextGeneration(parents);
  const units: Unit[] = [];
  const write = async (payload: ControlPayload): Promise<boolean> => {
    const unit = await tryControl(core, step, payload);
    if (unit.ok) units.push(unit.value);
    return unit.ok;
  };
  const parentKids = parents.map((epoch) => epoch.kid);
  let isWritten = await write({ kind: 'epoch', scope: zeros32, kid, gen, parents: parentKids, links });
  const devices = [...core.state.access.devices.values()];
  for (let at = 0; isWritten && at < devices.length; at += maxWrapRecipients) {
    const some = devices.slice(at, at + maxWrapRecipients).map((g) => ({ device: g.subjectId, x25519: g.x25519 }));
    isWritten = await write(await wrapFor(core, { kid, key }, some));
  }
  return units;
}

function newerFirst(a: EpochState, b: EpochState): number {
  return b.gen - a.gen || (toHex(a.kid) < toHex(b.kid) ? 1 : -1);
}

/** Wraps of an epoch key: one ephemeral key, one sealed copy per device, ascending by device. */
async function wrapFor(
  core: RoomCore,
  k: { readonly kid: Bytes; readonly key: Bytes },
  devices: readonly { readonly device: Bytes; readonly x25519: Bytes }[],
): Promise<Extract<ControlPayload, { kind: 'wrap' }>> {
  const { vault } = core.ports;
  const once = await vault.createDeviceKeys();
  const epk = once.x25519;
  const sealFor = async ({
    device,
    x25519,
  }: {
    device: Bytes;
    x25519: Bytes;
  }): Promise<{ device: Bytes; sealed: Bytes }> => {
    const shared = await vault.agree(once, x25519);
    if (shared === null) throw new TypeError('wrapFor: a device with a low-order key was admitted');
    const context = { roomId: core.roomId, scope: zeros32, kid: k.kid, epk, device, x25519 };
    return { device, sealed: sealKey(k.key, shared, context) };
  };
  const recipients = await Promise.all(devices.map(sealFor));
  recipients.sort((a, b) => (toHex(a.device) < toHex(b.device) ? -1 : 1));
  return { kind: 'wrap', kid: k.kid, epk, recipients };
}

/** Between two devices that could mint: the first one's epoch makes the others' needless. */
const mintSlotMs = 500;

/** Epochs or wraps of mine in an hour that need no pause; each further one doubles it: nobody makes me write control for ever. */
const freeMints = 4;
const mintHourMs = 3_600_000;
const firstMintPauseMs = 1_000;
const maxMintPauseMs = 900_000;
/** While nothing may be sent it is no longer than this: others must not silence a room. */
const maxSilentPauseMs = 8_000;

/**
 * What is due, in one step (F5): a new epoch where none may be written under, or where somebody asks for the key of one that
 * was; a wrap where somebody with effect was left out. Gives the units; none: nothing is due.
 */
export async function mendEpochs(core: RoomCore, step: Step): Promise<readonly Unit[]> {
  if (isMintDue(core)) return mintEpoch(core, step);
  const units: Unit[] = [];
  for (const epoch of epochsShut(core)) {
    const key = core.epochKeys.get(toHex(epoch.kid));
    const devices = leftOut(core, epoch);
    for (let at = 0; key !== undefined && at < devices.length; at += maxWrapRecipients) {
      const some = devices.slice(at, at + maxWrapRecipients).map((g) => ({ device: g.subjectId, x25519: g.x25519 }));
      const unit = await tryControl(core, step, await wrapFor(core, { kid: epoch.kid, key }, some));
      if (!unit.ok) return units;
      units.push(unit.value);
    }
  }
  return units;
}

function isMintDue(core: RoomCore): boolean {
  return sendEpoch(core) === null || epochsAsked(core).length > 0;
}

/** Others with effect that no wrap of an epoch is for. */
function leftOut(core: RoomCore, { recipients }: EpochState): Grant[] {
  const { devices } = core.state.access;
  return [...devices].flatMap(([device, grant]) => (device === core.device || recipients.has(device) ? [] : [grant]));
}

/** Epochs whose key is held here, which no newer key opens, and which are shut to somebody with effect. */
function epochsShut(core: RoomCore): readonly EpochState[] {
  const opened = openedByLinks(core);
  return [...core.state.access.epochs].flatMap(([kid, epoch]) => {
    const isEnd = core.epochKeys.has(kid) && !opened.has(kid);
    return isEnd && leftOut(core, epoch).length > 0 ? [epoch] : [];
  });
}

/**
 * Epochs that the next one has to continue, or what was written under them would stay shut to somebody who was named: of
 * those whose key is held here and which no newer key opens, what was asked for; of the others, what says that this device
 * was given the key. A link of zeros asks, once for everybody: it is answered by a mint.
 */
function epochsAsked(core: RoomCore): readonly EpochState[] {
  const { epochs } = core.state.access;
  const asked = new Set<string>();
  for (const { record } of epochs.values())
    if (record.payload.kind === 'epoch')
      for (const [i, link] of record.payload.links.entries())
        if (isZero(link)) asked.add(toHex(record.payload.parents[i] ?? zeros32));
  const opened = openedByLinks(core);
  return [...epochs].flatMap(([kid, epoch]) => {
    const isDue = core.epochKeys.has(kid)
      ? !opened.has(kid) && asked.has(kid)
      : epoch.recipients.has(core.device) && !asked.has(kid);
    return isDue ? [epoch] : [];
  });
}

function mintPauseMs(core: RoomCore, kind: 'epoch' | 'wrap', maxMs: number): number {
  const since = core.lastHlc.ms - mintHourMs;
  const mine = core.state.log.filter(
    ({ author, entry, payload }) => author === core.device && entry.hlcMs > since && payload.kind === kind,
  );
  const isFree = mine.length < freeMints;
  return isFree ? 0 : Math.min(maxMs, firstMintPauseMs * 2 ** (mine.length - freeMints));
}

/** How long this device waits before it does what {@link mendEpochs} would; null: nothing is due, or it cannot. */
export function mintDelay(core: RoomCore, here: readonly Bytes[]): number | null {
  const grant = myGrant(core);
  if (grant === null || core.epochKeys.size === 0) return null;
  if (!hasPermission(grant.perms, permissions.write)) return null;
  const isMint = isMintDue(core);
  if (!isMint && epochsShut(core).length === 0) return null;
  const minters = here.filter((device) => {
    const other = core.state.access.devices.get(toHex(device));
    return other !== undefined && hasPermission(other.perms, permissions.write);
  });
  const newest = core.state.log.at(-1)?.entry.id ?? core.roomId;
  const maxMs = sendEpoch(core) === null ? maxSilentPauseMs : maxMintPauseMs;
  return (
    mintPauseMs(core, isMint ? 'epoch' : 'wrap', maxMs) +
    mintSlotMs * rankIn({ reqId: newest, me: core.keys.deviceId, roster: minters })
  );
}

/** Wraps of one grant, at most: more do not fit its entry beside the rest. */
export const maxGrantWraps = 64;

/** Links that hold the key their epoch names: under one key a link always says the same. */
const knownLinks = new WeakMap<Bytes, boolean>();

/** Kids (hex) that a held key of a newer epoch opens by a link (EPO-2). */
function openedByLinks(core: RoomCore): ReadonlySet<string> {
  const { epochs } = core.state.access;
  const opened = new Set<string>();
  for (const [kid, { gen, record }] of epochs)
    if (record.payload.kind === 'epoch')
      for (const [i, parentKid] of record.payload.parents.entries()) {
        const [key, link] = [core.epochKeys.get(kid), record.payload.links[i]];
        const isOlder = (epochs.get(toHex(parentKid))?.gen ?? gen) < gen;
        if (!isOlder || key === undefined || link === undefined || isZero(link)) continue;
        const context = { roomId: core.roomId, scope: zeros32, kid: record.payload.kid, parentKid };
        const isGood = knownLinks.get(link) ?? openLink(link, key, context) !== null;
        knownLinks.set(link, isGood);
        if (isGood) opened.add(toHex(parentKid));
      }
  return opened;
}

/**
 * Held keys that together open everything: the one that is written under, and those that no other one opens by a link,
 * newest first, so many as fit. What a newcomer is given.
 */
export function keysToGive(
  core: RoomCore,
  limit: number = maxGrantWraps,
): readonly { readonly kid: Bytes; readonly key: Bytes }[] {
  const { epochs, kids } = core.state.access;
  const opened = openedByLinks(core);
  const written = sendEpoch(core);
  const writtenHex = written && toHex(written.kid);
  const genOf = (kid: string): number => (kid === writtenHex ? Infinity : (epochs.get(kid)?.gen ?? 0));
  return [...core.epochKeys]
    .filter(([kid]) => kids.has(kid) && (kid === writtenHex || !opened.has(kid)))
    .sort(([a], [b]) => genOf(b) - genOf(a))
    .slice(0, limit)
    .flatMap(([kidHex, key]) => {
      const kid = fromHex(kidHex);
      return kid === null ? [] : [{ kid, key }];
    });
}
