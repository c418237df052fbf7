/**
 * Who serves whom (sync.md §6, docs/protocol.md §Election). Those that could answer claim in an order that all of them
 * compute alike, from a hash of request and device, and most stay silent; the requester grants one of them, and data
 * flows only then. A double answer so costs a claim and never a transfer, in a room of any size.
 * Pure on both sides: delays and steps; timers, frames and signatures are the engine's. One source at a time.
 */
export type { ClaimBook } from './book.js';
export { bookTtlMs, createClaimBook, maxBookRequests } from './book.js';
export type { ClaimCase, HeardClaim } from './claim.js';
export { claimDelay, isSuppressed, penaltiesMs, rankIn } from './claim.js';
export type { Exclusion, ExclusionKind, Exclusions } from './exclusion.js';
export type {
  Moment,
  OpenClaim,
  RequestAction,
  Requester,
  RequestEvent,
  RequestPhase,
  RequestStep,
} from './request.js';
export { initialRequester, requestStep } from './requester.js';
