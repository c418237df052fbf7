/**
 * Invites: the code in a link's fragment, the keys derived from it, and what joiner and admitter sign (X9,
 * docs/protocol.md §Invite). A secret of 128 bits in the link rather than a short code, because what can be guessed
 * would need somebody to count the guesses; only the invite's public key stands in the log.
 * The frames that carry the exchange are in `wire`; who may invite whom is judged by `access`.
 */
export type { InviteCode } from './code.js';
export { decodeInviteCode, encodeInviteCode, inviteSecretBytes } from './code.js';
export type { InviteKeys } from './keys.js';
export { inviteIdBytes, inviteKeys } from './keys.js';
export type { JoinProof } from './proof.js';
export { joinAnswerMessage, joinAskMessage, placeBytes } from './proof.js';
