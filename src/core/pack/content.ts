/**
 * The contents of entries as columns: what repeats stands once in a table, equal fields stand together. From them the very
 * bytes of each payload are made again, because those are what is committed to, and its ops, so that nobody has to read
 * the bytes. What has no form here travels as it is (F14).
 */
import type { Bytes } from '../base/index.js';
import { devicePrefixBytes, recordIdBytes } from '../identity/index.js';
import { decodePayload, type Op, type Payload } from '../op/index.js';

/** The part of a record id before its creator. */
export const recordRandomBytes: number = recordIdBytes - devicePrefixBytes;
/** Payload bytes that one body may stand for: a few bytes of columns could else become any number. */
export const maxContentBytes: number = 1024 * 1024;

/** An op that has columns. */
export type KnownOp = Exclude<Op, { readonly kind: 'opaque' }>;

/** What ops have in common that stand in the same columns. */
export interface Shape {
  readonly code: number;
  readonly collection: string;
  /** Ascending by UTF-8; of an increment the one field. */
  readonly names: readonly string[];
}

/** Equal for equal shapes. */
export function keyOfShape({ code, collection, names }: Shape): string {
  return JSON.stringify([code, collection, ...names]);
}

/** The payload of these bytes, or null when it has no columns: unreadable, or with ops of an unknown code. */
export function contentOf(bytes: Bytes): Payload | null {
  const payload = decodePayload(bytes);
  return payload.ok && payload.value.ops.every(({ kind }) => kind !== 'opaque') ? payload.value : null;
}
