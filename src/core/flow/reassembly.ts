import type { Bytes, Result } from '../base/index.js';
import { concatBytes, equalBytes, fail, ok } from '../base/index.js';
import type { Fragment } from './fragment.js';
import { baseOf, fragmentBytes, maxFragments, maxTransferBytes, requireTransferBase } from './fragment.js';

/** Unfinished packs of one source at a time (X7): bounds its memory to four times {@link maxTransferBytes}. */
export const maxOpenTransfers = 4;

/** Transfers that have ended and are still known: what their source had sent by then is on its way. */
const maxEnded = 16;

/** What a fragment led to. */
export interface Reassembled {
  readonly transfer: number;
  readonly base: number;
  /** Whether it brought bytes that were not here: a copy moves nothing. */
  readonly isNew: boolean;
  /** The pack, when this fragment was its last; owned by the caller. Null: more to come, or seen before. */
  readonly pack: Bytes | null;
}

/** Puts the packs of one source together. One per peer: a fragment counts only from the source that was granted. */
export interface Reassembly {
  /** From now on transfers of this base are expected. */
  readonly grant: (base: number) => void;
  /** They no longer are; what is unfinished is dropped. */
  readonly end: (base: number) => void;
  /** Whether a transfer was expected until a moment ago: what still comes of it is late, not wrong. */
  readonly isLate: (transfer: number) => boolean;
  /** Codes: 'frame/unrequested', 'frame/malformed', 'frame/oversized' (more open at a time than agreed). */
  readonly add: (fragment: Fragment) => Result<Reassembled>;
  /** Unfinished packs. */
  readonly openCount: () => number;
}

interface OpenTransfer {
  readonly parts: (Bytes | undefined)[];
  missing: number;
}

/** An empty reassembly, which expects nothing. */
export function createReassembly(): Reassembly {
  /** Finished packs by base; a base is here exactly while it is granted. */
  const finished = new Map<number, Set<number>>();
  const open = new Map<number, OpenTransfer>();
  const ended = new Set<number>();
  return {
    grant: (base) => {
      requireTransferBase(base);
      ended.delete(base);
      if (!finished.has(base)) finished.set(base, new Set());
    },
    end: (base) => {
      if (finished.delete(base)) ended.add(base);
      for (const oldest of ended) if (ended.size > maxEnded) ended.delete(oldest);
      for (const transfer of open.keys()) if (baseOf(transfer) === base) open.delete(transfer);
    },
    isLate: (transfer) => ended.has(baseOf(transfer)),
    add: (fragment) => {
      const done = finished.get(baseOf(fragment.transfer));
      if (done === undefined) return fail('frame/unrequested');
      if (!hasFragmentShape(fragment)) return fail('frame/malformed');
      return addFragment({ open, done }, fragment);
    },
    openCount: () => open.size,
  };
}

/** Every piece but the last is full, so that a pack has one way to be cut and its size is known from the start. */
function hasFragmentShape({ index, total, bytes }: Fragment): boolean {
  if (total < 1 || total > maxFragments || index >= total) return false;
  if (index < total - 1) return bytes.length === fragmentBytes;
  return bytes.length >= 1 && bytes.length <= Math.min(fragmentBytes, maxTransferBytes - index * fragmentBytes);
}

function addFragment(
  { open, done }: { readonly open: Map<number, OpenTransfer>; readonly done: Set<number> },
  { transfer, index, total, bytes }: Fragment,
): Result<Reassembled> {
  const base = baseOf(transfer);
  if (done.has(transfer)) return ok({ transfer, base, isNew: false, pack: null });
  const known = open.get(transfer);
  if (known === undefined && total > 1 && open.size >= maxOpenTransfers) {
    return fail('frame/oversized');
  }
  const entry = known ?? { parts: Array.from<Bytes | undefined>({ length: total }), missing: total };
  if (entry.parts.length !== total) return fail('frame/malformed');
  const held = entry.parts[index];
  if (held !== undefined) {
    if (!equalBytes(held, bytes)) return fail('frame/malformed');
    return ok({ transfer, base, isNew: false, pack: null });
  }
  entry.parts[index] = bytes;
  entry.missing--;
  if (entry.missing > 0) {
    open.set(transfer, entry);
    return ok({ transfer, base, isNew: true, pack: null });
  }
  open.delete(transfer);
  done.add(transfer);
  return ok({ transfer, base, isNew: true, pack: concatBytes(...entry.parts.filter((part) => part !== undefined)) });
}
