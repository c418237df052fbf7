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
  const { kind, from, to, bytes } = Object(data) as Readonly<Record<string, unknown>>;
  if (!isAddress(from)) return null;
  if (kind === 'hello' || kind === 'gone') return { kind, from };
  if (kind === 'here') return isAddressList(to) ? { kind, from, to } : null;
  if (kind !== 'frame' || (to !== 'all' && !isAddressList(to)) || !isFrame(bytes)) return null;
  // A copy: the sender may have posted a view of something larger, or of shared memory.
  return { kind, from, to, bytes: copyBytes(bytes) };
}

function isAddress(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxAddressLength;
}

function isAddressList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= maxAddresses && value.every(isAddress);
}

function isFrame(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length <= maxForeignFrameBytes;
}
