/**
 * What two peers have to tell each other so that each learns what the other lacks (docs/protocol.md §Reconcile).
 * Vector clocks with head hashes rather than sketches of ids: chains have no holes, so the clock is the set and one
 * round trip finds the exact difference; the head hashes show forks. Roots tell equal sets apart from different ones.
 * Does not know packs, peers or time; sketches for very many authors come beside it.
 */
export type { ClockEntry, ClockHead, ClockWindow, DomainClock, WindowedClock } from './clock.js';
export {
  authorPrefixBytes,
  boundClock,
  clockCount,
  headPrefixBytes,
  isInWindow,
  setRoot,
  toClockEntries,
  wholeClock,
} from './clock.js';
export type { SumDomain, SumPlace } from './sum.js';
export { sumOfRoots } from './sum.js';
export type { Round } from './rounds.js';
export { firstRound, nextRound } from './rounds.js';
export type { ChainFork, ChainRange, Missing, MissingLookups } from './missing.js';
export { coverageOf, entriesIn, fullCoverage, missingRanges } from './missing.js';
