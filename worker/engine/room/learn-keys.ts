import { toHex, type Bytes } from '../../../src/core/base/index.js';
import { decodeControl, type ControlPayload } from '../../../src/core/access/index.js';
import { openKey, openLink } from '../../../src/core/epoch/index.js';
import type { Entry } from '../../../src/core/entry/index.js';
import { countFault, learnKey, type RoomCore } from './core.js';
import type { Step } from './step.js';

const zeros32 = new Uint8Array(32);

/** Epoch keys an admitted control entry brings to this device: wraps for it, and links to parents of a held epoch. */
export async function learnKeysOf(core: RoomCore, step: Step, entry: Entry): Promise<void> {
  const payload = entry.payload && decodeControl(entry.kind, entry.payload);
  if (payload === null || payload === 'unsupported') return;
  for (const wrap of wrapsForMe(core, payload)) await unwrap(core, step, wrap);
  openAllLinks(core, step);
}

/** From key to key, the newest epochs first, until no link brings another: one key opens everything before it (EPO-2). */
function openAllLinks(core: RoomCore, step: Step): void {
  const newestFirst = [...core.state.access.epochs.values()].reverse();
  for (let found = true; found;) {
    const before = core.epochKeys.size;
    for (const epoch of newestFirst) openLinks(core, step, epoch.record.payload);
    found = core.epochKeys.size > before;
  }
}

/** Links that did not open under the key of their epoch never will: they are not tried again. */
const badLinks = new WeakSet<Bytes>();

interface MyWrap {
  readonly kid: Bytes;
  readonly epk: Bytes;
  readonly sealed: Bytes;
}

function wrapsForMe(core: RoomCore, payload: ControlPayload): readonly MyWrap[] {
  if (payload.kind === 'grant') return toHex(payload.subject) === core.device ? payload.wraps : [];
  if (payload.kind !== 'wrap') return [];
  return payload.recipients
    .filter((to) => toHex(to.device) === core.device)
    .map((to) => ({ kid: payload.kid, epk: payload.epk, sealed: to.sealed }));
}

/** A wrap that does not open, or holds another key than its kid names, is counted and never stored (attack 16). */
async function unwrap(core: RoomCore, step: Step, wrap: MyWrap): Promise<void> {
  if (core.epochKeys.has(toHex(wrap.kid))) return;
  const shared = await core.ports.vault.agree(core.keys, wrap.epk);
  const context = {
    roomId: core.roomId,
    scope: zeros32,
    kid: wrap.kid,
    epk: wrap.epk,
    device: core.keys.deviceId,
    x25519: core.keys.x25519,
  };
  const key = shared && openKey(wrap.sealed, shared, context);
  if (key === null) countFault(core, 'entry/missing-key');
  else learnKey(core, step, { kid: wrap.kid, key });
}

function openLinks(core: RoomCore, step: Step, payload: ControlPayload): void {
  if (payload.kind !== 'epoch') return;
  const key = core.epochKeys.get(toHex(payload.kid));
  if (key === undefined) return;
  for (const [i, parentKid] of payload.parents.entries()) {
    const link = payload.links[i];
    if (link === undefined || core.epochKeys.has(toHex(parentKid)) || badLinks.has(link)) continue;
    const parent = openLink(link, key, { roomId: core.roomId, scope: payload.scope, kid: payload.kid, parentKid });
    if (parent !== null) learnKey(core, step, { kid: parentKid, key: parent });
    else badLinks.add(link);
  }
}
