import { idHex, toHex, type Bytes, type FaultCode } from '../../../src/core/base/index.js';
import {
  evaluateAccess,
  type AccessState,
  type ControlRecord,
  type DomainState,
} from '../../../src/core/access/index.js';
import { compareHlc, zeroHlc, type Hlc } from '../../../src/core/clock/index.js';
import type { Entry } from '../../../src/core/entry/index.js';
import { createRecords, type Records } from '../../../src/core/record/index.js';
import type { Declaration } from '../../../src/core/schema/index.js';
import type { Weakness } from '../ports.js';
import type { FallenEntry, Fork, PackPlace } from './branches.js';
import type { Unit } from './unit.js';

/** Ids and times of the newest entries of a chain: all of them, but where a room was opened from a snapshot. Index = seq - from. */
export interface LoadedEntries {
  from: number;
  ids: Bytes[];
  ms: number[];
  ctr: number[];
}

/** One device's entries in one domain, without their payloads. */
export interface Chain {
  readonly authorId: Bytes;
  /** What is older is fetched from its packs before anything asks for it (room/hydrate.ts). The newest is always here. */
  readonly loaded: LoadedEntries;
  /** Where the stored packs lie, ascending and without gaps; the last may reach beyond what is admitted. */
  readonly packs: PackPlace[];
  /** The newest entry that carries a signature of the author, whether or not it stands: a head certificate (F3). */
  signed: { readonly seq: number; readonly id: Bytes; readonly sig: Bytes; readonly boot: Bytes } | null;
}

/** What is held of one domain. */
export interface DomainReplica {
  readonly id: Bytes;
  readonly chainsByAuthor: Map<string, Chain>;
  /** Entry id (hex) → author (hex) and seq, of those that are loaded. */
  readonly places: Map<string, { readonly author: string; readonly seq: number }>;
  /** Entries that are kept and do not stand, by id (hex). */
  readonly fallen: Map<string, FallenEntry>;
  entryCount: number;
  /** The latest time of an admitted entry. */
  lastHlc: Hlc;
}

/** Everything the engine knows of a room's content; rebuilt from the disk at start. Owned and changed by the room's one step at a time. */
export interface ReplicaState {
  readonly roomId: Bytes;
  readonly control: DomainReplica;
  readonly log: ControlRecord[];
  readonly recordsById: Map<string, ControlRecord>;
  access: AccessState;
  /** Data domains and meta by domain id (hex), as far as control names them. */
  readonly domains: Map<string, DomainReplica>;
  readonly records: Records;
  /** Published declarations by prefix (hex), in the order of their publication. */
  readonly declarations: Map<string, { readonly declaration: Declaration; readonly bytes: Bytes }>;
  /** Domain id (hex) → name, as `meta` says. */
  readonly domainNames: Map<string, string>;
  /** Domain id (hex) → the meta (hex) that says so: there may be two (F6). */
  readonly domainNamers: Map<string, string>;
  /** What was judged before rests on something that has changed since: the state is to be rebuilt from the disk. */
  isStale: boolean;
  /** Admitted entries without effect, by id. */
  readonly voids: Map<string, FaultCode>;
  /** Epoch secrets by kid (hex). */
  readonly prks: Map<string, Bytes>;
  /** Chains with two entries for one place, by {@link chainKey}. */
  readonly forks: Map<string, Fork>;
  /** Proofs of forks that change what stands, by {@link chainKey}: they count when the state is rebuilt, which is due. */
  readonly dueForks: Map<string, PackPlace>;
  /** Author of genesis (hex), where that had to be known before it was admitted. */
  founder: string | null;
  /** Checks that are switched off; none but in the simulator. */
  readonly weaknesses: ReadonlySet<Weakness> | undefined;
}

/** Control's domain id. */
export const controlId: Bytes = new Uint8Array(32);
/** Key of control in maps by domain. */
export const controlKey: string = toHex(controlId);

export function createReplicaState(roomId: Bytes, weaknesses?: ReadonlySet<Weakness>): ReplicaState {
  return {
    roomId,
    control: createDomain(controlId),
    log: [],
    recordsById: new Map(),
    access: evaluateAccess([]),
    domains: new Map(),
    records: createRecords(),
    declarations: new Map(),
    domainNames: new Map(),
    domainNamers: new Map(),
    isStale: false,
    voids: new Map(),
    prks: new Map(),
    forks: new Map(),
    dueForks: new Map(),
    founder: null,
    weaknesses,
  };
}

function createDomain(id: Bytes): DomainReplica {
  return { id, chainsByAuthor: new Map(), places: new Map(), fallen: new Map(), entryCount: 0, lastHlc: zeroHlc };
}

/** The replica of a domain, or null when control does not name it (yet). */
export function domainOf(state: ReplicaState, domainHex: string): DomainReplica | null {
  if (domainHex === controlKey) return state.control;
  const known = state.domains.get(domainHex);
  if (known !== undefined) return known;
  const named: DomainState | undefined = state.access.domains.get(domainHex);
  if (named === undefined) return null;
  const domain = createDomain(named.id);
  state.domains.set(domainHex, domain);
  return domain;
}

