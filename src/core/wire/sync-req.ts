import type { Bytes, Result } from '../base/index.js';
import { requireWithin } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { asArray, asBoolean, asBytes, asUint, encodeValue } from '../codec/index.js';
import { isTransferBase } from '../flow/index.js';
import type { ClockEntry, ClockWindow } from '../reconcile/index.js';
import { authorPrefixBytes, boundClock, headPrefixBytes } from '../reconcile/index.js';
import type { DomainSummary } from './beacon.js';
import { asId, asU48, byDomain, checkMax, isAscending, listOf, orNil, readMessage, reqIdBytes } from './shape.js';
import { maxSignedMessageBytes } from './signed.js';

/** Domains of one request; more of them wait for the next. */
export const maxRequestDomains = 64;
/** Devices a request excludes. */
export const maxExcluded = 8;
/** Held-back ranges a request names. */
export const maxHeld = 32;
/** Claims a request may want. */
const maxWant = 8;

/** One domain in a request: what I hold of it, as far as the window says. */
export interface RequestDomain extends DomainSummary {
  readonly entries: readonly ClockEntry[];
  readonly window: ClockWindow;
}

/** "Who can give me what I lack?" (0x0102), for all domains that differ: one election serves them all. Signed. */
export interface SyncReq {
  /** 16 random bytes of the requester; the same over all attempts. */
  readonly reqId: Bytes;
  /** From 0. */
  readonly attempt: number;
  /** Claims wanted, 1 to {@link maxWant}. */
  readonly want: number;
  /** The device that is granted with this very request: it serves at once, under `transfer`. */
  readonly prefer: Bytes | null;
  /** Devices whose claims do not count. */
  readonly exclude: readonly Bytes[];
  /** Only control entries: the answer may go under a key older than the send rule's (X5). */
  readonly controlOnly: boolean;
  /** Base of the transfers (flow: transferOf) of the device in `prefer`. */
  readonly transfer: number;
  readonly domains: readonly RequestDomain[];
  /** Entries up to `seq` that I hold back beyond my clock (F17): not to be sent again. */
  readonly held: readonly { readonly domainId: Bytes; readonly author: Bytes; readonly seq: number }[];
}

/** Upper bounds of encoded sizes, in bytes: a clock entry; what a window and a longer list header add to a domain. */
const clockEntryMaxBytes = 1 + (2 + authorPrefixBytes) + 9 + (2 + headPrefixBytes);
const windowMaxBytes = 2 * (2 + authorPrefixBytes) + 2;

/**
 * The request cut so that it fits one frame. Lists keep their beginning: what matters most comes first. Small clocks stay
 * whole, the room that is left is shared evenly. A cut clock begins after `window.after` of the input, so that a requester
 * that goes on where the last window ended reaches every author; a clock that fits is always whole.
 */
export function fitSyncReq(req: SyncReq): SyncReq {
  const lists = { exclude: req.exclude.slice(0, maxExcluded), held: req.held.slice(0, maxHeld) };
  const domains = req.domains.slice(0, maxRequestDomains);
  const bare = domains.map((domain) => ({ ...domain, entries: [], window: openWindow }));
  const fixed = encodeSyncReq({ ...req, ...lists, domains: bare }).length + windowMaxBytes * domains.length;
  const room = Math.floor((maxSignedMessageBytes - fixed) / clockEntryMaxBytes);
  return { ...req, ...lists, domains: fitClocks(domains, room) };
}

/** Max-min fair: who needs little gets all of it. */
function fitClocks(domains: readonly RequestDomain[], entriesInAll: number): RequestDomain[] {
  let room = entriesInAll;
  const fitted = new Map<RequestDomain, RequestDomain>();
  const bySize = [...domains].sort((a, b) => a.entries.length - b.entries.length);
  for (const [i, domain] of bySize.entries()) {
    const share = Math.max(1, Math.floor(room / (bySize.length - i)));
    const isWhole = domain.entries.length <= share;
    const cut = boundClock(domain.entries, share, isWhole ? null : domain.window.after);
    fitted.set(domain, { ...domain, ...cut });
    room -= cut.entries.length;
  }
  return domains.map((domain) => fitted.get(domain) ?? domain);
}

