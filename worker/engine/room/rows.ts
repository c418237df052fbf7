import { readU16, readU48, toHex, type Bytes } from '../../../src/core/base/index.js';
import { asArray, asBytes, decodeValue, readUtf8, utf8Bytes } from '../../../src/core/codec/index.js';
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

/** A draft in a row by itself, as they were all written once; null when it is damaged. */
export function decodeDraft(
  bytes: Bytes,
): { readonly domainId: Bytes; readonly hlc: Hlc; readonly payload: Bytes } | null {
  const value = decodeValue(bytes);
  const f = value.ok ? asArray(value.value, 5) : null;
  const [domainId, hlc, payload] = [asBytes(f?.[0], 32), asBytes(f?.[1], 8), storedBytes(f?.[4])];
  if (domainId === null || hlc === null || payload === null) return null;
  return { domainId, hlc: { ms: readU48(hlc, 0), ctr: readU16(hlc, 6) }, payload };
}

/** Rows of a room begin with its id in every table. */
export function forgetRoomOps(room: string): readonly StoreOp[] {
  const tables = ['rooms', 'keys', 'packs', 'drafts', 'marks', 'state'] as const;
  return tables.map((table) => ({ do: 'delete-prefix', table, prefix: [room] }));
}
