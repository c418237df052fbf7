import { equalBytes, toHex, type Bytes } from '../../../../src/core/base/index.js';
import { baseOf, maxPacksPerGrant, splitIntoFragments, transferOf } from '../../../../src/core/flow/index.js';
import { decodePack, maxUnitEntries } from '../../../../src/core/pack/index.js';
import {
  entriesIn,
  missingRanges,
  setRoot,
  type ChainRange,
  type ClockEntry,
  type DomainClock,
} from '../../../../src/core/reconcile/index.js';
import type { Peer } from '../../../../src/core/session/index.js';
import {
  encodeFragment,
  encodeSyncDone,
  frameTypes,
  type SyncGrant,
  type SyncReq,
} from '../../../../src/core/wire/index.js';
import { storedBytes } from '../../../../src/ports/index.js';
import {
  chainKey,
  controlKey,
  domainOf,
  domainsInOrder,
  joinUnits,
  unitFrom,
  type Chain,
  type DomainReplica,
  type PackPlace,
  type Unit,
} from '../../replica/index.js';
import { bump, sendEpoch, unitKeys, type RoomCore } from '../core.js';
import { branchKey, packKey } from '../rows.js';
import { openUnit, sealUnit, signSeal } from '../units.js';
import { kidFor, type NetLink } from './link.js';

/** Stored packs of at least this many entries are handed over as they are; smaller ones are joined on the way. */
const wholePackEntries = 256;
/** Bytes at which a joined pack is full, before they are deflated: under the bounds of a pack and of its body (F8, F24). */
const joinedBytes: number = 128 * 1024;
/** What an entry without payload and dependencies may take in a body: every column at its largest (PACK-3). */
const entryWeight = 96;
const depWeight = 32;

/** One chain's part of what a peer lacks. */
export interface ServedRange extends ChainRange {
  readonly domainHex: string;
}

/** The clock of a domain as held here. */
export function clockOf(domain: DomainReplica): DomainClock {
  const clock = new Map<string, { count: number; head: Bytes }>();
  for (const [author, chain] of domain.chainsByAuthor) {
    const head = chain.ids.at(-1);
    if (head !== undefined) clock.set(author, { count: chain.ids.length, head });
  }
  return clock;
}

/** Root and size of a domain as held here. */
export function summaryOf(domain: DomainReplica): { domainId: Bytes; root: Bytes; count: number } {
  return { domainId: domain.id, root: setRoot(domain.id, clockOf(domain)), count: domain.entryCount };
}

/**
 * What a requester lacks of what is held here, in the order it can be admitted: control, meta, data. Domains that it
 * does not name are served whole once its control differs, because it cannot know them.
 */
function lackingOf(core: RoomCore, req: SyncReq): ServedRange[] {
  const named = new Map(req.domains.map((domain) => [toHex(domain.domainId), domain]));
  const knowsAll = !named.has(controlKey) || isSame(core, named.get(controlKey));
  const ranges: ServedRange[] = [];
  for (const domainHex of domainsInOrder(core.state)) {
    const theirs = named.get(domainHex);
    const domain = domainOf(core.state, domainHex);
    if (domain === null || (req.controlOnly && domainHex !== controlKey)) continue;
    if (theirs === undefined && knowsAll) continue;
    if (theirs !== undefined && isSame(core, theirs)) continue;
    const window = theirs ?? { entries: [], window: { after: null, upTo: null } };
    const heldTo = new Map(
      req.held.filter((h) => toHex(h.domainId) === domainHex).map((h) => [toHex(h.author), h.seq]),
    );
    const missing = missingRanges(clockOf(domain), window, {
      idAt: (author, seq) => domain.chainsByAuthor.get(author)?.ids[seq] ?? null,
      heldTo,
    });
    const found = [...missing.ranges, ...missing.forks, ...beyondFallen(core, domain, window.entries)];
    for (const range of found) ranges.push({ ...range, domainHex });
  }
  return inCausalOrder(core, ranges);
}

