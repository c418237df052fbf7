import { equalBytes, fromBase64Url, fromHex, toHex, type Bytes } from '../../../../src/core/base/index.js';
import { maxHlc } from '../../../../src/core/clock/index.js';
import { decodePack } from '../../../../src/core/pack/index.js';
import { storedBytes, type StoreKey, type StoreRow } from '../../../../src/ports/index.js';
import {
  chainKey,
  controlKey,
  domainOf,
  idAt,
  learnDeclaration,
  planForks,
  restoreChain,
  unitFrom,
  type Chain,
  type PackPlace,
  type Unit,
} from '../../replica/index.js';
import type { RoomCore } from '../core.js';
import { loadDeps } from '../hydrate.js';
import { packKey } from '../rows.js';
import type { StoredRoom } from '../stored.js';
import { unpackUndelivered, type SnapshotChain, type SnapshotHead } from './form.js';
import { grantVoids } from './write.js';
import type { StoredSnapshot } from './read.js';

/** A stored pack, opened. `isPart`: its chain knows of it already. */
export interface TailUnit {
  readonly unit: Unit;
  readonly place: PackPlace;
  readonly isPart?: boolean;
}

/** What is read of the history, and what reading more of it and replaying units needs of the loader. */
export interface Replay {
  readonly stored: StoredRoom;
  readonly control: readonly TailUnit[];
  readonly openRows: (core: RoomCore, rows: readonly StoreRow[]) => Promise<TailUnit[]>;
  readonly admitAll: (core: RoomCore, units: readonly TailUnit[]) => Promise<void>;
}

/**
 * The state of a snapshot, and what the packs have beyond it. Control is replayed from its own packs, as always: what
 * somebody may do is never taken from here. False: the history is not the one that the snapshot was made of, or says
 * something that changes what stood; nothing of `core` is of use then.
 */
export async function restoreRoom(core: RoomCore, snapshot: StoredSnapshot, replay: Replay): Promise<boolean> {
  const { control, stored } = replay;
  if (stored.state('fork').length > 0 || core.parts.size > 0) return false;
  const { head } = snapshot;
  const tails = readTails(core, { head, keys: stored.packKeys }); // what is asked for comes while control is judged
  planForks(core.state, control);
  await replay.admitAll(core, control);
  if (!isSameControl(core, head) || !restoreState(core, snapshot)) return false;
  core.counters.set('bytesStored', head.bytes + newControlBytes(stored, head));
  const tail = await tailOf(core, replay, { head, tails });
  if (tail === null) return false;
  planForks(core.state, tail);
  const isMeta = ({ unit }: TailUnit): boolean => core.state.access.domains.get(toHex(unit.domainId))?.isMeta === true;
  try {
    await loadDeps(
      core,
      tail.map(({ unit }) => unit),
    );
  } catch {
    return false; // a pack that should be there cannot be read
  }
  await replay.admitAll(core, tail.filter(isMeta));
  await replay.admitAll(
    core,
    tail.filter((item) => !isMeta(item)),
  );
  return !core.state.isStale && core.state.forks.size === 0 && !core.held.some(({ isRead }) => isRead === true);
}

/** Everything that control held then it holds now, and the same grants have no effect. */
function isSameControl({ state }: RoomCore, head: SnapshotHead): boolean {
  const isHeld = head.control.every(([author, count, headId]) =>
    isSameId(idAt(state.control.chainsByAuthor.get(author), count - 1), headId),
  );
  return isHeld && state.forks.size === 0 && grantVoids(state).join() === head.grantVoids.join();
}

/** What control's packs take that came after the snapshot: the others are counted in it. */
function newControlBytes({ control }: StoredRoom, head: SnapshotHead): number {
  const counts = new Map<unknown, number>(head.control.map(([author, count]) => [author, count]));
  const isNew = ({ key: [, , author, fromSeq] }: StoreRow): boolean => Number(fromSeq) >= (counts.get(author) ?? 0);
  return control.filter(isNew).reduce((sum, { value }) => sum + (storedBytes(value)?.length ?? 0), 0);
}

function isSameId(id: Bytes | undefined, text: string): boolean {
  const other = fromBase64Url(text);
  return id !== undefined && other !== null && equalBytes(id, other);
}

function restoreState(core: RoomCore, { head, blocks }: StoredSnapshot): boolean {
  const { state } = core;
  for (const { id, entryCount, lastHlc, chains } of head.domains) {
    const domain = domainOf(state, id);
    if (domain === null) return false;
    for (const chain of chains) restoreChain(domain, chainOf(chain));
    domain.entryCount = entryCount;
    domain.lastHlc = { ms: lastHlc[0], ctr: lastHlc[1] };
    core.lastHlc = maxHlc(core.lastHlc, domain.lastHlc);
  }
  for (const text of head.declarations) learnDeclaration(state, text);
  for (const [domain, name, namer] of head.domainNames) {
    state.domainNames.set(domain, name);
    state.domainNamers.set(domain, namer);
  }
  for (const [id, code] of head.voids) state.voids.set(id, code);
  unpackUndelivered(head.undelivered, { delivered: core.delivered, into: core.undelivered });
  state.records.restore(blocks);
  return true;
}

