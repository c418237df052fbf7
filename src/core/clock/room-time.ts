import type { Hlc } from './hlc.js';
import { maxU48 } from '../base/index.js';
import { compareHlc, nextHlc } from './hlc.js';

/** How far above the room's time an entry may lie before it waits (F17). */
export const maxFutureMs: number = 5 * 60_000;

/**
 * What time the room believes it is: the local clock moved by the median offset of the peers (F17), so that a device
 * whose clock is wrong neither holds honest entries nor writes from the future. Offsets are (peer's clock - local clock)
 * of authenticated HELLOs, in ms; of two middle ones the smaller correction counts. Never more than an entry can say.
 */
export function roomNow(localNowMs: number, offsetsMs: readonly number[]): number {
  return Math.min(maxU48, Math.max(0, Math.floor(localNowMs + medianOffset(offsetsMs))));
}

/** Whether an entry of this time is held until the room's time comes near (F17): never a reason to reject it. */
export function isFuture(hlc: Hlc, roomNowMs: number): boolean {
  return hlc.ms > roomNowMs + maxFutureMs;
}

/**
 * The time a draft gets when it is signed (F17): its own, unless that is in the future or not above `prev`, the time
 * before it in the chain; then the room's time, kept above `prev` so that the order of drafts stays.
 */
export function clampToFuture(hlc: Hlc, roomNowMs: number, prev: Hlc | null): Hlc {
  const isTooLate = isFuture(hlc, roomNowMs);
  if (prev === null) return isTooLate ? { ms: roomNowMs, ctr: 0 } : hlc;
  if (!isTooLate && compareHlc(hlc, prev) > 0) return hlc;
  return nextHlc(prev, isTooLate ? roomNowMs : hlc.ms);
}

function medianOffset(offsetsMs: readonly number[]): number {
  const sorted = [...offsetsMs].sort((a, b) => a - b);
  const low = sorted[(sorted.length - 1) >> 1] ?? 0;
  const high = sorted[sorted.length >> 1] ?? 0;
  return Math.abs(low) <= Math.abs(high) ? low : high;
}
