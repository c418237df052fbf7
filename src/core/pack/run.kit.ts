/** Runs of entries as an author makes them, their packs, and how a reader opens those: for the suites of packs. */
import fc from 'fast-check';
import type { Bytes, Result } from '../base/index.js';
import { compareBytes, fail, ok, toHex } from '../base/index.js';
import { commitKey, commitment, entryId, type Entry } from '../entry/index.js';
import type { BodyEntry, PackHeader } from './index.js';
import { decodeBody, decodePack, encodeBody, openPack, rebuildRun, sealPack } from './index.js';

export function filled(length: number, fill: number): Bytes {
  return new Uint8Array(length).fill(fill);
}

export const roomId: Bytes = filled(32, 1);
export const author: Bytes = filled(32, 3);
export const sealer: Bytes = filled(32, 4);
export const sealKid: Bytes = filled(32, 0x30);
/** Epoch secrets by kid: two epochs, both held. */
export const prks: ReadonlyMap<string, Bytes> = new Map(
  [0x30, 0x31].map((fill) => [toHex(filled(32, fill)), filled(32, fill + 0x50)]),
);
const prkOf = (kid: string): Bytes | null => prks.get(kid) ?? null;

/** What the author chose of one entry. */
export interface Written {
  readonly kind: number;
  readonly boot: Bytes;
  readonly cap: Bytes;
  readonly kid: Bytes;
  readonly hlcMs: number;
  readonly hlcCtr: number;
  readonly deps: readonly Bytes[];
  readonly payload: Bytes;
  /** The copy has lost the payload: only the commitment travels. */
  readonly isAbsent: boolean;
}

/** A run of one chain. */
export interface Run {
  readonly domainId: Bytes;
  readonly fromSeq: number;
  readonly prevId: Bytes;
  readonly entries: readonly Entry[];
}

/** The entries of a run, chained, with their commitments and ids. */
export function runOf(o: {
  readonly domainId: Bytes;
  readonly fromSeq: number;
  readonly prevId: Bytes;
  readonly written: readonly Written[];
}): Run {
  const isControl = o.domainId.every((byte) => byte === 0);
  const entries: Entry[] = [];
  for (const { isAbsent, payload, ...rest } of o.written) {
    const seq = o.fromSeq + entries.length;
    const place = { roomId, domainId: o.domainId, author, seq, prev: entries.at(-1)?.id ?? o.prevId };
    const key = commitKey(isControl ? null : prkOf(toHex(rest.kid)), o.domainId, author);
    const body = { ...rest, payload: isAbsent ? null : payload, commit: commitment(key, seq, payload) };
    entries.push({ ...place, ...body, id: entryId(place, body) });
  }
  return { domainId: o.domainId, fromSeq: o.fromSeq, prevId: o.prevId, entries };
}

/** What a body keeps of an entry. */
export function bodyOf({ kind, boot, cap, kid, hlcMs, hlcCtr, deps, payload, commit }: Entry): BodyEntry {
  return { kind, boot, cap, kid, hlcMs, hlcCtr, deps, payload, commit: payload === null ? commit : null };
}

export function headerOf(run: Run, o: Partial<PackHeader> = {}): PackHeader {
  const { domainId, fromSeq, prevId, entries } = run;
  const endId = entries.at(-1)?.id ?? filled(32, 0);
  const place = { domainId, author, fromSeq, prevId, count: entries.length };
  return { deflated: false, ...place, endId, endSig: filled(64, 9), sealKid, sealer, ...o };
}

/** The pack of a run, not deflated. */
export function packOf(
  run: Run,
  o: { readonly header?: Partial<PackHeader>; readonly columns?: Bytes; readonly random32?: Bytes } = {},
): Bytes {
  const columns = o.columns ?? encodeBody(run.entries.map(bodyOf));
  const header = headerOf(run, o.header);
  const prk = prkOf(toHex(header.sealKid)) ?? filled(32, 0);
  return sealPack(header, { columns, stored: columns }, { prk, roomId, random32: o.random32 ?? filled(32, 0x70) });
}

/** All that a reader does with a pack that is not deflated, short of the author's signature. */
export function readPack(
  bytes: Bytes,
  o: { readonly roomId?: Bytes; readonly prkOf?: typeof prkOf } = {},
): Result<readonly Entry[]> {
  const pack = decodePack(bytes);
  if (!pack.ok) return pack;
  const { value } = pack;
  const prk = (o.prkOf ?? prkOf)(toHex(value.sealKid));
  if (prk === null) return fail('pack/unknown-key', 'kid');
  const opened = openPack(value, { prk, roomId: o.roomId ?? roomId });
  if (!opened.ok) return opened;
  const bodies = decodeBody(opened.value.stored, value.count);
  if (!bodies.ok) return bodies;
  const { domainId, fromSeq, prevId, endId } = value;
  const entries = rebuildRun(
    { roomId: o.roomId ?? roomId, domainId, author: value.author, fromSeq, prevId, endId },
    bodies.value,
    o.prkOf ?? prkOf,
  );
  return entries.ok ? ok(entries.value) : entries;
}

const bytes = (length: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((b) => new Uint8Array(b));
/** Few values, so that runs of equal headers come up. */
const oneOfFew = (length: number): fc.Arbitrary<Bytes> => fc.constantFrom(filled(length, 1), filled(length, 2));
const time = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.maxSafeInteger().map((n) => Math.abs(n) % 2 ** 48),
  fc.constant(2 ** 48 - 1),
);

/** Entries with every column used: runs, times that go back, dependencies, payloads of any length, lost payloads. */
const arbitraryWritten: fc.Arbitrary<Written> = fc.record({
  kind: fc.constantFrom(0, 0, 0, 255),
  boot: oneOfFew(8),
  cap: oneOfFew(32),
  kid: fc.constantFrom(filled(32, 0x30), filled(32, 0x30), filled(32, 0x31)),
  hlcMs: time,
  hlcCtr: fc.integer({ min: 0, max: 0xffff }),
  deps: fc
    .array(bytes(32), { maxLength: 4 })
    .map((deps) =>
      [...deps].sort(compareBytes).filter((dep, i, all) => i === 0 || compareBytes(all[i - 1] ?? dep, dep) !== 0),
    ),
  payload: fc.uint8Array({ maxLength: 200 }).map((b) => new Uint8Array(b)),
  isAbsent: fc.boolean(),
});

/** Runs at any place of a chain, in control and in a data domain. */
export const arbitraryRun: fc.Arbitrary<Run> = fc
  .record({
    domainId: fc.constantFrom(filled(32, 0), filled(32, 2), filled(32, 2)),
    fromSeq: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5000 })),
    written: fc.array(arbitraryWritten, { minLength: 1, maxLength: 12 }),
  })
  .map(({ domainId, fromSeq, written }) =>
    runOf({ domainId, fromSeq, prevId: filled(32, fromSeq === 0 ? 0 : 8), written }),
  );
