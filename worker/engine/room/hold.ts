import { equalBytes, toHex, type Bytes } from '../../../src/core/base/index.js';
import { bump, type HeldUnit, type RoomCore } from './core.js';

interface HeldBound {
  readonly bytes: number;
  readonly units: number;
}

/** Bounds of what waits (HOLD): beyond them the oldest is dropped and will be asked for again (requirements §8). */
const maxHeld: HeldBound = { bytes: 8 * 1024 * 1024, units: 4096 };
/** Of these so much of one author, */
const maxHeldOfAuthor: HeldBound = { bytes: 2 * 1024 * 1024, units: 1024 };
/** and so much of all authors that control knows no grant of: anybody can make them up. */
const maxHeldOfStrangers: HeldBound = { bytes: 1024 * 1024, units: 256 };
const zeros32 = new Uint8Array(32);

/** Whether the unit is new among what waits, and nothing had to go for it. */
export function hold(core: RoomCore, item: HeldUnit): boolean {
  // By the entry it ends in: of one chain several branches may wait, and each may be the one that is needed.
  const endOf = ({ unit }: HeldUnit): Bytes => unit.entries.at(-1)?.id ?? zeros32;
  const isSame = (other: HeldUnit): boolean => equalBytes(endOf(other), endOf(item));
  const others = core.held.filter((other) => !isSame(other));
  const isNew = others.length === core.held.length;
  core.held = [...others, item];
  const known = new Set([...core.state.access.grants.values()].map((grant) => grant.subject));
  const isStranger = ({ unit }: HeldUnit): boolean => !known.has(toHex(unit.author));
  let lost = isStranger(item) ? dropOldest(core, isStranger, maxHeldOfStrangers) : 0;
  const ofMembers =
    dropOldest(core, ({ unit }) => equalBytes(unit.author, item.unit.author), maxHeldOfAuthor) +
    dropOldest(core, () => true, maxHeld);
  // What strangers lose is not asked for again: whoever makes them up has more.
  core.heldLost += ofMembers;
  lost += ofMembers;
  return isNew && lost === 0;
}

/** Drops the oldest of some that wait until they keep the bound; gives how many. */
function dropOldest(core: RoomCore, of: (item: HeldUnit) => boolean, bound: HeldBound): number {
  const some = core.held.filter((item) => item.isRead !== true && of(item)); // what is on the disk would not be sent again
  let bytes = some.reduce((sum, item) => sum + item.bytes, 0);
  const gone = new Set<HeldUnit>();
  for (const item of some) {
    if (bytes <= bound.bytes && some.length - gone.size <= bound.units) break;
    bytes -= item.bytes;
    gone.add(item);
  }
  if (gone.size > 0) core.held = core.held.filter((item) => !gone.has(item));
  bump(core, 'heldDropped', gone.size);
  return gone.size;
}
