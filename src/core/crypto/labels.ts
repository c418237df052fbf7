import type { Bytes } from '../base/index.js';
import { copyBytes } from '../base/index.js';

/**
 * Every domain-separation label, each exactly 16 ASCII bytes and used for one purpose (format.md §2, §3).
 * {@link labels} hands out copies, so that no caller can change another's.
 */
const texts = {
  /** First block of an entry's preimage. */
  entry: 'keeproom/entry/1',
  /** What an author signs: room, domain, seq, entry id. */
  head: 'keeproom/head/01',
  /** Key id of an epoch key. */
  kid: 'keeproom/kid/001',
  /** Commitment key of (domain, author). */
  commit: 'keeproom/commit1',
  /** Sealing key of a pack, and what a sealer signs. */
  pack: 'keeproom/pack/01',
  /** Key of hedged nonces. */
  nonce: 'keeproom/nonce/1',
  /** Sealing key of live frames. */
  live: 'keeproom/live/01',
  /** A device's signature over its X25519 key. */
  bind: 'keeproom/bind/01',
  /** An epoch key sealing its parent. */
  link: 'keeproom/link/01',
  /** The room's tag in a HELLO. */
  roomTag: 'keeproom/rtag/01',
  /** Signature of a HELLO. */
  hello: 'keeproom/hello01',
  /** Signature of a signed frame. */
  frame: 'keeproom/fram/01',
  /** Invite id, from the link's secret. */
  inviteId: 'keeproom/invid01',
  /** Seed of the invite's signing key. */
  inviteSeed: 'keeproom/invsg01',
  /** Pre-shared key of the join exchange. */
  invitePsk: 'keeproom/invpk01',
  /** Signatures of a JOIN_ASK. */
  joinAsk: 'keeproom/join/01',
  /** Signature of a JOIN_ANSWER. */
  joinAnswer: 'keeproom/join/02',
  /** Wrap of an epoch key for one device. */
  wrap: 'keeproom/wrap/01',
  /** Root over a set of heads. */
  root: 'keeproom/root/01',
  /** Key of the sum over all roots in a HELLO. */
  sum: 'keeproom/sum/001',
  /** Rank of a candidate in an election. */
  rank: 'keeproom/rank/01',
  /** Sealing at rest, one key per use. */
  rest: 'keeproom/rest/01',
  /** Client ids of Yjs documents. */
  yjs: 'keeproom/yjs/001',
} as const;

/** Name of one label. */
export type LabelName = keyof typeof texts;

/** All names, in the order of the table of docs/protocol.md. */
export const labelNames: readonly LabelName[] = Object.freeze(Object.keys(texts) as LabelName[]);

/** The labels by name, 16 bytes each; every read gives a copy, owned by the caller. */
export const labels: Readonly<Record<LabelName, Bytes>> = tableOfCopies();

function tableOfCopies(): Readonly<Record<LabelName, Bytes>> {
  const table = {} as Record<LabelName, Bytes>;
  for (const name of labelNames) {
    const bytes = Uint8Array.from(texts[name], (char) => char.charCodeAt(0));
    Object.defineProperty(table, name, { enumerable: true, get: () => copyBytes(bytes) });
  }
  return Object.freeze(table);
}