function chainOf({ author, count, ids, ms, ctr, signed }: SnapshotChain): Chain {
  const bytes = (text: string): Bytes => fromBase64Url(text) ?? new Uint8Array(0);
  return {
    authorId: fromHex(author) ?? new Uint8Array(32),
    loaded: { from: count - ids.length, ids: ids.map(bytes), ms: [...ms], ctr: [...ctr] },
    packs: [],
    signed: signed && { seq: signed[0], id: bytes(signed[1]), sig: bytes(signed[2]), boot: bytes(signed[3]) },
  };
}

/** What is stored beyond the chains of the snapshot; null when a chain does not lie on the disk as far as it says. */
async function tailOf(
  core: RoomCore,
  replay: Replay,
  { head, tails }: { readonly head: SnapshotHead; readonly tails: ReadonlyMap<string, StoredTail> },
): Promise<TailUnit[] | null> {
  for (const { id, chains } of head.domains)
    for (const { author } of chains) if (!tails.has(chainKey(id, author))) return null;
  const found = await Promise.all([...tails.values()].map((tail) => tailOfChain(core, replay, tail)));
  return found.every((tail) => tail !== null) ? found.flat() : null;
}

/** Where the packs of one chain begin, ascending. */
interface StoredChain {
  readonly domain: string;
  readonly author: string;
  readonly starts: number[];
}

/** The rows of a chain from the last one on that begins within what is covered. */
interface StoredTail extends StoredChain {
  readonly covered: number;
  /** Place of the first row among the starts; -1: nothing is covered, and they are all. */
  readonly last: number;
  readonly rows: Promise<readonly StoreRow[]>;
}

function readTails(
  core: RoomCore,
  { head, keys }: { readonly head: SnapshotHead; readonly keys: readonly StoreKey[] },
): Map<string, StoredTail> {
  const counts = new Map(
    head.domains.flatMap(({ id, chains }) => chains.map(({ author, count }) => [chainKey(id, author), count] as const)),
  );
  const tails = new Map<string, StoredTail>();
  for (const [key, { domain, author, starts }] of groupKeys(keys)) {
    if (domain === controlKey) continue;
    const covered = counts.get(key) ?? 0;
    const last = starts.findLastIndex((start) => start < covered);
    const from = packKey(core.room, { domain, author, fromSeq: starts[Math.max(0, last)] ?? 0 });
    const rows = core.ports.store.list('packs', [core.room, domain, author], from);
    rows.catch(() => undefined); // nobody waits where control has changed
    tails.set(key, { domain, author, starts, covered, last, rows });
  }
  return tails;
}

function groupKeys(keys: readonly StoreKey[]): Map<string, StoredChain> {
  const chains = new Map<string, StoredChain>();
  for (const [, domain, author, start] of keys) {
    if (typeof domain !== 'string' || typeof author !== 'string' || typeof start !== 'number') continue;
    const key = chainKey(domain, author);
    const chain = chains.get(key) ?? { domain, author, starts: [] };
    chain.starts.push(start);
    chains.set(key, chain);
  }
  return chains;
}

/**
 * Of what is covered only the clear header of the last pack is read: it has to reach as far as the chain of the snapshot,
 * and to end where that ends. It may reach further, when packs were joined since.
 */
async function tailOfChain(
  core: RoomCore,
  { openRows }: Replay,
  { domain, author, starts, covered, last, ...stored }: StoredTail,
): Promise<TailUnit[] | null> {
  const chain = domainOf(core.state, domain)?.chainsByAuthor.get(author);
  const rows = await stored.rows;
  const head = chain?.loaded.ids.at(-1);
  if (chain === undefined || head === undefined) return openRows(core, rows);
  const [first, ...beyond] = rows;
  const end = first === undefined || last < 0 ? null : endOf(first);
  if (first === undefined || end === null || end.count < covered) return null;
  chain.packs.push(...placesOf(starts.slice(0, last + 1), end.count));
  if (end.count === covered) return equalBytes(end.id, head) ? openRows(core, beyond) : null;
  const [crossing, ...others] = await openRows(core, rows);
  if (crossing === undefined || others.length < beyond.length) return null;
  const unit = unitFrom(crossing.unit, covered);
  return equalBytes(unit.prevId, head) ? [{ ...crossing, unit, isPart: true }, ...others] : null;
}

/** How far a pack reaches, and its last entry, by its clear header. */
function endOf({ value }: StoreRow): { readonly count: number; readonly id: Bytes } | null {
  const bytes = storedBytes(value);
  const pack = bytes && decodePack(bytes);
  return pack?.ok === true ? { count: pack.value.fromSeq + pack.value.count, id: pack.value.endId } : null;
}

/** Each reaches at least to the next one: chains have no holes. */
function placesOf(starts: readonly number[], end: number): PackPlace[] {
  return starts.map((fromSeq, i) => ({ fromSeq, count: (starts[i + 1] ?? end) - fromSeq, branch: null }));
}