/** What stands where the requester holds a longer branch that has fallen: by its count alone it would lack nothing (F6). */
function beyondFallen(core: RoomCore, domain: DomainReplica, theirs: readonly ClockEntry[]): ChainRange[] {
  return theirs.flatMap(({ author: prefix, count, head }): ChainRange[] => {
    for (const [author, { authorId, ids }] of domain.chainsByAuthor) {
      const from = Math.min(...(core.state.forks.get(chainKey(toHex(domain.id), author))?.winners.keys() ?? []));
      if (from >= ids.length || count <= ids.length || !author.startsWith(toHex(prefix))) continue;
      const isFallen = [...domain.fallen].some(
        ([id, entry]) => entry.author === author && entry.seq === count - 1 && id.startsWith(toHex(head)),
      );
      if (isFallen) return [{ author: authorId, from, to: ids.length }];
    }
    return [];
  });
}

/** A stored pack of a forked chain, with the part of it that does not stand. */
interface Evidence {
  readonly domainHex: string;
  readonly author: string;
  readonly place: PackPlace;
  readonly from: number;
}

/**
 * What proves the forks of what differs, and what others built on beyond them (F6). Control's goes along with everything,
 * because any domain may rest on a grant or an epoch there. Newest first within a chain: so whoever needs the end of a
 * branch keeps its beginning.
 */
function evidenceFor(core: RoomCore, req: SyncReq): Evidence[] {
  const named = new Map(req.domains.map((domain) => [toHex(domain.domainId), domain]));
  const differing = domainsInOrder(core.state).filter(
    (key) => (key === controlKey || !req.controlOnly) && !isSame(core, named.get(key)),
  );
  const wanted = new Set(differing.length === 0 ? [] : [controlKey, ...differing]);
  return [...core.state.forks].flatMap(([key, fork]) => {
    const [domainHex = '', author = ''] = key.split('/');
    if (!wanted.has(domainHex)) return [];
    const end = fork.end ?? 0;
    const isNeeded = ({ fromSeq }: PackPlace): boolean =>
      domainHex === controlKey || fromSeq <= Math.max(end, fork.citedTo);
    return fork.packs
      .filter(isNeeded)
      .sort((a, b) => b.fromSeq - a.fromSeq)
      .map((place) => ({ domainHex, author, place, from: Math.max(end, place.fromSeq) }));
  });
}

/** Chains of which the requester holds more than stands. */
function forksLacking(core: RoomCore, req: SyncReq): number {
  let count = 0;
  for (const [key, { end }] of core.state.forks) {
    const [domainHex, author = ''] = key.split('/');
    const theirs = req.domains
      .find((domain) => toHex(domain.domainId) === domainHex)
      ?.entries.find((entry) => author.startsWith(toHex(entry.author)));
    if (end !== null && (theirs?.count ?? 0) > end) count++;
  }
  return count;
}

/** Entries that a request would bring its sender, as far as that can be told. */
export function lackingCount(core: RoomCore, req: SyncReq): number {
  return entriesIn(lackingOf(core, req)) + forksLacking(core, req);
}

/** Control one entry at a time in the order of this log, which respects causality, so that nothing has to wait there. */
function inCausalOrder(core: RoomCore, ranges: readonly ServedRange[]): ServedRange[] {
  const wanted = new Map<string, ServedRange>();
  for (const range of ranges) if (range.domainHex === controlKey) wanted.set(toHex(range.author), range);
  const control = core.state.log.flatMap(({ author, entry, isBranch }): ServedRange[] => {
    const range = wanted.get(author);
    if (range === undefined || isBranch === true || entry.seq < range.from || entry.seq >= range.to) return [];
    return [{ ...range, from: entry.seq, to: entry.seq + 1 }];
  });
  return [...control, ...ranges.filter((range) => range.domainHex !== controlKey)];
}

function isSame(core: RoomCore, summary: { domainId: Bytes; root: Bytes } | undefined): boolean {
  const domain = summary && domainOf(core.state, toHex(summary.domainId));
  return !!domain && equalBytes(summaryOf(domain).root, summary.root);
}

