/**
 * The signed entry: one transaction, all or nothing (F20). Its header has a fixed layout and commits to the plaintext
 * by a keyed hash, its id is the SHA-256 of the header, and an Ed25519 signature over (room, domain, seq, id) vouches
 * for it and for the run before it. Entries never travel alone: rooms `pack` and `wire` carry them.
 * Implements docs/protocol.md §Entry. Judging an entry is the business of `admission`.
 */
export type { Entry, EntryBody, EntryPlace } from './entry.js';
export {
  commitKey,
  commitment,
  createCommitments,
  createEntryIds,
  entryId,
  entryKinds,
  entryPreimage,
  headMessage,
  maxDataDeps,
  maxDeps,
} from './entry.js';
