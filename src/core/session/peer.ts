import type { Bytes } from '../base/index.js';
import { equalBytes } from '../base/index.js';
import type { Value } from '../codec/index.js';

/** A device that proved to be on the link now: its HELLO echoed my session. Immutable; a change gives a new one. */
export interface Peer {
  readonly address: string;
  readonly device: Bytes;
  readonly session: Bytes;
  readonly boot: Bytes;
  readonly stream: Bytes;
  /** Newest first. */
  readonly kidTags: readonly Bytes[];
  /** Read with Object.hasOwn. */
  readonly caps: { readonly [name: string]: Value };
  /** What it says to hold, in the HELLO that these are of (SYN-5); null: it says nothing. */
  readonly sum: Bytes | null;
  readonly hlcMs: number;
  /** The peer's clock less mine when its HELLO came, in ms (F17). */
  readonly offsetMs: number;
}

/** What the engine has to do, in order. */
export type SessionAction =
  /**
   * Send my HELLO with this echo and this time. Zeros ask for an answer, a session is the answer to it, and `device`
   * whose that is. The time is my clock, kept strictly rising, because what does not rise is taken for a replay.
   */
  | {
      readonly do: 'send-hello';
      readonly to: readonly string[] | 'all';
      readonly echo: Bytes;
      readonly device: Bytes | null;
      readonly hlcMs: number;
    }
  | { readonly do: 'peer-here'; readonly peer: Peer }
  /** Its key tags are new; the session is the same. */
  | { readonly do: 'peer-changed'; readonly peer: Peer }
  /** It is here and asks as one that does not know me: what it was told and asked in this session may be lost to it. */
  | { readonly do: 'peer-asks'; readonly peer: Peer }
  | { readonly do: 'peer-gone'; readonly peer: Peer; readonly because: 'left' | 'replaced' };

/** The newest key tag that both sides named (X5), by my order; null when there is none. */
export function newestCommonTag(mine: readonly Bytes[], peer: Pick<Peer, 'kidTags'>): Bytes | null {
  return mine.find((tag) => peer.kidTags.some((theirs) => equalBytes(theirs, tag))) ?? null;
}
