import type { Bytes } from '../../../../src/core/base/index.js';
import type { Hlc } from '../../../../src/core/clock/index.js';
import type { StoreKey } from '../../../../src/ports/index.js';

/** A local transaction that is not signed yet (F10). */
export interface Draft {
  readonly hlc: Hlc;
  readonly payload: Bytes;
}

/** Drafts of one domain that follow each other, numbered from `n` on. */
export interface DraftRun {
  /** Domain id in hex. */
  readonly domain: string;
  readonly n: number;
  readonly drafts: readonly Draft[];
}

/** A row of the disk that holds a run. */
export interface DraftRow {
  readonly key: StoreKey;
  readonly domain: string;
  readonly n: number;
  readonly count: number;
  /** Their bytes, as weightOf counts them. */
  readonly weight: number;
  /** Null: on the disk alone. */
  drafts: readonly Draft[] | null;
}

/** The drafts of one domain, in the order in which they will be signed. */
export interface DraftQueue {
  readonly rows: DraftRow[];
  /** How many there are in all rows. */
  count: number;
  /** What the next one is numbered; no number comes twice in a start. */
  next: number;
}

/** Drafts whose changes are in the records already: those of a domain before a number, and how many they are. */
export type CoveredDrafts = readonly [domain: string, next: number, count: number];
