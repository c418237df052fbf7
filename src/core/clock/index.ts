/**
 * Time as values: hybrid logical times, the room's own time (F17), the order of last-writer-wins (F21) and vector clocks.
 * Hybrid logical rather than physical time, so that a device never goes back and never needs agreement; vector clocks
 * rather than sets of ids, because chains have no holes.
 * Reads no clock: the host's time is an argument. Time decides order, never authority.
 */
export type { Hlc } from './hlc.js';
export { compareHlc, maxHlc, maxHlcCtr, nextHlc, zeroHlc } from './hlc.js';
export { clampToFuture, isFuture, maxFutureMs, roomNow } from './room-time.js';
export type { Stamp } from './stamp.js';
export { compareStamps } from './stamp.js';
export type { ClockOrder, VectorClock } from './vector.js';
export { compareClocks, coversClock, mergeClocks, noSeq, seqOf } from './vector.js';
