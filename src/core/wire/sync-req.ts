import type { Bytes, Result } from '../base/index.js';
import { requireWithin } from '../base/index.js';
import type { Form } from '../codec/index.js';
import { bytesOf, fieldsOf, flag, held, listOf, only, orNull, uintTo } from '../codec/index.js';
import { isTransferBase } from '../flow/index.js';
import type { ClockEntry, ClockWindow } from '../reconcile/index.js';
import { authorPrefixBytes, boundClock, headPrefixBytes } from '../reconcile/index.js';
import type { DomainSummary } from './beacon.js';
import { byDomain, idForm, perDomain, readMessage, reqIdForm, u32Form, u48Form, writeMessage } from './shape.js';
import { maxSignedMessageBytes } from './signed.js';

/** Domains of one request; more of them wait for the next, which the requester begins behind them. */
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
  /** Entries up to `seq` that I hold back beyond my clock (F17): not to be sent again, if that one's id begins so. */
  readonly held: readonly HeldRange[];
}

/** What is held back of a chain, up to one of its entries. */
export interface HeldRange {
  readonly domainId: Bytes;
  readonly author: Bytes;
  readonly seq: number;
  /** The first {@link heldHeadBytes} of its id: for the same place another may hold something else. */
  readonly head: Bytes;
}

/** Two entries for one place that begin alike cost their author 2^64 hashes. */
export const heldHeadBytes = 16;

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

/** More do not fit a frame. */
const maxClockEntries = 512;
const prefixForm = bytesOf(authorPrefixBytes);
const clockEntryForm: Form<ClockEntry> = fieldsOf({
  author: prefixForm,
  count: only(u48Form, (count) => count > 0),
  head: bytesOf(headPrefixBytes),
});
const domainForm: Form<RequestDomain> = held(
  fieldsOf<Omit<RequestDomain, 'window'> & ClockWindow>({
    domainId: idForm,
    root: idForm,
    count: u48Form,
    entries: listOf(clockEntryForm, maxClockEntries),
    after: orNull(prefixForm),
    upTo: orNull(prefixForm),
  }),
  ({ after, upTo, ...domain }) => ({ ...domain, window: { after, upTo } }),
  ({ window, ...domain }) => ({ ...domain, ...window }),
);
const heldForm: Form<HeldRange> = fieldsOf({
  domainId: idForm,
  author: idForm,
  seq: u48Form,
  head: bytesOf(heldHeadBytes),
});
const form: Form<SyncReq> = fieldsOf({
  reqId: reqIdForm,
  attempt: uintTo(255),
  want: only(uintTo(maxWant), (want) => want > 0),
  prefer: orNull(idForm),
  exclude: listOf(idForm, maxExcluded),
  controlOnly: flag,
  transfer: only(u32Form, isTransferBase),
  domains: perDomain(domainForm, maxRequestDomains),
  held: listOf(heldForm, maxHeld),
});

/** The message; its signature comes after it. RangeError when a bound is passed: {@link fitSyncReq} keeps the size. */
export function encodeSyncReq(req: SyncReq): Bytes {
  requireWithin('want', req.want, 1, maxWant);
  return writeMessage({ ...req, domains: byDomain('domains', req.domains) }, form);
}

/** Code: 'frame/malformed'. */
export function decodeSyncReq(message: Bytes): Result<SyncReq> {
  return readMessage(message, form);
}
