import { createWriter, readU16, readU48, toHex, type Bytes } from '../../../src/core/base/index.js';
import {
  asArray,
  asBytes,
  asText,
  asUint,
  decodeValue,
  encodeValue,
  readUtf8,
  utf8Bytes,
} from '../../../src/core/codec/index.js';
import type { Hlc } from '../../../src/core/clock/index.js';
import { storedBytes, type StoreOp, type StoreValue, type Vault } from '../../../src/ports/index.js';

/** The row of a room: what this device is in it. Stored values cross as plain data; `handle` is the Vault's. */
export interface RoomRow {
  readonly key: string | null;
  /** The page's request that made or joined the room (hex): asked twice, it is the same room. */
  readonly request: string;
  readonly handle: unknown;
  /** Boots of this device, newest last, at most {@link maxBoots}: what tells a lost tail from a clone (F10). */
  readonly boots: readonly string[];
  readonly title: string;
  readonly undelivered: number;
  /** What its packs take, as of when the row was written. */
  readonly bytes: number;
}

/** Of a room that is made or joined. */
export function newRow(o: Pick<RoomRow, 'key' | 'request' | 'handle' | 'title'> & { readonly boot: Bytes }): RoomRow {
  const { boot, ...row } = o;
  return { ...row, boots: [toHex(boot)], undelivered: 0, bytes: 0 };
}

/** Engine starts that are remembered. */
export const maxBoots = 1024;

/** A local transaction that is not signed yet (F10). `n` orders drafts; `tab` and `counter` name the page's write. */
export interface Draft {
  readonly n: number;
  readonly domainId: Bytes;
  readonly hlc: Hlc;
  readonly tab: string;
  readonly counter: number;
  readonly payload: Bytes;
}

/** Null when the row is damaged. The title is sealed on the disk; without a vault, or when it does not open, it is empty. */
export function readRoomRow(value: StoreValue, vault: Pick<Vault, 'openAtRest'> | null = null): RoomRow | null {
  if (typeof value !== 'object' || value === null) return null;
  const row: Partial<Record<keyof RoomRow, unknown>> = value;
  const { key, request, handle, boots, title, undelivered, bytes } = row;
  if (typeof request !== 'string' || !Array.isArray(boots) || handle === undefined) return null;
  return {
    key: typeof key === 'string' ? key : null,
    request,
    handle,
    boots: boots.filter((boot): boot is string => typeof boot === 'string'),
    title: readTitle(title, vault),
    undelivered: typeof undelivered === 'number' ? undelivered : 0,
    bytes: typeof bytes === 'number' ? bytes : 0,
  };
}

function readTitle(stored: unknown, vault: Pick<Vault, 'openAtRest'> | null): string {
  const sealed = storedBytes(stored);
  const bytes = sealed && vault?.openAtRest('title', sealed);
  return (bytes && readUtf8(bytes)) ?? '';
}

/** A title is what somebody wrote, and the list of rooms shows it before a room's keys are read: sealed as such (X10). */
export function putRoom(vault: Pick<Vault, 'sealAtRest'>, room: string, row: RoomRow): StoreOp {
  const value = { ...row, title: vault.sealAtRest('title', utf8Bytes(row.title)) };
  return { do: 'put', table: 'rooms', key: [room], value };
}

export function putPack(
  room: string,
  place: { domain: string; author: string; fromSeq: number },
  bytes: Bytes,
): StoreOp {
  return { do: 'put', table: 'packs', key: packKey(room, place), value: bytes };
}

/** Evidence of a fork (F6): the pack of a branch, under its first entry. */
export function putBranch(
  room: string,
  place: { domain: string; author: string; fromSeq: number; branch: string },
  bytes: Bytes,
): StoreOp {
  return { do: 'put', table: 'state', key: branchKey(room, place), value: bytes };
}

export function branchKey(
  room: string,
  place: { domain: string; author: string; fromSeq: number; branch: string },
): readonly (string | number)[] {
  return [room, 'fork', place.domain, place.author, place.fromSeq, place.branch];
}

export function packKey(
  room: string,
  place: { domain: string; author: string; fromSeq: number },
): readonly (string | number)[] {
  return [room, place.domain, place.author, place.fromSeq];
}

/** The plaintext of a draft's row; the Vault seals it (X10). */
export function encodeDraft(draft: Omit<Draft, 'n'>): Bytes {
  const hlc = createWriter(8).u48(draft.hlc.ms).u16(draft.hlc.ctr).done();
  return encodeValue([draft.domainId, hlc, draft.tab, draft.counter, draft.payload]);
}

/** Null when the row is damaged. */
export function decodeDraft(n: number, bytes: Bytes): Draft | null {
  const value = decodeValue(bytes);
  const f = value.ok ? asArray(value.value, 5) : null;
  const [domainId, hlc, tab, counter] = [
    asBytes(f?.[0], 32),
    asBytes(f?.[1], 8),
    asText(f?.[2], 64),
    asUint(f?.[3], Number.MAX_SAFE_INTEGER),
  ];
  const payload = storedBytes(f?.[4]);
  if (domainId === null || hlc === null || tab === null || counter === null || payload === null) return null;
  return { n, domainId, hlc: { ms: readU48(hlc, 0), ctr: readU16(hlc, 6) }, tab, counter, payload };
}

/** Rows of a room begin with its id in every table. */
export function forgetRoomOps(room: string): readonly StoreOp[] {
  const tables = ['rooms', 'keys', 'packs', 'drafts', 'marks', 'state'] as const;
  return tables.map((table) => ({ do: 'delete-prefix', table, prefix: [room] }));
}
