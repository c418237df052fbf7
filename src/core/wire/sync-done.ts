import type { Bytes, Result } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { asArray, asBoolean, asBytes, asUint, encodeValue } from '../codec/index.js';
import { maxPacksPerGrant } from '../flow/index.js';
import { asId, asU48, byDomain, isAscending, listOf, readMessage, reqIdBytes } from './shape.js';
import { maxRequestDomains } from './sync-req.js';

/** "That was all from me" (0x0106), after the last fragment. Signed. */
export interface SyncDone {
  readonly reqId: Bytes;
  /** Base of the transfers it ends: a late one must not end the next. */
  readonly transfer: number;
  /** Packs sent; fewer received means a lost one. */
  readonly packs: number;
  /** Entries in them. */
  readonly entries: number;
  /** Everything that was asked for and I hold has been sent. */
  readonly complete: boolean;
  /** My roots of the request's domains when the transfer began; of very many, those with the lowest ids. */
  readonly roots: readonly { readonly domainId: Bytes; readonly root: Bytes }[];
}

/** The message; its signature comes after it. */
export function encodeSyncDone({ reqId, transfer, packs, entries, complete, roots }: SyncDone): Bytes {
  const rootValues = byDomain('roots', roots)
    .slice(0, maxRequestDomains)
    .map(({ domainId, root }) => [domainId, root]);
  return encodeValue([reqId, transfer, packs, entries, complete, rootValues]);
}

/** Code: 'frame/malformed'. */
export function decodeSyncDone(message: Bytes): Result<SyncDone> {
  return readMessage(message, 6, (fields) => {
    const [reqId, transfer] = [asBytes(fields[0], reqIdBytes), asUint(fields[1], 2 ** 32 - 1)];
    const [packs, entries] = [asUint(fields[2], maxPacksPerGrant), asU48(fields[3])];
    const [complete, roots] = [asBoolean(fields[4]), listOf(fields[5], maxRequestDomains, readRoot)];
    if (reqId === null || transfer === null || packs === null || entries === null) return null;
    if (complete === null || roots === null || !isAscending(roots)) return null;
    return { reqId, transfer, packs, entries, complete, roots };
  });
}

function readRoot(item: Value): SyncDone['roots'][number] | null {
  const fields = asArray(item, 2);
  if (fields === null) return null;
  const [domainId, root] = [asId(fields[0]), asId(fields[1])];
  return domainId === null || root === null ? null : { domainId, root };
}
