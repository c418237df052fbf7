import { equalBytes, toHex, type Bytes } from '../../../../src/core/base/index.js';
import { baseOf, maxPacksPerGrant, splitIntoFragments, transferOf } from '../../../../src/core/flow/index.js';
import { decodePack, openPack, type SealedPack } from '../../../../src/core/pack/index.js';
import { entriesIn } from '../../../../src/core/reconcile/index.js';
import type { Peer } from '../../../../src/core/session/index.js';
import {
  encodeFragment,
  encodeSyncDone,
  frameTypes,
  type SyncGrant,
  type SyncReq,
} from '../../../../src/core/wire/index.js';
import { controlKey, domainOf, domainsInOrder, unitFrom, type PackPlace, type Unit } from '../../replica/index.js';
import { bump, sendEpoch, unitKeys, type RoomCore } from '../core.js';
import { distrust, hasMore, loadChain } from '../hydrate.js';
import { tryJoin } from '../joining.js';
import { openUnit, sealUnit, signSeal } from '../units.js';
import { evidenceFor, lackingOf, summaryOf, type ServedRange } from './lacking.js';
import { kidFor, type NetLink } from './link.js';
import { entryBefore, openFrom, packAt, readAhead, readPack, type ReadPack } from './stored-packs.js';

/** Stored packs of at least so many entries or bytes are handed over as they are; smaller ones are joined on the way. */
const wholePackEntries = 256;
const wholePackBytes: number = 16 * 1024;
/** Of so many ranges the first pack is read before its turn: most have one small one, and a read takes longer than its way. */
const rangesAhead = 8;

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
  await loadAsked(core, o.req).catch(() => undefined);
  const ranges = lackingOf(core, o.req)
    .map((range) => aboveFloor(range, o.floors))
    .filter(({ from, to }) => from < to);
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

/** The entries that the requester names as its newest: whether they are the ones held here. What cannot be read is believed. */
async function loadAsked(core: RoomCore, req: SyncReq): Promise<void> {
  for (const { domainId, entries } of req.domains) {
    const domainHex = toHex(domainId);
    const domain = domainOf(core.state, domainHex);
    const authors = domain !== null && hasMore(domain) ? [...domain.chainsByAuthor.keys()] : [];
    for (const { author: prefix, count } of authors.length === 0 ? [] : entries) {
      const author = authors.find((one) => one.startsWith(toHex(prefix)));
      if (author !== undefined) await loadChain(core, { domainHex, author, seq: count - 1 });
    }
  }
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
  const ahead = ranges.slice(0, rangesAhead).map((range) => readAhead(core, range));
  for (const [i, range] of ranges.entries()) {
    const next = ranges[i + rangesAhead];
    if (next !== undefined) ahead.push(readAhead(core, next));
    const kid = sealKidFor(core, range, o.peer);
    for await (const ready of packsOf(core, range, { kid, first: ahead.shift() }))
      yield ready && { ...ready, domainHex: range.domainHex, author: toHex(range.author) };
  }
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
 * where a part of one had waited, and may be rewritten meanwhile. Null ends it early: a row cannot be read, or is not on
 * the disk yet.
 */
async function* packsOf(
  core: RoomCore,
  range: ServedRange,
  { kid, first }: { readonly kid: Bytes | null; readonly first: ReadPack | undefined },
): AsyncGenerator<ReadyPack | null> {
  if (kid === null) {
    yield null;
    return;
  }
  let joined: Unit | null = null;
  let next = range.from;
  while (next < range.to) {
    await core.rewriting;
    const place = packAt(core, range, next);
    const chain = { domainHex: range.domainHex, author: toHex(range.author) };
    // What was not there ahead of its turn may be now.
    const known = place === first?.place ? await first?.bytes : null;
    const bytes = place === undefined ? null : (known ?? (await readPack(core, { ...chain, place })));
    if (place === undefined || bytes === null) {
      await core.rewriting;
      if (place !== undefined && packAt(core, range, next) !== place) continue;
      yield null;
      return;
    }
    const sealed = decodePack(bytes);
    const isWhole = place.fromSeq === next && sealed.ok && isServedWhole(sealed.value, kid);
    if (isWhole && isUnread(core, range, place) && !isIntact(core, bytes)) {
      yield null;
      return;
    }
    if (isWhole) {
      if (joined !== null) yield await pack(core, joined, kid);
      joined = null;
      next += sealed.value.count;
      yield { bytes: await withSignature(core, bytes), lastSeq: next - 1 };
      continue;
    }
    const opened = await openFrom(core, bytes, entryBefore(core, range, next, place));
    if (!opened.ok) {
      distrust(core);
      yield null;
      return;
    }
    const unit = unitFrom(opened.value, next);
    next = unit.fromSeq + unit.entries.length;
    const both: Unit | null = joined && tryJoin(joined, unit);
    if (joined !== null && both === null) yield await pack(core, joined, kid);
    joined = both ?? unit;
  }
  if (joined !== null) yield await pack(core, joined, kid);
}

function isServedWhole({ count, body, sealKid }: SealedPack, kid: Bytes): boolean {
  return (count >= wholePackEntries || body.length >= wholePackBytes) && equalBytes(sealKid, kid);
}

/**
 * Content goes under the send rule's key alone. Control may go under an older one that the peer has, because it brings
 * the newer (X5).
 */
function sealKidFor(core: RoomCore, range: { readonly domainHex: string }, peer: Peer): Bytes | null {
  return range.domainHex === controlKey ? kidFor(core, peer) : (sendEpoch(core)?.kid ?? null);
}

/** In this start nobody has opened it yet. */
function isUnread(core: RoomCore, { domainHex, author }: ServedRange, place: PackPlace): boolean {
  const chain = domainOf(core.state, domainHex)?.chainsByAuthor.get(toHex(author));
  return chain !== undefined && place.fromSeq < chain.loaded.from;
}

function isIntact(core: RoomCore, bytes: Bytes): boolean {
  const pack = decodePack(bytes);
  const prk = pack.ok ? core.state.prks.get(toHex(pack.value.sealKid)) : undefined;
  const isGood = pack.ok && prk !== undefined && openPack(pack.value, { prk, roomId: core.roomId }).ok;
  if (!isGood) distrust(core);
  return isGood;
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
