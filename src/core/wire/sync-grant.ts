import type { Bytes, Result } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { asArray, asBytes, asUint, encodeValue } from '../codec/index.js';
import { isTransferBase } from '../flow/index.js';
import { asId, asU48, checkMax, listOf, orNil, readMessage, reqIdBytes } from './shape.js';

/** Ranges of one grant. */
const maxGrantRanges = 96;
/** Floors of one grant. */
export const maxGrantFloors = 64;

/** Entries `from` to `to - 1` of a chain. */
export interface DomainRange {
  readonly domainId: Bytes;
  readonly author: Bytes;
  readonly from: number;
  readonly to: number;
}

/** "You serve me" (0x0104): data flows only after it, from this one source. Signed. */
export interface SyncGrant {
  readonly reqId: Bytes;
  readonly claimer: Bytes;
  /** Base of the transfers (flow: transferOf). */
  readonly transfer: number;
  /** Null: all that the request's clocks lack. */
  readonly ranges: readonly DomainRange[] | null;
  /**
   * What has come from others since the request: everything of this author below `from` is here. Places rather than
   * packs, because another source has cut the chain elsewhere.
   */
  readonly floors: readonly { readonly domainId: Bytes; readonly author: Bytes; readonly from: number }[];
}

/** The message; its signature comes after it. */
export function encodeSyncGrant({ reqId, claimer, transfer, ranges, floors }: SyncGrant): Bytes {
  checkMax('ranges', ranges ?? [], maxGrantRanges);
  checkMax('floors', floors, maxGrantFloors);
  const rangeValues = ranges?.map(({ domainId, author, from, to }) => [domainId, author, from, to]) ?? null;
  const floorValues = floors.map(({ domainId, author, from }) => [domainId, author, from]);
  return encodeValue([reqId, claimer, transfer, rangeValues, floorValues]);
}

/** Code: 'frame/malformed'. */
export function decodeSyncGrant(message: Bytes): Result<SyncGrant> {
  return readMessage(message, 5, (fields) => {
    const [reqId, claimer, transfer] = [
      asBytes(fields[0], reqIdBytes),
      asId(fields[1]),
      asUint(fields[2], 2 ** 32 - 1),
    ];
    const ranges = orNil(fields[3], (value) => listOf(value, maxGrantRanges, readRange));
    const floors = listOf(fields[4], maxGrantFloors, readFloor);
    if (reqId === null || claimer === null || transfer === null || !isTransferBase(transfer)) return null;
    return ranges === undefined || floors === null ? null : { reqId, claimer, transfer, ranges, floors };
  });
}

function readRange(item: Value): DomainRange | null {
  const fields = asArray(item, 4);
  if (fields === null) return null;
  const [domainId, author, from, to] = [asId(fields[0]), asId(fields[1]), asU48(fields[2]), asU48(fields[3])];
  if (domainId === null || author === null || from === null || to === null || from >= to) return null;
  return { domainId, author, from, to };
}

function readFloor(item: Value): SyncGrant['floors'][number] | null {
  const fields = asArray(item, 3);
  if (fields === null) return null;
  const [domainId, author, from] = [asId(fields[0]), asId(fields[1]), asU48(fields[2])];
  return domainId === null || author === null || from === null ? null : { domainId, author, from };
}
