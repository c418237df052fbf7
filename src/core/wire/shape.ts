import type { Bytes, Result } from '../base/index.js';
import { compareBytes, fail, maxU48, ok, requireWithin } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { asArray, asBytes, asList, asUint, decodeValue } from '../codec/index.js';
import { maxFrameBytes } from './frame.js';

/** Length of a request id: fresh randomness of its requester. */
export const reqIdBytes = 16;

const messageLimits = { maxBytes: maxFrameBytes, maxDepth: 6, maxNodes: 8192 };

/** Reads a positional message of `length` fields; what is anything else becomes one typed fault. Code: 'frame/malformed'. */
export function readMessage<T>(
  message: Bytes,
  length: number,
  read: (fields: readonly Value[]) => T | null,
): Result<T> {
  const decoded = decodeValue(message, messageLimits);
  if (!decoded.ok) return fail('frame/malformed', decoded.fault.detail);
  const fields = asArray(decoded.value, length);
  const value = fields === null ? null : read(fields);
  return value === null ? fail('frame/malformed') : ok(value);
}

/** Items of a list of at most `max`, or null when there are more or one of them does not read. */
export function listOf<T>(value: Value | undefined, max: number, read: (item: Value) => T | null): T[] | null {
  const items = asList(value, max);
  if (items === null) return null;
  const out: T[] = [];
  for (const item of items) {
    const one = read(item);
    if (one === null) return null;
    out.push(one);
  }
  return out;
}

/** 32 bytes, or null. */
export function asId(value: Value | undefined): Bytes | null {
  return asBytes(value, 32);
}

/** A u48, or null. */
export function asU48(value: Value | undefined): number | null {
  return asUint(value, maxU48);
}

/** An optional field: `undefined` when it does not read, null when it is absent. */
export function orNil<T>(value: Value | undefined, read: (value: Value) => T | null): T | null | undefined {
  if (value === undefined) return undefined;
  return value === null ? null : (read(value) ?? undefined);
}

/** Ascending by domain, as the wire wants it; RangeError for a domain that is twice in it. */
export function byDomain<T extends { readonly domainId: Bytes }>(name: string, items: readonly T[]): T[] {
  const sorted = [...items].sort((a, b) => compareBytes(a.domainId, b.domainId));
  if (!isAscending(sorted)) throw new RangeError(`${name}: expected every domain once`);
  return sorted;
}

/** Whether every domain occurs once, in ascending order. */
export function isAscending(items: readonly { readonly domainId: Bytes }[]): boolean {
  return items.every((item, i) => i === 0 || compareBytes(items[i - 1]?.domainId ?? item.domainId, item.domainId) < 0);
}

/** RangeError for a list that no frame holds. */
export function checkMax(name: string, items: readonly unknown[], max: number): void {
  requireWithin(`${name}.length`, items.length, 0, max);
}
