import type { Bytes } from '../base/index.js';
import { authorPrefixBytes, type ClockWindow } from './clock.js';

/**
 * How far a requester has got through clocks, and domains, that do not fit one request. A round begins with every domain's
 * first author and ends when each was asked for to its end. Immutable.
 */
export interface Round {
  /** Domain (hex) → the author prefix that was asked for last, where one request was not enough. */
  readonly after: ReadonlyMap<string, Bytes>;
  /** The domain (hex) behind which the next request goes on; null: with the first. */
  readonly behind: string | null;
  /** Who has served the round so far (hex); null before anybody did, and 'several' is nobody's id. */
  readonly by: string | null;
}

/** Nothing is asked yet. */
export const firstRound: Round = { after: new Map(), behind: null, by: null };

/** After every author: of this domain there is nothing left to ask in the round. */
const afterAll: Bytes = new Uint8Array(authorPrefixBytes).fill(0xff);

/**
 * A request with these windows was served whole by `by`; `isLast`: no domain comes behind them. `isWhole` tells that
 * everything that this one source has was asked for, over one or several requests: what is still missing here is not to be
 * had from it.
 */
export function nextRound(
  round: Round,
  {
    windows,
    isLast,
  }: {
    readonly windows: readonly { readonly domain: string; readonly window: ClockWindow }[];
    readonly isLast: boolean;
  },
  by: string,
): { readonly round: Round; readonly isWhole: boolean } {
  const after = new Map<string, Bytes>();
  for (const { domain, window } of windows) {
    if (window.upTo !== null) after.set(domain, window.upTo);
    else if (window.after !== null) after.set(domain, afterAll);
  }
  const served = round.by === null || round.by === by ? by : 'several';
  if (windows.some(({ window }) => window.upTo !== null))
    return { round: { ...round, after, by: served }, isWhole: false };
  return isLast
    ? { round: firstRound, isWhole: served === by }
    : { round: { after, behind: windows.at(-1)?.domain ?? null, by: served }, isWhole: false };
}
