import { maxPacksPerGrant } from '../../../../src/core/flow/index.js';
import { maxUnitEntries } from '../../../../src/core/pack/index.js';

/** No transfer brings more entries than this: who says to hold more has not counted. */
const mostEntries: number = maxPacksPerGrant * maxUnitEntries;
/** What is taken to be missing beside as much again as is here, when nobody can be believed. */
const someEntries = 1_000;

/** How much of a catch-up is done. */
export interface Progress {
  /** So many entries came, which makes `have`, of a source that says to hold `said`; null: it has said nothing. */
  readonly took: (count: number, o: { readonly have: number; readonly said: number | null }) => void;
  /** In hundredths from 0 to 0.99; only `restart` takes it back. */
  readonly value: () => number;
  readonly restart: () => void;
}

/**
 * What peers say may be invented, and changes from source to source. So every pack takes its part of the way that is
 * left: with one honest source that is a straight line, and whatever another says bends it only from there on.
 */
export function createProgress(): Progress {
  let left = 1;
  return {
    took: (count, { have, said }) => {
      const isBelieved = said !== null && said >= have && said <= mostEntries;
      const missing = isBelieved ? said - have : have + someEntries;
      if (count > 0) left *= missing / (missing + count);
    },
    value: () => Math.min(0.99, Math.floor((1 - left) * 100) / 100),
    restart: () => {
      left = 1;
    },
  };
}
