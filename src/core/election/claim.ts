import type { Bytes } from '../base/index.js';
import { compareBytes, equalBytes, toHex } from '../base/index.js';
import { labels, sha256 } from '../crypto/index.js';
import { fullCoverage } from '../reconcile/index.js';
import { grantTimeoutMs } from './timing.js';

/** Distance of two ranks: with it a claim is heard by most before the next would be sent (sync.md §6.4). */
const slotMs = 120;
/** What a device waits that could add nothing; less in proportion. */
const coverageSpreadMs = 600;
/** Ranks with a slot of their own; the others draw. */
const slottedRanks = 8;
/** Length of the draw (RFC 5401). */
const drawMs = 1000;
/** Tenth of full coverage: a claim that is worse by less still stands for mine. */
const suppressionSlack = 26;

/** Reasons to let others go first, in ms; they add up (sync.md §6.2). */
export const penaltiesMs = { hidden: 400, metered: 300, perServe: 150, failedBefore: 1000 } as const;

/** A request as one that could answer it sees it. */
export interface ClaimCase {
  readonly reqId: Bytes;
  readonly me: Bytes;
  /** Devices that serve, as far as I know; I need not be in it, the requester is not. */
  readonly roster: readonly Bytes[];
  /** What I can add (reconcile: coverageOf). */
  readonly coverage: number;
  readonly penaltyMs: number;
  /** Whom the request names: 'other' also while it may yet be served by that one. */
  readonly prefer: 'me' | 'other' | null;
  /** In [0, 1). */
  readonly random: number;
}

/** My place among those that serve: by hash of request and device, so different for each request and the same for all. */
export function rankIn({ reqId, me, roster }: Pick<ClaimCase, 'reqId' | 'me' | 'roster'>): number {
  const mine = placeOf(reqId, me);
  return roster.filter((device) => !equalBytes(device, me) && compareBytes(placeOf(reqId, device), mine) < 0).length;
}

/** When to claim, in ms from now; null is never. A claim heard in between may make it needless: {@link isSuppressed}. */
export function claimDelay(o: ClaimCase): number | null {
  if (o.coverage <= 0) return null;
  if (o.prefer === 'me') return 0;
  const others = o.roster.filter((device) => !equalBytes(device, o.me)).length;
  const turn = turnMs(rankIn(o), others + 1 - slottedRanks, o.random);
  const lack = ((fullCoverage - Math.min(o.coverage, fullCoverage)) / fullCoverage) * coverageSpreadMs;
  const later = o.prefer === 'other' ? grantTimeoutMs(null) : 0;
  return Math.round(later + turn + lack + o.penaltyMs);
}

/** A claim that was heard for a request. */
export interface HeardClaim {
  readonly claimer: Bytes;
  readonly coverage: number;
}

/**
 * Whether enough others have claimed: as many distinct devices as the request wants, not excluded by it, none of them
 * worse than me by more than a tenth. A device that the requester found to be useless silences nobody.
 */
export function isSuppressed(o: {
  readonly claims: readonly HeardClaim[];
  readonly exclude: readonly Bytes[];
  readonly want: number;
  readonly me: Bytes;
  readonly coverage: number;
}): boolean {
  const excluded = new Set([o.me, ...o.exclude].map(toHex));
  const counted = new Set<string>();
  for (const { claimer, coverage } of o.claims) {
    const device = toHex(claimer);
    if (!excluded.has(device) && coverage >= o.coverage - suppressionSlack) counted.add(device);
  }
  return counted.size >= o.want;
}

function placeOf(reqId: Bytes, device: Bytes): Bytes {
  return sha256(labels.rank, reqId, device);
}

/** A slot per rank; behind the slots a truncated exponential draw over so many that a few of them come early. */
function turnMs(rank: number, drawing: number, random: number): number {
  if (rank < slottedRanks) return rank * slotMs;
  const lambda = Math.log(Math.max(1, drawing)) + 1;
  const scale = Math.expm1(lambda);
  return slottedRanks * slotMs + (drawMs / lambda) * Math.log1p(random * scale);
}
