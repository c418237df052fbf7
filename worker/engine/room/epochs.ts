import { toHex, type Bytes } from '../../../src/core/base/index.js';
import { hasPermission, maxWrapRecipients, permissions, type ControlPayload } from '../../../src/core/access/index.js';
import { kidOf } from '../../../src/core/crypto/index.js';
import { rankIn } from '../../../src/core/election/index.js';
import { epochHeads, nextGeneration, sealKey, sealLink } from '../../../src/core/epoch/index.js';
import type { Unit } from '../replica/index.js';
import { writeControl } from './author.js';
import { learnKey, myGrant, sendEpoch, type RoomCore } from './core.js';
import type { Step } from './step.js';

const zeros32 = new Uint8Array(32);

/**
 * A new epoch for exactly the effective devices (F12): epoch entry with links to the epochs it continues, then wraps.
 * Gives the units, which must reach peers under a key they have.
 */
export async function mintEpoch(core: RoomCore, step: Step): Promise<readonly Unit[]> {
  const key = core.ports.random.bytes(32);
  const kid = kidOf(core.roomId, zeros32, key);
  const parents = epochHeads(core.state.access).filter((epoch) => core.epochKeys.has(toHex(epoch.kid)));
  const links = parents.flatMap((epoch) => {
    const parentKey = core.epochKeys.get(toHex(epoch.kid));
    const context = { roomId: core.roomId, scope: zeros32, kid, parentKid: epoch.kid };
    return parentKey === undefined ? [] : [sealLink(parentKey, key, context)];
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

/** Wraps of an epoch key: one ephemeral key, one sealed copy per device, ascending by device. */
async function wrapFor(
  core: RoomCore,
  k: { readonly kid: Bytes; readonly key: Bytes },
  devices: readonly { readonly device: Bytes; readonly x25519: Bytes }[],
): Promise<Extract<ControlPayload, { kind: 'wrap' }>> {
  const { vault } = core.ports;
  const once = await vault.createDeviceKeys();
  const epk = once.x25519;
  const sealFor = async ({ device, x25519 }: (typeof devices)[number]): Promise<{ device: Bytes; sealed: Bytes }> => {
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

/** How long this device waits before it mints, when no epoch may be written under; null: one may, or it cannot mint. */
export function mintDelay(core: RoomCore, here: readonly Bytes[]): number | null {
  const grant = myGrant(core);
  if (grant === null || sendEpoch(core) !== null || core.epochKeys.size === 0) return null;
  if (!hasPermission(grant.perms, permissions.write)) return null;
  const minters = here.filter((device) => {
    const other = core.state.access.devices.get(toHex(device));
    return other !== undefined && hasPermission(other.perms, permissions.write);
  });
  const newest = core.state.log.at(-1)?.entry.id ?? core.roomId;
  return mintSlotMs * rankIn({ reqId: newest, me: core.keys.deviceId, roster: minters });
}
