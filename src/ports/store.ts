import type { Bytes } from '../core/base/index.js';

/** A key: an ordered list of texts and numbers, compared element by element (numbers before texts). */
export type StoreKey = readonly (string | number)[];

/** What may be stored: plain data, bytes on their own buffer, or an opaque handle of the Vault (a CryptoKey). */
export type StoreValue = unknown;

/** One table per kind of record. Rows of a room begin with its id, so that a room is forgotten by prefix. */
export type StoreTable = 'client' | 'rooms' | 'keys' | 'packs' | 'drafts' | 'marks' | 'state';

export type StoreOp =
  | { readonly do: 'put'; readonly table: StoreTable; readonly key: StoreKey; readonly value: StoreValue }
  | { readonly do: 'delete'; readonly table: StoreTable; readonly key: StoreKey }
  | { readonly do: 'delete-prefix'; readonly table: StoreTable; readonly prefix: StoreKey };

export interface StoreRow {
  readonly key: StoreKey;
  readonly value: StoreValue;
}

/** Why a commit did not happen. `fenced`: another engine has taken over. After any failure nothing of the commit is stored. */
export type StoreFailure = 'full' | 'broken' | 'fenced' | 'closed';

/** Thrown by every method of {@link Store}; the message says what was tried. */
export class StoreError extends Error {
  readonly failure: StoreFailure;
  constructor(failure: StoreFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.failure = failure;
  }
}

/**
 * Durable storage of one namespace, opened for one engine generation (tabs.md T4, rule 4).
 * A commit is one transaction: all operations or none, and nothing is acknowledged before it is complete.
 * The implementation copies what it is given and gives copies. Failures reject with {@link StoreError}.
 */
export interface Store {
  /** `strict` reaches the disk before it resolves (boot, keys, grants, migration); relaxed survives the death of the browser. */
  readonly commit: (ops: readonly StoreOp[], o?: { strict?: boolean }) => Promise<void>;
  readonly get: (table: StoreTable, key: StoreKey) => Promise<StoreValue>;
  /** Rows whose key begins with `prefix`, ascending by key. */
  readonly list: (table: StoreTable, prefix: StoreKey) => Promise<readonly StoreRow[]>;
  readonly close: () => Promise<void>;
}

/** Bytes of a stored value, or null when the row is absent or is something else: a damaged row is never trusted. */
export function storedBytes(value: StoreValue): Bytes | null {
  return value instanceof Uint8Array && value.buffer instanceof ArrayBuffer ? (value as Bytes) : null;
}
