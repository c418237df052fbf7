import type { Bytes } from '../base/index.js';
import { requireWithin } from '../base/index.js';

/** A piece of a pack on its way. */
export interface Fragment {
  /** The pack's number among those of a grant: {@link transferOf}. */
  readonly transfer: number;
  readonly index: number;
  readonly total: number;
  readonly bytes: Bytes;
}

/** Payload of every fragment but the last (X7): with its header it stays below the largest frame. */
export const fragmentBytes = 14_900;
/** Largest thing that is cut into fragments (X7): a pack of 192 KiB with room for its header and growth. */
export const maxTransferBytes: number = 224 * 1024;
/** Fragments of the largest transfer. */
export const maxFragments: number = Math.ceil(maxTransferBytes / fragmentBytes);
/** Packs a single grant may carry. */
export const maxPacksPerGrant = 0x1_0000;

/** Number of a pack in a grant: the requester chose `base` (u32, low 16 bits zero), the source counts packs from 0. */
export function transferOf(base: number, packIndex: number): number {
  requireTransferBase(base);
  requireWithin('packIndex', packIndex, 0, maxPacksPerGrant - 1);
  return base + packIndex;
}

/** The grant a transfer belongs to. */
export function baseOf(transfer: number): number {
  return transfer - (transfer % maxPacksPerGrant);
}

/** Whether a requester may hand this number out as the base of a grant. */
export function isTransferBase(base: number): boolean {
  return Number.isInteger(base) && base >= 0 && base < 2 ** 32 && base % maxPacksPerGrant === 0;
}

/** RangeError for what {@link isTransferBase} refuses. */
export function requireTransferBase(base: number): void {
  if (!isTransferBase(base))
    throw new RangeError(`base: expected a u32 whose low 16 bits are zero, got ${String(base)}`);
}

/** Cuts a pack; the pieces alias it. RangeError for nothing, or more than {@link maxTransferBytes}. */
export function splitIntoFragments(pack: Bytes, transfer: number): Fragment[] {
  requireWithin('pack.length', pack.length, 1, maxTransferBytes);
  const total = Math.ceil(pack.length / fragmentBytes);
  return Array.from({ length: total }, (_, index) => {
    const bytes = pack.subarray(index * fragmentBytes, (index + 1) * fragmentBytes);
    return { transfer, index, total, bytes };
  });
}
