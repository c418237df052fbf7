import type { Bytes } from '../base/index.js';
import { toHex } from '../base/index.js';
import type { HeardClaim } from './claim.js';

/** Requests remembered. */
export const maxBookRequests = 256;
/** How long a request is remembered. */
export const bookTtlMs = 60_000;

/** What a device that could answer remembers of the requests it heard. */
export interface ClaimBook {
  /**
   * Whether this attempt of a request is new, so that a delay is to be drawn for it; a copy of it is not. A further
   * attempt says that the claims of the one before led to nothing: they are forgotten.
   */
  readonly open: (reqId: Bytes, attempt: number, now: number) => boolean;
  /** A claim of somebody else; it may be heard before its request. */
  readonly hear: (reqId: Bytes, claim: HeardClaim, now: number) => void;
  /** Claims heard for the newest attempt. */
  readonly claims: (reqId: Bytes) => readonly HeardClaim[];
}

interface Page {
  readonly attempt: number;
  readonly at: number;
  readonly claims: readonly HeardClaim[];
}

const maxClaims = 64;
/** A claim came before its request. */
const unopened = -1;

/** An empty book. */
export function createClaimBook(): ClaimBook {
  const pages = new Map<string, Page>();
  const put = (key: string, page: Page): void => {
    pages.delete(key);
    pages.set(key, page);
    for (const [oldest, { at }] of pages) {
      if (pages.size <= maxBookRequests && page.at - at < bookTtlMs) break;
      pages.delete(oldest);
    }
  };
  const find = (key: string, now: number): Page | undefined => {
    const page = pages.get(key);
    return page !== undefined && now - page.at < bookTtlMs ? page : undefined;
  };
  return {
    open: (reqId, attempt, now) => {
      const page = find(toHex(reqId), now);
      if (page !== undefined && page.attempt >= attempt) return false;
      const claims = page?.attempt === unopened ? page.claims : [];
      put(toHex(reqId), { attempt, at: now, claims });
      return true;
    },
    hear: (reqId, claim, now) => {
      const page = find(toHex(reqId), now) ?? { attempt: unopened, at: now, claims: [] };
      if (page.claims.length < maxClaims) put(toHex(reqId), { ...page, at: now, claims: [...page.claims, claim] });
    },
    claims: (reqId) => pages.get(toHex(reqId))?.claims ?? [],
  };
}
