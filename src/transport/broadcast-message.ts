import { copyBytes, type Bytes } from '../core/base/index.js';
import { maxForeignFrameBytes } from './transport.js';

/** What goes over a BroadcastChannel. The receiver drops what is not addressed to it. */
export type BroadcastMessage =
  /** I am here; who else? */
  | { readonly kind: 'hello'; readonly from: string }
  | { readonly kind: 'here'; readonly from: string; readonly to: readonly string[] }
  | { readonly kind: 'gone'; readonly from: string }
  | { readonly kind: 'frame'; readonly from: string; readonly to: readonly string[] | 'all'; readonly bytes: Bytes };

/** Longest address believed, in characters; ours have 32. */
const maxAddressLength = 64;

/** Most addresses in one message. */
const maxAddresses = 1_024;

/** The message, or null for anything else: other scripts of the origin may post what they like. Never throws. */
export function parseBroadcastMessage(data: unknown): BroadcastMessage | null {
  if (typeof data !== 'object' || data === null || !('kind' in data) || !('from' in data)) return null;
  const { kind, from } = data;
  if (!isAddress(from)) return null;
  if (kind === 'hello' || kind === 'gone') return { kind, from };
  const to = 'to' in data ? data.to : null;
  if (kind === 'here') return isAddressList(to) ? { kind, from, to } : null;
  if (kind !== 'frame' || (to !== 'all' && !isAddressList(to))) return null;
  const bytes = 'bytes' in data ? ownBytes(data.bytes) : null;
  return bytes === null ? null : { kind, from, to, bytes };
}

function isAddress(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxAddressLength;
}

function isAddressList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= maxAddresses && value.every(isAddress);
}

/** A copy: the sender may have posted a view of something larger, or of shared memory. */
function ownBytes(value: unknown): Bytes | null {
  return value instanceof Uint8Array && value.length <= maxForeignFrameBytes ? copyBytes(value) : null;
}
