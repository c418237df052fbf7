import { equalBytes, fromHex, isZero, toHex, type Bytes } from '../../../src/core/base/index.js';
import {
  hasPermission,
  isInPast,
  maxWrapRecipients,
  permissions,
  type ControlPayload,
  type ControlRecord,
  type EpochState,
} from '../../../src/core/access/index.js';
import { kidOf } from '../../../src/core/crypto/index.js';
import { rankIn } from '../../../src/core/election/index.js';
import {
  chooseSendEpoch,
  epochHeads,
  nextGeneration,
  openLink,
  sealKey,
  sealLink,
  sealedKeyBytes,
} from '../../../src/core/epoch/index.js';
import type { Unit } from '../replica/index.js';
import { writeControl } from './author.js';
import { learnKey, myGrant, sendEpoch, type RoomCore } from './core.js';
import type { Step } from './step.js';

const zeros32 = new Uint8Array(32);

/** Epochs that a new one continues, the newest: what names more does not fit an entry. */
const maxParents = 64;

/**
 * A new epoch for exactly the effective devices (F12): epoch entry with links to the epochs it continues, then wraps.
 * One whose key is not held here is continued too, or others would stay with it; its link is zeros, which says so.
 * Gives the units, which must reach peers under a key they have.
 */
export async function mintEpoch(core: RoomCore, step: Step): Promise<readonly Unit[]> {
  const key = core.ports.random.bytes(32);
  const kid = kidOf(core.roomId, zeros32, key);
  const parents = [...epochHeads(core.state.access)].sort(newerFirst).slice(0, maxParents);
  const links = parents.map((epoch) => {
    const parentKey = core.epochKeys.get(toHex(epoch.kid));
    const context = { roomId: core.roomId, scope: zeros32, kid, parentKid: epoch.kid };
    return parentKey === undefined ? new Uint8Array(sealedKeyBytes) : sealLink(parentKey, key, context);
  });
  learnKey(core, step, { kid, key });
  const gen = nextGeneration(parents);
  const units = [
    await writeControl(core, step, {
      kind: 'epoch',
      scope: zeros32,
      kid,
      gen,
      parents: parents.map((epoch) => epoch.kid),
      links,
    }),
  ];
  const devices = [...core.state.access.devices.values()];
  for (let at = 0; at < devices.length; at += maxWrapRecipients) {
    const some = devices.slice(at, at + maxWrapRecipients).map((g) => ({ device: g.subjectId, x25519: g.x25519 }));
    units.push(await writeControl(core, step, await wrapFor(core, { kid, key }, some)));
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

/** Epochs, and wraps of others' epochs, of mine in an hour that need no pause; each further one doubles it: nobody makes me write control for ever. */
const freeMints = 4;
const mintHourMs = 3_600_000;
const firstMintPauseMs = 1_000;
const maxMintPauseMs = 900_000;

/** A wrap that is due: of an epoch, for the one member's device whose own does not open. */
interface Repair {
  readonly epoch: EpochState;
  readonly device: Bytes;
  readonly x25519: Bytes;
}

/**
 * What is due, in one step (F5): a new epoch where none may be written under, or where others write under one that this
 * device was given no good wrap of; else a wrap for another in the same place. Gives the units; none: nothing is due.
 */
export async function mendEpochs(core: RoomCore, step: Step): Promise<readonly Unit[]> {
  if (lacksEpoch(core)) return mintEpoch(core, step);
  const repair = repairDue(core);
  const key = repair && core.epochKeys.get(toHex(repair.epoch.kid));
  if (!repair || !key) return [];
  return [await writeControl(core, step, await wrapFor(core, { kid: repair.epoch.kid, key }, [repair]))];
}

/** Whether there is no epoch that everybody with effect here may write under and read, this device among them. */
function lacksEpoch(core: RoomCore): boolean {
  const chosen = chooseSendEpoch(core.state.access, () => true);
  return chosen === null || !core.epochKeys.has(toHex(chosen.kid));
}

/** A link of zeros says that its author was given no good wrap of the parent: whoever holds it wraps it once more. */
function repairDue(core: RoomCore): Repair | null {
  const { access, log } = core.state;
  for (const { record } of access.epochs.values()) {
    const grant = access.devices.get(record.author);
    if (record.payload.kind !== 'epoch' || grant === undefined || record.author === core.device) continue;
    for (const [i, kid] of record.payload.parents.entries()) {
      const [epoch, link] = [access.epochs.get(toHex(kid)), record.payload.links[i]];
      if (epoch === undefined || link === undefined || !isZero(link) || !core.epochKeys.has(toHex(kid))) continue;
      const isMended = log.some((one) => wraps(one, kid, grant.subjectId) && isInPast(one.past, record));
      if (!isMended) return { epoch, device: grant.subjectId, x25519: grant.x25519 };
    }
  }
  return null;
}

function wraps({ payload }: ControlRecord, kid: Bytes, device: Bytes): boolean {
  return (
    payload.kind === 'wrap' &&
    equalBytes(payload.kid, kid) &&
    payload.recipients.some((to) => equalBytes(to.device, device))
  );
}

function mintPauseMs(core: RoomCore): number {
  const since = core.lastHlc.ms - mintHourMs;
  const isMint = ({ payload }: ControlRecord): boolean =>
    payload.kind === 'epoch' ||
    (payload.kind === 'wrap' && core.state.access.epochs.get(toHex(payload.kid))?.record.author !== core.device);
  const mine = core.state.log.filter((one) => one.author === core.device && one.entry.hlcMs > since && isMint(one));
  const isFree = mine.length < freeMints;
  return isFree ? 0 : Math.min(maxMintPauseMs, firstMintPauseMs * 2 ** (mine.length - freeMints));
}

/** How long this device waits before it does what {@link mendEpochs} would; null: nothing is due, or it cannot. */
export function mintDelay(core: RoomCore, here: readonly Bytes[]): number | null {
  const grant = myGrant(core);
  if (grant === null || core.epochKeys.size === 0) return null;
  if (!hasPermission(grant.perms, permissions.write)) return null;
  if (!lacksEpoch(core) && repairDue(core) === null) return null;
  const minters = here.filter((device) => {
    const other = core.state.access.devices.get(toHex(device));
    return other !== undefined && hasPermission(other.perms, permissions.write);
  });
  const newest = core.state.log.at(-1)?.entry.id ?? core.roomId;
  return mintPauseMs(core) + mintSlotMs * rankIn({ reqId: newest, me: core.keys.deviceId, roster: minters });
}

/** Wraps of one grant: more do not fit its entry beside the rest. */
const maxGrantWraps = 64;

/**
 * Held keys that together open everything: the one that is written under, and those that no other one opens by a link
 * (EPO-2), newest first. What a newcomer is given.
 */
export function keysToGive(core: RoomCore): readonly { readonly kid: Bytes; readonly key: Bytes }[] {
  const { epochs, kids } = core.state.access;
  const opened = new Set<string>();
  for (const [kid, { gen, record }] of epochs)
    if (record.payload.kind === 'epoch')
      for (const [i, parentKid] of record.payload.parents.entries()) {
        const [key, link] = [core.epochKeys.get(kid), record.payload.links[i]];
        const isOlder = (epochs.get(toHex(parentKid))?.gen ?? gen) < gen;
        if (!isOlder || key === undefined || link === undefined || isZero(link)) continue;
        const context = { roomId: core.roomId, scope: zeros32, kid: record.payload.kid, parentKid };
        if (openLink(link, key, context) !== null) opened.add(toHex(parentKid));
      }
  const written = sendEpoch(core);
  const writtenHex = written && toHex(written.kid);
  const genOf = (kid: string): number => (kid === writtenHex ? Infinity : (epochs.get(kid)?.gen ?? 0));
  return [...core.epochKeys]
    .filter(([kid]) => kids.has(kid) && (kid === writtenHex || !opened.has(kid)))
    .sort(([a], [b]) => genOf(b) - genOf(a))
    .slice(0, maxGrantWraps)
    .flatMap(([kidHex, key]) => {
      const kid = fromHex(kidHex);
      return kid === null ? [] : [{ kid, key }];
    });
}
