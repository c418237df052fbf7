import type { Bytes, Result } from '../base/index.js';
import { compareBytes, fail, maxU48, ok, requireWithin } from '../base/index.js';
import type { Form } from '../codec/index.js';
import { bytesOf, decodeValue, encodeValue, listOf, only, uintTo } from '../codec/index.js';
import { maxFrameBytes } from './frame.js';

/** Length of a request id: fresh randomness of its requester. */
const reqIdBytes = 16;

const messageLimits = { maxBytes: maxFrameBytes, maxDepth: 6, maxNodes: 8192 };

/** Reads a positional message; what is anything else becomes one typed fault. Code: 'frame/malformed'. */
export function readMessage<T>(message: Bytes, form: Form<T>): Result<T> {
  const decoded = decodeValue(message, messageLimits);
  if (!decoded.ok) return fail('frame/malformed', decoded.fault.detail);
  const value = form.read(decoded.value);
  return value === undefined ? fail('frame/malformed') : ok(value);
}

/** Writes what {@link readMessage} reads. RangeError for a list that is too long. */
export function writeMessage<T>(message: T, form: Form<T>): Bytes {
  return encodeValue(form.write(message, 'message'));
}

/** A room, domain, device or entry. */
export const idForm: Form<Bytes> = bytesOf(32);
/** Places in a chain, counts and times. */
export const u48Form: Form<number> = uintTo(maxU48);
/** Numbers of a transfer. */
export const u32Form: Form<number> = uintTo(2 ** 32 - 1);
/** A request id. */
export const reqIdForm: Form<Bytes> = bytesOf(reqIdBytes);

/** A list in which every domain occurs once, in ascending order: {@link byDomain}. */
export function perDomain<T extends { readonly domainId: Bytes }>(form: Form<T>, max: number): Form<readonly T[]> {
  return only(listOf(form, max), isAscending);
}

/** Ascending by domain, as the wire wants it; RangeError for a domain that is twice in it. */
export function byDomain<T extends { readonly domainId: Bytes }>(name: string, items: readonly T[]): T[] {
  const sorted = [...items].sort((a, b) => compareBytes(a.domainId, b.domainId));
  if (!isAscending(sorted)) throw new RangeError(`${name}: expected every domain once`);
  return sorted;
}

/** Whether every domain occurs once, in ascending order. */
function isAscending(items: readonly { readonly domainId: Bytes }[]): boolean {
  return items.every((item, i) => i === 0 || compareBytes(items[i - 1]?.domainId ?? item.domainId, item.domainId) < 0);
}

/** RangeError for a list that no frame holds. */
export function checkMax(name: string, items: readonly unknown[], max: number): void {
  requireWithin(`${name}.length`, items.length, 0, max);
}
