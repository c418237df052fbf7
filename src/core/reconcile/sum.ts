import type { Bytes } from '../base/index.js';
import { compareBytes, concatBytes } from '../base/index.js';
import { deriveKey, hmacSha256, labels } from '../crypto/index.js';

/** Bytes of a sum: as many as a tag, since it is one. */
const sumBytes = 16;

/** Who says a sum to whom: one cannot be taken for another's, nor for one of an earlier session. */
export interface SumPlace {
  /** Device of who says it, 32 bytes. */
  readonly sender: Bytes;
  /** The sender's session on the link, 16 bytes. */
  readonly session: Bytes;
  /** The addressee's session, which the HELLO echoes, 16 bytes. */
  readonly echo: Bytes;
}

/** What is held of a domain. */
export interface SumDomain {
  readonly domainId: Bytes;
  readonly root: Bytes;
  readonly count: number;
}

/**
 * All that is held, in 16 bytes that say something only to who holds the same and the key (SYN-5). `prk` is the
 * epoch's. Domains of no entries do not count: whether one is known by name is nothing that is held.
 */
export function sumOfRoots(prk: Bytes, place: SumPlace, domains: readonly SumDomain[]): Bytes {
  const { sender, session, echo } = place;
  const held = domains
    .filter(({ count }) => count > 0)
    .sort((a, b) => compareBytes(a.domainId, b.domainId))
    .flatMap(({ domainId, root }) => [domainId, root]);
  return hmacSha256(deriveKey(prk, labels.sum, sender, session, echo), concatBytes(...held)).slice(0, sumBytes);
}
