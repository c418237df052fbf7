import { equalBytes } from '../../../../src/core/base/index.js';
import type { Peer } from '../../../../src/core/session/index.js';
import { myGrant, now, type RoomCore } from '../core.js';
import type { Roster } from './roster.js';

/** A clock that is further off says nothing about the room's time: more than the wrong day in the wrong zone (F17). */
const maxOffsetMs = 26 * 60 * 60_000;
/** What waits for its time is looked at again when the room's clock has moved on by more. */
const clockStepMs = 1_000;

/**
 * Takes the room's time from those that are here. The own clock has a voice too, so that one liar beside one honest peer
 * moves nobody (F17). Who comes in needs the room's time to take its control at all: until its grant has effect it goes by
 * whoever let it in, of several that say so by the latest. It signs nothing before. Whether it has moved on by much.
 */
export function heedClocks(core: RoomCore, roster: Pick<Roster, 'members' | 'here'>): boolean {
  const isMember = core.admitters.length === 0 || myGrant(core) !== null;
  const isAdmitter = (peer: Peer): boolean => core.admitters.some((one) => equalBytes(peer.device, one));
  const known = isMember ? roster.members() : roster.here().filter(isAdmitter);
  const offsets = known.map((peer) => peer.offsetMs).filter((offset) => Math.abs(offset) <= maxOffsetMs);
  const before = now(core);
  core.offsetsMs = isMember ? [0, ...offsets] : offsets.sort((a, b) => b - a).slice(0, 1);
  return now(core) > before + clockStepMs;
}
