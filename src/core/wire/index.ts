/**
 * Frames: one file per type with its type, encoder and decoder (X4 to X9, docs/protocol.md §Frames).
 * HELLO, fragments and the join exchange are clear outside; everything else between members travels in the envelope,
 * sealed once under an epoch key, its steering messages signed as well because a group key proves no sender (F15).
 * Decoders are total: bounds and exact lengths first, one typed fault for whatever is not a frame of ours.
 * Signatures are made and checked by the engine: here are the bytes they cover. Who may say what is not judged here.
 */
export type { Ack, AckHead } from './ack.js';
export { decodeAck, encodeAck, maxAckHeads, maxAckTransfers } from './ack.js';
export type { Beacon, DomainSummary } from './beacon.js';
export { decodeBeacon, encodeBeacon, maxBeaconDomains } from './beacon.js';
export type { Envelope, EnvelopeKey, EnvelopePlace } from './envelope.js';
export {
  decodeEnvelope,
  envelopeHeader,
  isSealedType,
  isSignedType,
  maxEnvelopeBodyBytes,
  openEnvelope,
  sealEnvelope,
} from './envelope.js';
export { decodeFragment, encodeFragment } from './fragment.js';
export { frameType, frameTypes, maxFrameBytes } from './frame.js';
export type { Hello, SignedHello } from './hello.js';
export { decodeHello, encodeHello, helloSignedBytes, maxHelloKidTags, roomTagOf } from './hello.js';
export type { JoinAnswer, JoinAnswerKey, JoinStatus, SealedJoinAnswer } from './join-answer.js';
export { decodeJoinAnswer, joinStatuses, openJoinAnswer, sealJoinAnswer } from './join-answer.js';
export type { JoinAsk, JoinAskKey } from './join-ask.js';
export { joinAskInviteId, maxJoinProfileBytes, openJoinAsk, sealJoinAsk } from './join-ask.js';
export type { Live } from './live.js';
export { decodeLive, encodeLive, maxLiveBodyBytes } from './live.js';
export type { Resume, ResumeHead } from './resume.js';
export { decodeResume, encodeResume, maxResumeHeads } from './resume.js';
export { frameSignedBytes, joinSigned, maxSignedMessageBytes, splitSigned } from './signed.js';
export type { SyncClaim } from './sync-claim.js';
export { decodeSyncClaim, encodeSyncClaim } from './sync-claim.js';
export type { SyncDone } from './sync-done.js';
export { decodeSyncDone, encodeSyncDone } from './sync-done.js';
export type { SyncError } from './sync-error.js';
export { decodeSyncError, encodeSyncError } from './sync-error.js';
export type { DomainRange, SyncGrant } from './sync-grant.js';
export { decodeSyncGrant, encodeSyncGrant, maxGrantFloors } from './sync-grant.js';
export type { HeldRange, RequestDomain, SyncReq } from './sync-req.js';
export {
  decodeSyncReq,
  encodeSyncReq,
  fitSyncReq,
  heldHeadBytes,
  maxExcluded,
  maxHeld,
  maxRequestDomains,
} from './sync-req.js';