/** A transfer to one peer: packs in order within the send window, then SYNC_DONE. */
export interface Serving {
  readonly cancel: () => void;
  readonly done: Promise<void>;
}

export interface ServeRequest {
  readonly req: SyncReq;
  readonly peer: Peer;
  readonly netLink: NetLink;
  readonly transfer: number;
  readonly floors: SyncGrant['floors'];
  /** Whether the peer has acknowledged something (or is gone): false when it has not for long. */
  readonly windowMoved: () => Promise<boolean>;
}

/** Serves what `req` lacks. Ends early when cancelled: the requester notices by its timers. */
export function serve(core: RoomCore, o: ServeRequest): Serving {
  let cancelled = false;
  const isOver = (): boolean => cancelled;
  return { cancel: () => (cancelled = true), done: run(core, o, isOver) };
}

async function run(core: RoomCore, o: ServeRequest, isOver: () => boolean): Promise<void> {
  const roots = domainsInOrder(core.state).flatMap((key) => {
    const domain = domainOf(core.state, key);
    return domain === null || (o.req.controlOnly && key !== controlKey) ? [] : [summaryOf(domain)];
  });
  const ranges = lackingOf(core, o.req).map((range) => aboveFloor(range, o.floors));
  const window = o.netLink.windowOf(o.peer.address);
  window.reset();
  let packs = 0;
  let complete = true;
  for await (const pack of everyPack(core, o, ranges)) {
    while (!isOver() && pack !== null && !window.canSend(pack.bytes.length))
      if (!(await o.windowMoved())) return bump(core, 'servesStalled');
    if (isOver()) return;
    complete &&= pack !== null && packs < maxPacksPerGrant;
    if (pack === null) continue;
    if (packs >= maxPacksPerGrant) break;
    const transfer = transferOf(o.transfer, packs++);
    const { domainHex: domain, author, lastSeq } = pack;
    window.sent({ transfer, bytes: pack.bytes.length, domain, author, lastSeq });
    for (const fragment of splitIntoFragments(pack.bytes, transfer))
      o.netLink.sendClear(encodeFragment(fragment), [o.peer.address], 'bulk');
    bump(core, 'packsOut');
  }
  const body = encodeSyncDone({
    reqId: o.req.reqId,
    transfer: baseOf(o.transfer),
    packs,
    entries: entriesIn(ranges),
    complete,
    roots,
  });
  o.netLink.send({ type: frameTypes.syncDone, body, to: o.peer, lane: 'bulk' });
}

interface SentPack extends ReadyPack {
  readonly domainHex: string;
  readonly author: string;
}

/** Everything that is served, in order; null for what could not be read. Evidence is gathered last, when all that needs it is under way. */
async function* everyPack(
  core: RoomCore,
  o: ServeRequest,
  ranges: readonly ServedRange[],
): AsyncGenerator<SentPack | null> {
  for (const range of ranges)
    for await (const ready of packsOf(core, range, sealKidFor(core, range, o.peer)))
      yield ready && { ...ready, domainHex: range.domainHex, author: toHex(range.author) };
  for (const { domainHex, author, place, from } of evidenceFor(core, o.req)) {
    const kid = sealKidFor(core, { domainHex }, o.peer);
    const bytes = await readPack(core, { domainHex, author, place });
    const opened = bytes && (await openUnit(bytes, { ports: core.ports, keys: unitKeys(core) }));
    if (kid === null || opened?.ok !== true) yield null;
    else yield { ...(await pack(core, unitFrom(opened.value, from), kid)), domainHex, author };
  }
}

function aboveFloor(range: ServedRange, floors: SyncGrant['floors']): ServedRange {
  const floor = floors.find((f) => toHex(f.domainId) === range.domainHex && equalBytes(f.author, range.author));
  return floor === undefined ? range : { ...range, from: Math.min(range.to, Math.max(range.from, floor.from)) };
}

interface ReadyPack {
  readonly bytes: Bytes;
  readonly lastSeq: number;
}