const openWindow: ClockWindow = { after: null, upTo: null };

/** The message; its signature comes after it. RangeError when a bound is passed: {@link fitSyncReq} keeps the size. */
export function encodeSyncReq(req: SyncReq): Bytes {
  requireWithin('want', req.want, 1, maxWant);
  checkMax('exclude', req.exclude, maxExcluded);
  checkMax('held', req.held, maxHeld);
  checkMax('domains', req.domains, maxRequestDomains);
  const domains = byDomain('domains', req.domains).map((domain): Value => {
    const entries = domain.entries.map(({ author, count, head }) => [author, count, head]);
    return [domain.domainId, domain.root, domain.count, entries, domain.window.after, domain.window.upTo];
  });
  const held = req.held.map(({ domainId, author, seq }) => [domainId, author, seq]);
  const { reqId, attempt, want, prefer, exclude, controlOnly, transfer } = req;
  return encodeValue([reqId, attempt, want, prefer, exclude, controlOnly, transfer, domains, held]);
}

/** Code: 'frame/malformed'. */
export function decodeSyncReq(message: Bytes): Result<SyncReq> {
  return readMessage(message, 9, (fields) => {
    const head = readHead(fields);
    const domains = listOf(fields[7], maxRequestDomains, readDomain);
    const held = listOf(fields[8], maxHeld, readHeld);
    if (head === null || domains === null || held === null || !isAscending(domains)) return null;
    return { ...head, domains, held };
  });
}

function readHead(fields: readonly Value[]): Omit<SyncReq, 'domains' | 'held'> | null {
  const [reqId, attempt, want] = [asBytes(fields[0], reqIdBytes), asUint(fields[1], 255), asUint(fields[2], maxWant)];
  const [prefer, exclude] = [orNil(fields[3], asId), listOf(fields[4], maxExcluded, asId)];
  const [controlOnly, transfer] = [asBoolean(fields[5]), asUint(fields[6], 2 ** 32 - 1)];
  if (reqId === null || attempt === null || want === null || want === 0 || prefer === undefined) return null;
  if (exclude === null || controlOnly === null || transfer === null || !isTransferBase(transfer)) return null;
  return { reqId, attempt, want, prefer, exclude, controlOnly, transfer };
}

function readDomain(item: Value): RequestDomain | null {
  const fields = asArray(item, 6);
  if (fields === null) return null;
  const [domainId, root, count] = [asId(fields[0]), asId(fields[1]), asU48(fields[2])];
  const entries = listOf(fields[3], maxClockEntries, readClockEntry);
  const [after, upTo] = [orNil(fields[4], asPrefix), orNil(fields[5], asPrefix)];
  if (domainId === null || root === null || count === null || entries === null) return null;
  return after === undefined || upTo === undefined ? null : { domainId, root, count, entries, window: { after, upTo } };
}

/** More do not fit a frame. */
const maxClockEntries = 512;

function readClockEntry(item: Value): ClockEntry | null {
  const fields = asArray(item, 3);
  if (fields === null) return null;
  const [author, count, head] = [asPrefix(fields[0]), asU48(fields[1]), asBytes(fields[2], headPrefixBytes)];
  return author === null || count === null || count < 1 || head === null ? null : { author, count, head };
}

function asPrefix(value: Value | undefined): Bytes | null {
  return asBytes(value, authorPrefixBytes);
}

function readHeld(item: Value): SyncReq['held'][number] | null {
  const fields = asArray(item, 3);
  if (fields === null) return null;
  const [domainId, author, seq] = [asId(fields[0]), asId(fields[1]), asU48(fields[2])];
  return domainId === null || author === null || seq === null ? null : { domainId, author, seq };
}
