import type { Bytes } from '../base/index.js';
import { utf8Length } from './utf8.js';
import type { Value } from './value.js';

/** A positional payload of exactly `length` fields, or null. */
export function asArray(value: Value | undefined, length: number): readonly Value[] | null {
  return isArray(value) && value.length === length ? value : null;
}

/** A list of at most `maxLength` items, or null. */
export function asList(value: Value | undefined, maxLength: number): readonly Value[] | null {
  return isArray(value) && value.length <= maxLength ? value : null;
}

/** Byte string of exactly `length` bytes, or null. */
export function asBytes(value: Value | undefined, length: number): Bytes | null {
  return value instanceof Uint8Array && value.length === length ? value : null;
}

/** Byte string of at most `maxLength` bytes, or null. */
export function asBytesUpTo(value: Value | undefined, maxLength: number): Bytes | null {
  return value instanceof Uint8Array && value.length <= maxLength ? value : null;
}

/** Integer from 0 to `max`, or null. */
export function asUint(value: Value | undefined, max: number): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max ? value : null;
}

/** Text of at most `maxBytes` in UTF-8, or null. */
export function asText(value: Value | undefined, maxBytes: number): string | null {
  return typeof value === 'string' && utf8Length(value) <= maxBytes ? value : null;
}

/** A boolean, or null. */
export function asBoolean(value: Value | undefined): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

/** A map, or null. Read it with Object.hasOwn or Object.entries: names like 'constructor' are ordinary keys. */
export function asMap(value: Value | undefined): { readonly [key: string]: Value } | null {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || isArray(value)) return null;
  return value;
}

/** Array.isArray does not narrow readonly arrays. */
function isArray(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}
