import type { Hlc } from '../../../src/core/clock/index.js';

/** Where a stored pack lies: its row among the packs, or for a branch that came later (F6) a row named by its first entry (hex). */
export interface PackPlace {
  readonly fromSeq: number;
  readonly count: number;
  readonly branch: string | null;
}

/**
 * A chain whose author signed two entries for one place (F6). In memory it ends there; the founder's control goes on with
 * the lower id. What does not stand stays on the disk as long as it proves the fork or others build on it.
 */
export interface Fork {
  /** Where the chain ends; null in the founder's control. */
  readonly end: number | null;
  /** The founder's control: the entry (hex) that goes on, by place. */
  readonly winners: Map<number, string>;
  /** Stored packs with entries that do not stand. */
  readonly packs: PackPlace[];
  /** The newest place on a branch that an admitted entry of somebody else names. */
  citedTo: number;
}

/** An entry that does not stand: others may name it, and then its time counts. */
export interface FallenEntry {
  readonly author: string;
  readonly seq: number;
  readonly hlc: Hlc;
  /** An admitted entry names it. */
  isCited: boolean;
}
