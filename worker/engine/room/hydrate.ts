import { equalBytes, toHex, type Bytes } from '../../../src/core/base/index.js';
import { storedBytes, StoreError } from '../../../src/ports/index.js';
import { countOf, domainOf, prependEntries, type Chain, type DomainReplica, type Unit } from '../replica/index.js';
import { unitKeys, type RoomCore } from './core.js';
import { packKey } from './rows.js';
import { openUnit } from './units.js';

/**
 * A room that was opened from a snapshot holds ids and times of the newest entries only. What older ones are asked for
 * comes from their packs here, before the question: everything that looks them up waits for nothing.
 */
const running = new WeakMap<Chain, Promise<void>>();

/** One chain from a place on. */
export async function loadChain(
  core: RoomCore,
  o: { readonly domainHex: string; readonly author: string; readonly seq: number },
): Promise<void> {
  const domain = domainOf(core.state, o.domainHex);
  const chain = domain?.chainsByAuthor.get(o.author);
  if (domain === null || chain === undefined) return;
  const seq = Math.max(0, o.seq);
  while (chain.loaded.from > seq) {
    const busy = running.get(chain);
    if (busy === undefined) running.set(chain, fetchFrom(core, { domain, chain, seq }));
    try {
      await running.get(chain);
    } finally {
      if (busy === undefined) running.delete(chain);
    }
  }
}

/** Where places of chains that somebody names are. */
export async function loadPlaces(
  core: RoomCore,
  places: readonly { readonly domainId: Bytes; readonly author: Bytes; readonly seq: number }[],
): Promise<void> {
  for (const { domainId, author, seq } of places)
    await loadChain(core, { domainHex: toHex(domainId), author: toHex(author), seq });
}

/** What a unit continues. */
export async function loadBefore(core: RoomCore, { domainId, author, fromSeq }: Unit): Promise<void> {
  await loadChain(core, { domainHex: toHex(domainId), author: toHex(author), seq: fromSeq - 1 });
}

/** What admitting units needs: their chains from before them on, and all of a domain when a dependency is none of the newest. */
export async function loadDeps(core: RoomCore, units: readonly Unit[]): Promise<void> {
  const here = new Set<string>();
  for (const unit of units) {
    await loadBefore(core, unit);
    for (const { id } of unit.entries) here.add(toHex(id));
  }
  for (const { domainId, entries } of units) {
    const domainHex = toHex(domainId);
    const domain = domainOf(core.state, domainHex);
    const isUnknown = (id: string): boolean =>
      domain?.places.has(id) !== true && domain?.fallen.has(id) !== true && !here.has(id);
    if (domain === null || !hasMore(domain)) continue;
    if (!entries.some(({ deps }) => deps.some((dep) => isUnknown(toHex(dep))))) continue;
    await loadDomain(core, domainHex);
  }
}

/**
 * The old entries of domains in which something waits for an entry, once nobody sends any more: most often it has waited
 * for one that was on its way. Whether there were any.
 */
export async function loadAwaited(core: RoomCore): Promise<boolean> {
  const waiting = new Set(
    core.held.flatMap(({ unit, code }) => (code === 'entry/missing-dep' ? [toHex(unit.domainId)] : [])),
  );
  const older = [...waiting].filter((domainHex) => hasMore(domainOf(core.state, domainHex)));
  for (const domainHex of older) await loadDomain(core, domainHex);
  return older.length > 0;
}

async function loadDomain(core: RoomCore, domainHex: string): Promise<void> {
  const authors = domainOf(core.state, domainHex)?.chainsByAuthor.keys() ?? [];
  for (const author of authors) await loadChain(core, { domainHex, author, seq: 0 });
}

/** The history is not what the state was taken from: it is replayed, and the snapshot goes. */
export function distrust(core: RoomCore): void {
  if (core.snapshot === null) return;
  core.snapshot.isBad = true;
  core.state.isStale = true;
}

/** Something of it is on the disk alone. */
export function hasMore(domain: DomainReplica | null): boolean {
  for (const { loaded } of domain?.chainsByAuthor.values() ?? []) if (loaded.from > 0) return true;
  return false;
}

/** Downwards, pack by pack: each has to end where the one above it begins. */
async function fetchFrom(
  core: RoomCore,
  { domain, chain, seq }: { readonly domain: DomainReplica; readonly chain: Chain; readonly seq: number },
): Promise<void> {
  const older: Unit['entries'][number][][] = [];
  let next: { seq: number; id: Bytes } | null = { seq: chain.loaded.from, id: chain.loaded.ids[0] ?? domain.id };
  while (next !== null && next.seq >= seq) {
    const unit: Unit | null = await packAt(core, { domain, chain, seq: next.seq });
    const [top, place]: [number, number] = [next.seq, next.seq - (unit?.fromSeq ?? 0)];
    const found = unit?.entries[place];
    if (unit === null || found === undefined || !equalBytes(found.id, next.id)) {
      distrust(core);
      throw new StoreError('broken', 'a stored pack does not fit its chain');
    }
    older.push(unit.entries.filter((entry) => entry.seq <= top && entry.seq < chain.loaded.from));
    next = unit.fromSeq === 0 ? null : { seq: unit.fromSeq - 1, id: unit.prevId };
  }
  prependEntries(domain, chain, older.reverse().flat());
}

async function packAt(
  core: RoomCore,
  { domain, chain, seq }: { readonly domain: DomainReplica; readonly chain: Chain; readonly seq: number },
): Promise<Unit | null> {
  await core.rewriting;
  const place = chain.packs.findLast(({ fromSeq, branch }) => branch === null && fromSeq <= seq);
  if (place === undefined || seq >= countOf(chain)) return null;
  const key = { domain: toHex(domain.id), author: toHex(chain.authorId), fromSeq: place.fromSeq };
  const bytes = storedBytes(await core.ports.store.get('packs', packKey(core.room, key)));
  await core.rewriting;
  // It was rewritten meanwhile.
  if (bytes === null && !chain.packs.includes(place)) return packAt(core, { domain, chain, seq });
  const unit = bytes && (await openUnit(bytes, { ports: core.ports, keys: unitKeys(core) }));
  return unit?.ok === true ? unit.value : null;
}
