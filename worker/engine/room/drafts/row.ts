import { createWriter, fromHex, readU32, toHex, type Bytes } from '../../../../src/core/base/index.js';
import { entryKinds } from '../../../../src/core/entry/index.js';
import { decodeBody, encodeBody } from '../../../../src/core/pack/index.js';
import { storedBytes, type StoreOp, type StoreRow, type StoreValue } from '../../../../src/ports/index.js';
import type { RoomCore } from '../core.js';
import { decodeDraft } from '../rows.js';
import { minDeflateBytes } from '../units.js';
import type { Draft, DraftRow, DraftRun } from './types.js';

/** What one row holds at most: with that it is signed in one go, while others wait. */
export const maxRowDrafts = 512;
/** Any single payload fits. */
export const maxRowWeight: number = 129 * 1024;
/** What a draft takes in a body beside its payload, at most. */
const overheadBytes = 24;
/** What a body may be when it is inflated: its drafts, and what is written once. */
const maxBodyBytes: number = 2 * maxRowWeight;

const zeros32 = new Uint8Array(32);

/** Payload bytes and what goes with them. */
export function weightOf({ payload }: { readonly payload: Bytes }): number {
  return payload.length + overheadBytes;
}

/** Neighbours that may share a row, from the front on; the last group may grow. */
export function groupRows<T extends Pick<DraftRow, 'n' | 'count' | 'weight'>>(rows: readonly T[]): T[][] {
  const groups: T[][] = [];
  let [next, count, weight] = [-1, 0, 0];
  for (const row of rows) {
    [count, weight] = [count + row.count, weight + row.weight];
    if (row.n === next && count <= maxRowDrafts && weight <= maxRowWeight) groups.at(-1)?.push(row);
    else {
      groups.push([row]);
      ({ count, weight } = row);
    }
    next = row.n + row.count;
  }
  return groups;
}

/** The row of a run, and what puts it there: `length u32 | body`, sealed; deflated where that is shorter. */
export async function sealDrafts(
  { room, ports }: RoomCore,
  { domain, n, drafts }: DraftRun,
): Promise<{ readonly row: DraftRow; readonly op: StoreOp }> {
  const weight = drafts.reduce((sum, draft) => sum + weightOf(draft), 0);
  const key = [room, domain, n, drafts.length, weight];
  // The columns of entries hold the domain where those have an epoch.
  const kid = fromHex(domain) ?? zeros32;
  const head = { kind: entryKinds.data, boot: zeros32.slice(24), cap: zeros32, kid, deps: [], commit: null };
  const body = encodeBody(
    drafts.map(({ hlc: { ms, ctr }, payload }) => ({ ...head, hlcMs: ms, hlcCtr: ctr, payload })),
  );
  const deflated = body.length < minDeflateBytes ? body : await ports.deflate.deflate(body);
  const stored = deflated.length < body.length ? deflated : body;
  const plain = createWriter(4 + stored.length)
    .u32(body.length)
    .bytes(stored)
    .done();
  const op: StoreOp = { do: 'put', table: 'drafts', key, value: ports.vault.sealAtRest('draft', plain) };
  return { row: { key, domain, n, count: drafts.length, weight, drafts }, op };
}

/** A row as its key says. One of the older form, a draft by itself, says its domain inside; null: it is damaged. */
export function readDraftRow({ ports }: RoomCore, { key, value }: StoreRow): DraftRow | null {
  const [, domain, n, count, weight] = key;
  if (typeof domain === 'number') {
    const sealed = storedBytes(value);
    const bytes = sealed && ports.vault.openAtRest('draft', sealed);
    const one = bytes && decodeDraft(bytes);
    return one && { key, domain: toHex(one.domainId), n: domain, count: 1, weight: weightOf(one), drafts: [one] };
  }
  const isRow = typeof n === 'number' && typeof count === 'number' && typeof weight === 'number';
  return domain !== undefined && isRow ? { key, domain, n, count, weight, drafts: null } : null;
}

/** The bytes of a row's body, of many rows at once; null: it is damaged. */
export async function unsealDrafts({ ports }: RoomCore, value: StoreValue): Promise<Bytes | null> {
  const sealed = storedBytes(value);
  const plain = sealed && ports.vault.openAtRest('draft', sealed);
  if (plain === null || plain.length < 4) return null;
  const [length, stored] = [readU32(plain, 0), plain.slice(4)];
  if (stored.length === length || length > maxBodyBytes) return stored;
  return ports.deflate.inflate(stored, length);
}

/** The drafts of a body; null when it is not what its row says. */
export function draftsOf(body: Bytes | null, { domain, count }: DraftRow): readonly Draft[] | null {
  const read = body && decodeBody(body, count);
  const isOurs = read?.ok === true && read.value.every(({ kid }) => toHex(kid) === domain);
  if (!isOurs) return null;
  return read.value.map(({ hlcMs, hlcCtr, payload }) => ({
    hlc: { ms: hlcMs, ctr: hlcCtr },
    payload: payload ?? zeros32,
  }));
}

/** The drafts of a row, from memory or the disk; null: it is damaged. */
export async function openDrafts(core: RoomCore, row: DraftRow): Promise<readonly Draft[] | null> {
  return row.drafts ?? draftsOf(await unsealDrafts(core, await core.ports.store.get('drafts', row.key)), row);
}
