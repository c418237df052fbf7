/** From a grant to the first byte (sync.md §6.3). */
export function grantTimeoutMs(rttMs: number | null): number {
  return Math.max(400, 2 * (rttMs ?? 0) + 200);
}

/** Longest pause of a transfer. */
export const progressTimeoutMs = 2000;
/** How long a claim may be granted. */
export const claimValidMs = 5000;
/** Wait for better claims after a partial one, where there are several peers. */
export const collectMs = 60;
/** Wait for any claim: slots, coverage and penalties together, and the way there and back. */
export const claimWaitMs = 2500;
/** A source that failed stands back so long; doubled each time. */
export const firstExclusionMs = 30_000;
/** Longest exclusion. */
export const maxExclusionMs = 300_000;
/** First pause between two requests that nobody answered; doubled each time. */
export const firstBackoffMs = 500;
/** Longest pause. */
export const maxBackoffMs = 64_000;
/** Pauses from here on are the engine's to keep: meanwhile news may make a request worth while. */
export const giveUpBackoffMs = 8000;
