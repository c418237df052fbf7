import { toHex, type Bytes } from '../../../../src/core/base/index.js';
import { storedBytes } from '../../../../src/ports/index.js';
import { domainOf, idAt, type PackPlace } from '../../replica/index.js';
import { unitKeys, type RoomCore } from '../core.js';
import { branchKey, packKey } from '../rows.js';
import { openUnit, type EntryPlace } from '../units.js';
import type { ServedRange } from './lacking.js';

/** The end of a stored pack behind an entry, or all of it where that does not fit. */
export async function openFrom(core: RoomCore, bytes: Bytes, before: EntryPlace | null): ReturnType<typeof openUnit> {
  const c = { ports: core.ports, keys: unitKeys(core) };
  const end = before && (await openUnit(bytes, c, before));
  return end?.ok === true ? end : openUnit(bytes, c);
}

/** The entry before one within a stored pack, where its id is in memory. */
export function entryBefore(
  core: RoomCore,
  { domainHex, author }: ServedRange,
  seq: number,
  place: PackPlace,
): EntryPlace | null {
  const id = idAt(domainOf(core.state, domainHex)?.chainsByAuthor.get(toHex(author)), seq - 1);
  return seq > place.fromSeq && place.branch === null && id !== undefined ? { seq: seq - 1, id } : null;
}

/** A stored pack on its way from the disk. */
export interface ReadPack {
  readonly place: PackPlace | undefined;
  readonly bytes: Promise<Bytes | null>;
}

/** The first pack of a range as it lies: under which key it leaves is decided in its turn. */
export function readAhead(core: RoomCore, range: ServedRange): ReadPack {
  const place = packAt(core, range, range.from);
  const chain = { domainHex: range.domainHex, author: toHex(range.author) };
  return { place, bytes: place === undefined ? Promise.resolve(null) : readPack(core, { ...chain, place }) };
}

/** The stored pack in which an entry lies; the next time it may be another. */
export function packAt(core: RoomCore, { domainHex, author }: ServedRange, seq: number): PackPlace | undefined {
  const packs = domainOf(core.state, domainHex)?.chainsByAuthor.get(toHex(author))?.packs ?? [];
  let [low, high] = [0, packs.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((packs[middle]?.fromSeq ?? 0) <= seq) low = middle + 1;
    else high = middle;
  }
  const endsBefore = ({ fromSeq, count }: PackPlace): boolean => fromSeq + count <= seq;
  for (let place = packs[low - 1]; place !== undefined && endsBefore(place); place = packs[low - 1]) low--;
  return packs[low - 1];
}

/** The bytes of a stored pack; null where they cannot be read. */
export async function readPack(
  core: RoomCore,
  { domainHex: domain, author, place }: { domainHex: string; author: string; place: PackPlace },
): Promise<Bytes | null> {
  const { fromSeq, branch } = place;
  try {
    const row =
      branch === null
        ? core.ports.store.get('packs', packKey(core.room, { domain, author, fromSeq }))
        : core.ports.store.get('state', branchKey(core.room, { domain, author, fromSeq, branch }));
    return storedBytes(await row);
  } catch {
    return null;
  }
}
