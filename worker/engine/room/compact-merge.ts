import { equalBytes, type Bytes } from '../../../src/core/base/index.js';
import { storedBytes, type StoreOp } from '../../../src/ports/index.js';
import { chainKey, countOf, domainOf, idAt, type Chain, type PackPlace, type Unit } from '../replica/index.js';
import { sealKid } from './author.js';
import { nextCut, planMerge } from './compact-plan.js';
import { bump, commitRows, countFault, createTurns, fanInOf, unitKeys, type RoomCore } from './core.js';
import { loadChain } from './hydrate.js';
import { tryJoin } from './joining.js';
import { packKey, putPack } from './rows.js';
import { openUnit, sealUnit } from './units.js';

/** What is known of a room's packs beside where they lie. */
export interface CompactMemory {
  /** By chain: everything before this place is as it should be; null until read from the disk. */
  settled: Map<string, number> | null;
  /** Packs that do not go together with the next. */
  readonly ends: WeakSet<PackPlace>;
  readonly isOver: () => boolean;
}

/** Makes one pack of several, where that is worth it; call between two turns. False: there is nothing to do. */
export async function mergeOnce(core: RoomCore, memory: CompactMemory): Promise<boolean> {
  const settled = (memory.settled ??= await readSettled(core));
  if (!core.loop.isResting()) return true; // what is in memory may not be on the disk
  const run = findRun(core, memory, settled);
  if (run === null) return false;
  const merge = await joinPacks(core, memory, run);
  if (merge === null) return !memory.isOver();
  const bytes = await sealUnit(
    merge.unit,
    { kid: sealKid(core), device: core.keys.deviceId },
    { ports: core.ports, keys: unitKeys(core) },
  );
  await new Promise<void>((resolve, reject) => {
    core.loop.alone(async () => replace(core, memory, { ...run, ...merge, bytes }).then(resolve, reject));
  });
  return true;
}

interface Run {
  readonly domain: string;
  readonly author: string;
  readonly chain: Chain;
  readonly places: readonly PackPlace[];
}

/** The first run of packs that is worth being one pack. Where there is none, what will not change again is noted. */
function findRun(core: RoomCore, memory: CompactMemory, settled: Map<string, number>): Run | null {
  const ops: StoreOp[] = [];
  const fanIn = fanInOf(core);
  for (const [domain, { chainsByAuthor }] of core.state.domains)
    for (const [author, chain] of chainsByAuthor) {
      const key = chainKey(domain, author);
      if (isForked(core, key)) continue;
      const from = settled.get(key) ?? 0;
      const places = planMerge(chain, { fanIn, from, endsRun: (place) => memory.ends.has(place) });
      if (places !== null) return { domain, author, chain, places };
      const to = nextCut(countOf(chain)) - nextCut(0);
      if (to <= from) continue;
      settled.set(key, to);
      ops.push({ do: 'put', table: 'state', key: [core.room, 'packed', domain, author], value: to });
    }
  if (ops.length > 0) core.loop.enqueue((step) => void step.ops.push(...ops));
  return null;
}

async function readSettled(core: RoomCore): Promise<Map<string, number>> {
  const rows = await core.ports.store.list('state', [core.room, 'packed']);
  return new Map(
    rows.flatMap(({ key: [, , domain, author], value }) =>
      typeof value === 'number' ? [[chainKey(String(domain), String(author)), value] as const] : [],
    ),
  );
}

function isForked({ state }: RoomCore, key: string): boolean {
  return state.forks.has(key) || state.dueForks.has(key);
}

interface Merge {
  readonly places: readonly PackPlace[];
  readonly unit: Unit;
  /** What the old packs take. */
  readonly oldBytes: number;
  /** Whether it is known not to go together with what comes after it. */
  readonly isEnd: boolean;
}

/** The first packs of a run that go together, as one unit; null: none do. A pack that does not open is left alone. */
async function joinPacks(core: RoomCore, memory: CompactMemory, run: Run): Promise<Merge | null> {
  const othersDue = createTurns(core);
  let joined: { unit: Unit; places: PackPlace[]; oldBytes: number } | null = null;
  for (const place of run.places) {
    const stored = await readUnit(core, run, place);
    await othersDue();
    if (memory.isOver()) return null;
    const both = stored && joined && tryJoin(joined.unit, stored.unit);
    if (stored !== null && joined !== null && both !== null) {
      joined.unit = both;
      joined.places.push(place);
      joined.oldBytes += stored.oldBytes;
      continue;
    }
    if (stored === null) memory.ends.add(place);
    if (joined !== null && joined.places.length > 1) return { ...joined, isEnd: true };
    for (const before of joined?.places ?? []) memory.ends.add(before);
    joined = stored && { ...stored, places: [place] };
  }
  return joined !== null && joined.places.length > 1 ? { ...joined, isEnd: false } : null;
}

/** A stored pack, if it opens and is what stands in its chain. */
async function readUnit(
  core: RoomCore,
  { domain, author, chain }: Run,
  { fromSeq, count }: PackPlace,
): Promise<{ unit: Unit; oldBytes: number } | null> {
  const { ports } = core;
  await loadChain(core, { domainHex: domain, author, seq: fromSeq + count - 1 });
  const bytes = storedBytes(await ports.store.get('packs', packKey(core.room, { domain, author, fromSeq })));
  const opened = bytes && (await openUnit(bytes, { ports, keys: unitKeys(core) }));
  const [end, id] = [opened?.ok === true ? opened.value.entries.at(-1) : null, idAt(chain, fromSeq + count - 1)];
  if (bytes !== null && opened?.ok === true && end && id && equalBytes(end.id, id))
    return { unit: opened.value, oldBytes: bytes.length };
  countFault(core, 'store/corrupt');
  return null;
}

/** The new pack takes the place of the old ones in one commit, unless they are no longer where they were. */
async function replace(
  core: RoomCore,
  memory: CompactMemory,
  m: Run & Merge & { readonly bytes: Bytes },
): Promise<void> {
  const { domain, author, chain, places } = m;
  const [first, ...others] = places;
  const at = first === undefined ? -1 : chain.packs.indexOf(first);
  const isHere =
    domainOf(core.state, domain)?.chainsByAuthor.get(author) === chain &&
    places.every((place, i) => chain.packs[at + i] === place) &&
    !isForked(core, chainKey(domain, author));
  if (first === undefined || !isHere || memory.isOver()) return;
  const keyOf = ({ fromSeq }: PackPlace): ReturnType<typeof packKey> => packKey(core.room, { domain, author, fromSeq });
  const commit = commitRows(core, [
    putPack(core.room, { domain, author, fromSeq: first.fromSeq }, m.bytes),
    ...others.map((place): StoreOp => ({ do: 'delete', table: 'packs', key: keyOf(place) })),
  ]);
  const done = commit.then(() => {
    const place = { ...first, count: m.unit.entries.length };
    chain.packs.splice(at, places.length, place);
    if (m.isEnd) memory.ends.add(place);
    bump(core, 'packsMerged', places.length);
    bump(core, 'bytesRewritten', m.bytes.length);
    bump(core, 'bytesStored', m.bytes.length - m.oldBytes);
  });
  core.rewriting = done.catch(() => undefined);
  await done;
}