/** Every domain that control names, control first, meta second: the order in which history is served and read. */
export function domainsInOrder(state: ReplicaState): readonly string[] {
  const named = [...state.access.domains].sort(
    ([a, x], [b, y]) => Number(y.isMeta) - Number(x.isMeta) || (a < b ? -1 : 1),
  );
  return [controlKey, ...named.map(([key]) => key)];
}

/** Name of a domain: meta's own, or what `meta` says; null while unknown. */
export function domainName(state: ReplicaState, domainHex: string): string | null {
  return state.access.domains.get(domainHex)?.isMeta === true ? 'meta' : (state.domainNames.get(domainHex) ?? null);
}

/** Key of one chain in maps over all domains. */
export function chainKey(domainHex: string, author: string): string {
  return `${domainHex}/${author}`;
}

/** Entries admitted of a chain: the newest has seq `countOf - 1`. */
export function countOf(chain: Chain | undefined): number {
  return chain === undefined ? 0 : chain.loaded.from + chain.loaded.ids.length;
}

/** Id of the entry at a place; undefined beyond the chain's end, and before what is loaded. */
export function idAt(chain: Chain | undefined, seq: number): Bytes | undefined {
  return chain?.loaded.ids[seq - chain.loaded.from];
}

function hlcAt({ loaded }: Chain, seq: number): Hlc {
  const at = seq - loaded.from;
  return { ms: loaded.ms[at] ?? 0, ctr: loaded.ctr[at] ?? 0 };
}

/** Time of an entry that is held, or null. One that does not stand counts as well: its time is what others had to pass. */
export function hlcOf(domain: DomainReplica, idHex: string): Hlc | null {
  const place = domain.places.get(idHex);
  if (place === undefined) return domain.fallen.get(idHex)?.hlc ?? null;
  const chain = domain.chainsByAuthor.get(place.author);
  return chain ? hlcAt(chain, place.seq) : null;
}

/** Head of a chain, or null. */
export function headOf(domain: DomainReplica, author: string): { seq: number; id: Bytes; hlc: Hlc } | null {
  const chain = domain.chainsByAuthor.get(author);
  const [seq, id] = [countOf(chain) - 1, chain?.loaded.ids.at(-1)];
  return chain === undefined || id === undefined ? null : { seq, id, hlc: hlcAt(chain, seq) };
}

function chainOf(domain: DomainReplica, authorId: Bytes): Chain {
  const author = idHex(authorId);
  let chain = domain.chainsByAuthor.get(author);
  if (chain === undefined) {
    chain = { authorId, loaded: { from: 0, ids: [], ms: [], ctr: [] }, packs: [], signed: null };
    domain.chainsByAuthor.set(author, chain);
  }
  return chain;
}

/** An admitted entry joins its chain. */
export function appendEntry(domain: DomainReplica, entry: Entry): void {
  const chain = chainOf(domain, entry.author);
  domain.places.set(toHex(entry.id), { author: idHex(entry.author), seq: countOf(chain) });
  chain.loaded.ids.push(entry.id);
  chain.loaded.ms.push(entry.hlcMs);
  chain.loaded.ctr.push(entry.hlcCtr);
  domain.entryCount++;
  const hlc = { ms: entry.hlcMs, ctr: entry.hlcCtr };
  if (compareHlc(hlc, domain.lastHlc) > 0) domain.lastHlc = hlc;
}

/** Older entries of a chain, up to where its loaded ones begin. */
export function prependEntries(domain: DomainReplica, chain: Chain, entries: readonly Entry[]): void {
  const { loaded } = chain;
  const author = toHex(chain.authorId);
  for (const { id, seq } of entries) domain.places.set(toHex(id), { author, seq });
  loaded.from -= entries.length;
  loaded.ids = [...entries.map(({ id }) => id), ...loaded.ids];
  loaded.ms = [...entries.map(({ hlcMs }) => hlcMs), ...loaded.ms];
  loaded.ctr = [...entries.map(({ hlcCtr }) => hlcCtr), ...loaded.ctr];
}

/** A chain as a snapshot has it. */
export function restoreChain(domain: DomainReplica, chain: Chain): void {
  const author = toHex(chain.authorId);
  domain.chainsByAuthor.set(author, chain);
  for (const [i, id] of chain.loaded.ids.entries())
    domain.places.set(toHex(id), { author, seq: chain.loaded.from + i });
}

/** The pack of this unit lies on the disk, or will with the current step. */
export function noteStored(domain: DomainReplica, unit: Unit, branch: string | null): void {
  chainOf(domain, unit.author).packs.push({ fromSeq: unit.fromSeq, count: unit.entries.length, branch });
}

/** All of the unit is here: its end signature is a head certificate of the chain. */
export function noteSigned(domain: DomainReplica, unit: Unit): void {
  const [last, chain] = [unit.entries.at(-1), chainOf(domain, unit.author)];
  if (last !== undefined && last.seq >= (chain.signed?.seq ?? 0))
    chain.signed = { seq: last.seq, id: last.id, sig: unit.endSig, boot: last.boot };
}
