import type { Bytes } from '../base/index.js';

/** What a payload may hold. Numbers are integers of the safe range, or finite and not integral. */
export type Value = null | boolean | number | string | Bytes | readonly Value[] | { readonly [key: string]: Value };

/**
 * Budgets of one value. They decide whether a payload has effect, so every peer must use the same:
 * pass others only for data that never leaves this device.
 */
export interface ValueLimits {
  readonly maxBytes: number;
  /** Nested arrays and maps; a scalar has depth 0, `[]` depth 1. */
  readonly maxDepth: number;
  /** Values of any kind, containers included; a map key is not counted. */
  readonly maxNodes: number;
}

/** 256 KiB is the largest body of a pack (format.md §2); 65,536 nodes of any kind stay below 8 MiB in memory. */
export const valueLimits: ValueLimits = { maxBytes: 262_144, maxDepth: 32, maxNodes: 65_536 };

/** Would set the prototype of a careless reader's object: refused by both directions. */
export const forbiddenKey = '__proto__';
