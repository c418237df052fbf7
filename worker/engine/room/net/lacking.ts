import { equalBytes, toHex, type Bytes } from '../../../../src/core/base/index.js';
import {
  entriesIn,
  missingRanges,
  setRoot,
  type ChainRange,
  type ClockEntry,
  type DomainClock,
} from '../../../../src/core/reconcile/index.js';
import type { SyncReq } from '../../../../src/core/wire/index.js';
import {
  controlKey,
  countOf,
  domainOf,
  domainsInOrder,
  idAt,
  type DomainReplica,
  type PackPlace,
} from '../../replica/index.js';
import type { RoomCore } from '../core.js';

/** One chain's part of what a peer lacks. */
export interface ServedRange extends ChainRange {
  readonly domainHex: string;
}

/** The clock of a domain as held here. */
export function clockOf(domain: DomainReplica): DomainClock {
  const clock = new Map<string, { count: number; head: Bytes }>();
  for (const [author, chain] of domain.chainsByAuthor) {
    const head = chain.loaded.ids.at(-1);
    if (head !== undefined) clock.set(author, { count: countOf(chain), head });
  }
  return clock;
}

/** Root and size of a domain as held here. */
export function summaryOf(domain: DomainReplica): { domainId: Bytes; root: Bytes; count: number } {
  return { domainId: domain.id, root: setRoot(domain.id, clockOf(domain)), count: domain.entryCount };
}

/** All that is held here, in the order of admission. */
export function summariesOf(core: RoomCore): ReturnType<typeof summaryOf>[] {
  return domainsInOrder(core.state).flatMap((key) => {
    const domain = domainOf(core.state, key);
    return domain === null ? [] : [summaryOf(domain)];
  });
}

/**
 * What a requester lacks of what is held here, in the order it can be admitted: control, meta, data. Domains that it
 * does not name are served whole once its control differs, because it cannot know them.
 */
export function lackingOf(core: RoomCore, req: SyncReq): ServedRange[] {
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
    const heldTo = heldOf(domain, req.held);
    const missing = missingRanges(clockOf(domain), window, {
      idAt: (author, seq) => idAt(domain.chainsByAuthor.get(author), seq) ?? null,
      heldTo,
    });
    const found = [...missing.ranges, ...missing.forks, ...beyondFallen(core, domain, window.entries)];
    for (const range of found) ranges.push({ ...range, domainHex });
  }
  return inCausalOrder(core, ranges);
}

/** How far the requester holds back what stands here, by author (hex); of what it holds for other branches nothing follows. */
function heldOf(domain: DomainReplica, held: SyncReq['held']): Map<string, number> {
  const heldTo = new Map<string, number>();
  for (const { domainId, author: authorId, seq, head } of held) {
    const author = toHex(authorId);
    const id = equalBytes(domainId, domain.id) ? idAt(domain.chainsByAuthor.get(author), seq) : undefined;
    if (id !== undefined && equalBytes(id.subarray(0, head.length), head))
      heldTo.set(author, Math.max(seq, heldTo.get(author) ?? 0));
  }
  return heldTo;
}

/** What stands where the requester holds a longer branch that has fallen: by its count alone it would lack nothing (F6). */
function beyondFallen(core: RoomCore, domain: DomainReplica, theirs: readonly ClockEntry[]): ChainRange[] {
  return [...core.state.forks].flatMap(([key, { winners }]): ChainRange[] => {
    const [domainHex, author = ''] = key.split('/');
    const chain = domainHex === toHex(domain.id) ? domain.chainsByAuthor.get(author) : undefined;
    const [from, to] = [Math.min(...winners.keys()), countOf(chain)];
    const told = entryOf(theirs, author);
    if (chain === undefined || told === undefined || from >= to || told.count <= to) return [];
    const isFallen = [...domain.fallen].some(
      ([id, entry]) => entry.author === author && entry.seq === told.count - 1 && id.startsWith(toHex(told.head)),
    );
    return isFallen ? [{ author: chain.authorId, from, to }] : [];
  });
}

/** What a clock says of an author (hex). */
function entryOf(clock: readonly ClockEntry[], author: string): ClockEntry | undefined {
  return clock.find((entry) => author.startsWith(toHex(entry.author)));
}

/** A stored pack of a forked chain, with the part of it that does not stand. */
export interface Evidence {
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
export function evidenceFor(core: RoomCore, req: SyncReq): Evidence[] {
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
    const theirs = req.domains.find((domain) => toHex(domain.domainId) === domainHex)?.entries ?? [];
    if (end !== null && (entryOf(theirs, author)?.count ?? 0) > end) count++;
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
