import { readU32, toBase64Url, type Bytes, type FaultCode } from '../../../../src/core/base/index.js';
import { utf8Bytes } from '../../../../src/core/codec/index.js';
import type { EnginePorts } from '../../ports.js';
import type { WriteRef } from '../core.js';
import type { CoveredDrafts } from '../drafts/types.js';

/**
 * Raised with whatever changes what a room's entries amount to (admission, schemas, merging), or the form itself: then
 * what an older version has written is no longer what its history says.
 */
export const snapshotVersion = 2;

/** The state of a room beside its records, as JSON; ids and keys as base64url, what names things in maps as in the maps. */
export interface SnapshotHead {
  readonly version: number;
  readonly room: string;
  readonly device: string;
  /** Collections of each block of records. */
  readonly blocks: readonly (readonly string[])[];
  /** What control has to hold at least, and which of its grants have no effect: all else was judged by that. */
  readonly control: readonly (readonly [author: string, count: number, headId: string])[];
  readonly grantVoids: readonly string[];
  readonly domains: readonly SnapshotDomain[];
  readonly declarations: readonly string[];
  /** With the meta that says so, in hex. */
  readonly domainNames: readonly (readonly [domain: string, name: string, namer: string])[];
  readonly voids: readonly (readonly [id: string, code: FaultCode])[];
  readonly undelivered: readonly UndeliveredRun[];
  /** Drafts whose changes are in the records. */
  readonly drafts: readonly CoveredDrafts[];
  /** How many changes of content it covers. */
  readonly changes: number;
  /** What the packs take. */
  readonly bytes: number;
}

export interface SnapshotDomain {
  readonly id: string;
  readonly entryCount: number;
  readonly lastHlc: readonly [ms: number, ctr: number];
  readonly chains: readonly SnapshotChain[];
}

export interface SnapshotChain {
  readonly author: string;
  readonly count: number;
  /** The newest entries: ids and times. */
  readonly ids: readonly string[];
  readonly ms: readonly number[];
  readonly ctr: readonly number[];
  readonly signed: readonly [seq: number, id: string, sig: string, boot: string] | null;
}

/**
 * Records of one collection with own changes in one domain that nobody has acknowledged, entries or drafts: their keys as
 * the map has them, one after the other, all of one length; and where the newest change of each is, as steps from the one
 * before.
 */
export type UndeliveredRun = readonly [
  domain: string,
  isDraft: boolean,
  keyLength: number,
  keys: string,
  steps: readonly number[],
];

/** The map in short. */
export function packUndelivered(undelivered: ReadonlyMap<string, WriteRef>): UndeliveredRun[] {
  const runs = new Map<string, WriteRef & { keyLength: number; keys: string[]; steps: number[]; last: number }>();
  for (const [key, ref] of undelivered) {
    const at = `${String(key.length)} ${String(ref.isDraft)} ${ref.domain}`;
    let run = runs.get(at);
    if (run === undefined) runs.set(at, (run = { ...ref, keyLength: key.length, keys: [], steps: [], last: 0 }));
    run.keys.push(key);
    run.steps.push(ref.n - run.last);
    run.last = ref.n;
  }
  return [...runs.values()].map((run) => [run.domain, run.isDraft, run.keyLength, run.keys.join(''), run.steps]);
}

/** What {@link packUndelivered} has taken apart, but for what has been delivered since; the newest of a domain are last. */
export function unpackUndelivered(
  runs: readonly UndeliveredRun[],
  o: { readonly delivered: ReadonlyMap<string, number>; readonly into: Map<string, WriteRef> },
): void {
  const found: [key: string, ref: WriteRef][] = [];
  // Of the one run that most rooms have the order is known; a list of everything only costs time then.
  const isSorted = runs.length < 2 && !runs.some(([, , , , steps]) => steps.some((step) => step < 0));
  const take = (key: string, ref: WriteRef): void => {
    if (isSorted) o.into.set(key, ref);
    else found.push([key, ref]);
  };
  for (const [domain, isDraft, keyLength, keys, steps] of runs) {
    const from = isDraft ? 0 : (o.delivered.get(domain) ?? 0);
    let [at, ref]: [number, WriteRef] = [0, { domain, isDraft, n: 0 }];
    for (const step of steps) {
      if (step !== 0) ref = { ...ref, n: ref.n + step };
      if (ref.n >= from) take(keys.slice(at, at + keyLength), ref);
      at += keyLength;
    }
  }
  found.sort(([, a], [, b]) => Number(a.isDraft) - Number(b.isDraft) || a.n - b.n);
  for (const [key, ref] of found) o.into.set(key, ref);
}

/** What ties the rows of one snapshot together. */
export const snapshotIdBytes = 16;
/** Id of the snapshot | index u32 of the row | raw length u32 | deflated text. */
const headBytes: number = snapshotIdBytes + 8;
/** What one row may hold when it is inflated; far above what a block of records can be. */
const maxRowBytes: number = 1 << 29;

/** A row of a snapshot: a text, sealed. */
export async function sealRow(ports: EnginePorts, o: { id: Bytes; index: number; text: string }): Promise<Bytes> {
  const raw = utf8Bytes(o.text);
  const deflated = await ports.deflate.deflate(raw);
  const plain = new Uint8Array(headBytes + deflated.length);
  plain.set(o.id);
  const view = new DataView(plain.buffer);
  view.setUint32(snapshotIdBytes, o.index);
  view.setUint32(snapshotIdBytes + 4, raw.length);
  plain.set(deflated, headBytes);
  return ports.vault.sealLarge('snapshot', plain);
}

// On every platform we run on; this compiles without DOM types. What is read is our own, so not the codec's.
declare const TextDecoder: new () => { readonly decode: (bytes: Uint8Array) => string };

/** Null when the row is damaged, of another place or another data key. */
export async function openRow(
  ports: EnginePorts,
  o: { readonly sealed: Bytes; readonly index: number },
): Promise<{ readonly id: string; readonly text: string } | null> {
  const plain = await ports.vault.openLarge('snapshot', o.sealed);
  if (plain === null || plain.length < headBytes || readU32(plain, snapshotIdBytes) !== o.index) return null;
  const rawLength = readU32(plain, snapshotIdBytes + 4);
  if (rawLength > maxRowBytes) return null;
  const raw = await ports.deflate.inflate(plain.slice(headBytes), rawLength);
  if (raw?.length !== rawLength) return null;
  return { id: toBase64Url(plain.slice(0, snapshotIdBytes)), text: new TextDecoder().decode(raw) };
}