/**
 * The packs of a range: stored ones as they lie, small neighbours joined at kept signatures (F8). Stored packs may overlap,
 * where a part of one had waited. Null ends it early: a row cannot be read, or is not on the disk yet.
 */
async function* packsOf(core: RoomCore, range: ServedRange, kid: Bytes | null): AsyncGenerator<ReadyPack | null> {
  const domain = domainOf(core.state, range.domainHex);
  const chain = domain?.chainsByAuthor.get(toHex(range.author));
  if (domain === null || chain === undefined || range.from >= range.to) return;
  if (kid === null) {
    yield null;
    return;
  }
  let joined: Unit | null = null;
  let next = range.from;
  for (const place of packsFrom(chain, range)) {
    if (place.fromSeq + place.count <= next) continue;
    const bytes = await readPack(core, { domainHex: range.domainHex, author: toHex(range.author), place });
    if (bytes === null) {
      yield null;
      return;
    }
    const isWhole = place.fromSeq === next && place.count >= wholePackEntries && isSealedUnder(kid, bytes);
    if (isWhole) {
      if (joined !== null) yield await pack(core, joined, kid);
      joined = null;
      next = place.fromSeq + place.count;
      yield { bytes: await withSignature(core, bytes), lastSeq: next - 1 };
      continue;
    }
    const opened = await openUnit(bytes, { ports: core.ports, keys: unitKeys(core) });
    if (!opened.ok) {
      yield null;
      return;
    }
    const unit = unitFrom(opened.value, next);
    next = unit.fromSeq + unit.entries.length;
    if (joined !== null && mayJoin(joined, unit, range.domainHex)) joined = joinUnits(joined, unit);
    else {
      if (joined !== null) yield await pack(core, joined, kid);
      joined = unit;
    }
  }
  if (joined !== null) yield await pack(core, joined, kid);
}

function packsFrom(chain: Chain, range: ServedRange): readonly PackPlace[] {
  return chain.packs.filter((place) => place.fromSeq + place.count > range.from && place.fromSeq < range.to);
}

/** Never across a common cut point, never in control, never beyond the bounds of a unit (F8). */
function mayJoin(a: Unit, b: Unit, domainHex: string): boolean {
  if (domainHex === controlKey || b.fromSeq % maxUnitEntries === 0) return false;
  if (a.entries.length + b.entries.length > maxUnitEntries) return false;
  return weight(a) + weight(b) <= joinedBytes;
}

function weight(unit: Unit): number {
  const weightOf = ({ payload, deps }: Unit['entries'][number]): number =>
    (payload?.length ?? 32) + depWeight * deps.length + entryWeight;
  return unit.entries.reduce((sum, entry) => sum + weightOf(entry), 0);
}

async function readPack(
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

/**
 * Content goes under the send rule's key alone. Control may go under an older one that the peer has, because it brings
 * the newer (X5).
 */
function sealKidFor(core: RoomCore, range: { readonly domainHex: string }, peer: Peer): Bytes | null {
  return range.domainHex === controlKey ? kidFor(core, peer) : (sendEpoch(core)?.kid ?? null);
}

function isSealedUnder(kid: Bytes, bytes: Bytes): boolean {
  const decoded = decodePack(bytes);
  return decoded.ok && equalBytes(decoded.value.sealKid, kid);
}

/** A stored pack that was sealed here gets its signature now that it leaves (F2). */
async function withSignature(core: RoomCore, bytes: Bytes): Promise<Bytes> {
  const decoded = decodePack(bytes);
  const isMine = decoded.ok && equalBytes(decoded.value.sealer, core.keys.deviceId);
  return isMine ? signSeal(bytes, core.keys, { ports: core.ports, roomId: core.roomId }) : bytes;
}

async function pack(core: RoomCore, unit: Unit, kid: Bytes): Promise<ReadyPack> {
  const bytes = await sealUnit(unit, { kid, device: core.keys.deviceId }, { ports: core.ports, keys: unitKeys(core) });
  return { bytes: await withSignature(core, bytes), lastSeq: unit.fromSeq + unit.entries.length - 1 };
}
