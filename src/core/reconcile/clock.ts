import type { Bytes } from '../base/index.js';
import { compareBytes, createWriter, fromHex } from '../base/index.js';
import { labels, sha256 } from '../crypto/index.js';

/** A chain as far as it is held. */
export interface ClockHead {
  /** Entries held, at least 1; the newest has seq `count - 1`. */
  readonly count: number;
  /** Id of the newest, 32 bytes. */
  readonly head: Bytes;
}

/** What is held of one domain: a head per author (lower-case hex). Chains have no holes, so this names the whole set. */
export type DomainClock = ReadonlyMap<string, ClockHead>;

/** A head as it travels: shortened, because a wrong match costs a refused pack and nothing else. */
export interface ClockEntry {
  /** First 16 bytes of the author. */
  readonly author: Bytes;
  readonly count: number;
  /** First 8 bytes of the head's id. */
  readonly head: Bytes;
}

/** Which authors a list of clock entries speaks for: prefixes above `after`, up to and with `upTo`; null is no bound. */
export interface ClockWindow {
  readonly after: Bytes | null;
  readonly upTo: Bytes | null;
}

/** A list of clock entries that says nothing of authors outside its window. */
export interface WindowedClock {
  readonly entries: readonly ClockEntry[];
  readonly window: ClockWindow;
}

/** Bytes of an author that travel in a clock. */
export const authorPrefixBytes = 16;
/** Bytes of a head's id that travel in a clock. */
export const headPrefixBytes = 8;

/** The window of a whole clock. */
export const wholeClock: ClockWindow = { after: null, upTo: null };

const rootEntryBytes = 32 + 6 + 32;

/** SHA-256 over all heads of a domain, authors ascending: equal exactly when two peers hold the same set. */
export function setRoot(domainId: Bytes, clock: DomainClock): Bytes {
  const writer = createWriter(rootEntryBytes * clock.size);
  for (const author of [...clock.keys()].sort()) {
    const { count, head } = headOf(clock, author);
    writer.bytes(authorBytes(author)).u48(count).bytes(head);
  }
  return sha256(labels.root, domainId, writer.done());
}

/** Entries held of the domain. */
export function clockCount(clock: DomainClock): number {
  let total = 0;
  for (const { count } of clock.values()) total += count;
  return total;
}

/** The clock as it travels, ascending by author. */
export function toClockEntries(clock: DomainClock): ClockEntry[] {
  return [...clock.keys()].sort().map((author) => {
    const { count, head } = headOf(clock, author);
    return { author: authorBytes(author).slice(0, authorPrefixBytes), count, head: head.slice(0, headPrefixBytes) };
  });
}

/**
 * At most `maxEntries` of a clock (ascending): those after `after`, with the window that says so. Where the window ends
 * the next request goes on (`after: window.upTo`), so every author gets a turn however many there are.
 */
export function boundClock(
  entries: readonly ClockEntry[],
  maxEntries: number,
  after: Bytes | null = null,
): WindowedClock {
  if (maxEntries < 1) throw new RangeError(`maxEntries: expected at least 1, got ${String(maxEntries)}`);
  const later = after === null ? entries : entries.filter((entry) => compareBytes(entry.author, after) > 0);
  const kept = later.slice(0, maxEntries);
  const last = kept.at(-1);
  const isCut = last !== undefined && kept.length < later.length;
  return { entries: kept, window: { after, upTo: isCut ? last.author : null } };
}

/** Whether the window speaks for an author (prefix or whole id). */
export function isInWindow(author: Uint8Array, { after, upTo }: ClockWindow): boolean {
  const prefix = author.subarray(0, authorPrefixBytes);
  return (after === null || compareBytes(prefix, after) > 0) && (upTo === null || compareBytes(prefix, upTo) <= 0);
}

/** Bytes of a key of a {@link DomainClock}; a key that is no device id is a mistake of ours. */
export function authorBytes(author: string): Bytes {
  const bytes = fromHex(author);
  if (bytes?.length !== 32)
    throw new RangeError(`author: expected 64 hexadecimal characters, got ${String(author.length)}`);
  return bytes;
}

function headOf(clock: DomainClock, author: string): ClockHead {
  const head = clock.get(author);
  if (head === undefined || head.count < 1 || head.head.length !== 32) {
    throw new RangeError(`clock: expected a count of at least 1 and a 32-byte head for ${author}`);
  }
  return head;
}

/** A key of maps by author prefix: cheaper than hexadecimal of the whole. */
export function prefixKey(author: Uint8Array): string {
  return String.fromCharCode(...author.subarray(0, authorPrefixBytes));
}
