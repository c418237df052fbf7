import type { Bytes } from '../base/index.js';
import { ed25519KeyBytes, hkdfExpand, hkdfExtract, keyBytes, labels } from '../crypto/index.js';
import type { InviteCode } from './code.js';

/** Length of an invite's id. */
export const inviteIdBytes = 16;

/** What is derived from a link; `seed` and `psk` are as secret as the link. */
export interface InviteKeys {
  /** Names the invite in a JOIN_ASK without showing anything of the secret; 16 bytes. */
  readonly inviteId: Bytes;
  /** Ed25519 seed: its signature proves that the joiner has the link; its public key stands in the invite entry. */
  readonly seed: Bytes;
  /** Seals the join exchange against everybody without the link. */
  readonly psk: Bytes;
}

/** Keys of an invite (X9): HKDF with the room as salt, so that a link is worth nothing in another room. */
export function inviteKeys({ roomId, secret }: InviteCode): InviteKeys {
  const prk = hkdfExtract(roomId, secret);
  return {
    inviteId: hkdfExpand(prk, labels.inviteId, inviteIdBytes),
    seed: hkdfExpand(prk, labels.inviteSeed, ed25519KeyBytes),
    psk: hkdfExpand(prk, labels.invitePsk, keyBytes),
  };
}
