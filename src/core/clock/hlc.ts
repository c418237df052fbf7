import { maxU48, requireWithin } from '../base/index.js';

/** A hybrid logical time: milliseconds since 1970 (u48), and a counter (u16) that orders what shares them. */
export interface Hlc {
  readonly ms: number;
  readonly ctr: number;
}

/** Largest counter; one more is the next millisecond. */
export const maxHlcCtr = 0xffff;

/** Before every time a clock gives. */
export const zeroHlc: Hlc = { ms: 0, ctr: 0 };

/** The next time of a device: strictly above `prev`, and not below its clock. */
export function nextHlc(prev: Hlc, nowMs: number): Hlc {
  requireWithin('nowMs', nowMs, 0, maxU48);
  if (nowMs > prev.ms) return { ms: nowMs, ctr: 0 };
  if (prev.ctr < maxHlcCtr) return { ms: prev.ms, ctr: prev.ctr + 1 };
  if (prev.ms >= maxU48) throw new RangeError(`prev: no time is left after ${String(prev.ms)} ms`);
  return { ms: prev.ms + 1, ctr: 0 };
}

/** <0, 0 or >0. */
export function compareHlc(a: Hlc, b: Hlc): number {
  return a.ms - b.ms || a.ctr - b.ctr;
}

/** The later of two times. */
export function maxHlc(a: Hlc, b: Hlc): Hlc {
  return compareHlc(a, b) >= 0 ? a : b;
}
