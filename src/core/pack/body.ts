import { compareBytes, copyBytes, fail, ok, type Bytes, type Result } from '../base/index.js';
import { maxDeps } from '../entry/index.js';
import type { Payload } from '../op/index.js';
import { contentOf } from './content.js';
import { readContents } from './read-contents.js';
import { createByteSink, createByteSource, unzigzag, zigzag, type ByteSink, type ByteSource } from './varint.js';
import { writeContents } from './write-contents.js';

/** What a body holds of one entry; ids, prev and author follow from the chain. */
export interface BodyEntry {
  readonly kind: number;
  readonly boot: Bytes;
  readonly cap: Bytes;
  readonly kid: Bytes;
  readonly hlcMs: number;
  readonly hlcCtr: number;
  readonly deps: readonly Bytes[];
  /** Payload bytes, or null with the commitment kept in its place. */
  readonly payload: Bytes | null;
  /** Set exactly when `payload` is null. */
  readonly commit: Bytes | null;
}

/** Entries of one unit (F8). */
export const maxUnitEntries = 1024;
/** Body bytes before deflate, and the bound at which inflating stops. */
export const maxRawBodyBytes: number = 256 * 1024;

const bodyVersion = 2;
const modeColumns = 0;
const modeRaw = 1;
const modeAbsent = 2;
const commitBytes = 32;

/**
 * The columns of `entries` (1 to {@link maxUnitEntries}): runs of (kind, boot, cap, kid), then hlc deltas, counters,
 * dependency counts, dependencies, modes, contents. One value has one encoding.
 */
export function encodeBody(entries: readonly BodyEntry[]): Bytes {
  const sink = createByteSink();
  sink.byte(bodyVersion);
  let previous: BodyEntry | null = null;
  for (const [start, entry] of entries.entries()) {
    if (previous !== null && isSameRun(previous, entry)) continue;
    sink.uint(runLength(entries, start));
    sink.byte(entry.kind);
    sink.bytes(entry.boot);
    sink.bytes(entry.cap);
    sink.bytes(entry.kid);
    previous = entry;
  }
  let lastMs = 0;
  for (const entry of entries) {
    sink.uint(zigzag(entry.hlcMs - lastMs));
    lastMs = entry.hlcMs;
  }
  for (const entry of entries) sink.uint(entry.hlcCtr);
  for (const entry of entries) sink.byte(entry.deps.length);
  for (const entry of entries) for (const dep of entry.deps) sink.bytes(dep);
  writePayloads(sink, entries);
  return sink.take();
}

function writePayloads(sink: ByteSink, entries: readonly BodyEntry[]): void {
  const contents: Payload[] = [];
  const raw: { readonly mode: number; readonly bytes: Bytes }[] = [];
  for (const { payload, commit } of entries) {
    const content = payload && contentOf(payload);
    const mode = content !== null ? modeColumns : payload !== null ? modeRaw : modeAbsent;
    if (content !== null) contents.push(content);
    else raw.push({ mode, bytes: payload ?? commit ?? missingBoth() });
    sink.byte(mode);
  }
  for (const { mode, bytes } of raw) if (mode === modeRaw) sink.uint(bytes.length);
  for (const { bytes } of raw) sink.bytes(bytes);
  writeContents(sink, contents);
}

/**
 * The `count` entries of a body, from one of them on; anything but the one canonical encoding is 'pack/bad-body', but that
 * what is left out is not checked for what only its payloads would show. Nothing aliases the input; payloads in columns are
 * views of one array that is theirs alone.
 */
export function decodeBody(bytes: Uint8Array, count: number, from = 0): Result<BodyEntry[]> {
  const source = createByteSource(bytes);
  if (source.byte() !== bodyVersion) return fail('pack/bad-body');
  const runs = readRuns(source, count);
  if (runs === null) return fail('pack/bad-body');
  const clocks = readClocks(source, count);
  const deps = readDeps(source, count);
  if (clocks === null || deps === null) return fail('pack/bad-body');
  const payloads = readPayloads(source, count, from);
  if (payloads === null || !source.atEnd()) return fail('pack/bad-body');
  const entries: BodyEntry[] = [];
  for (let i = from; i < count; i++) {
    const [run, clock, dep, content] = [runs[i], clocks[i], deps[i], payloads[i - from]];
    if (run === undefined || clock === undefined || dep === undefined || content === undefined) break;
    const { kind, boot, cap, kid } = run;
    const { payload, commit } = content;
    entries.push({ kind, boot, cap, kid, hlcMs: clock.hlcMs, hlcCtr: clock.hlcCtr, deps: dep, payload, commit });
  }
  return entries.length === count - from ? ok(entries) : fail('pack/bad-body');
}

function missingBoth(): never {
  throw new TypeError('body: an entry needs a payload or its commitment');
}

type Run = Pick<BodyEntry, 'kind' | 'boot' | 'cap' | 'kid'>;

function isSameRun(a: Run, b: Run): boolean {
  return (
    a.kind === b.kind &&
    compareBytes(a.boot, b.boot) === 0 &&
    compareBytes(a.cap, b.cap) === 0 &&
    compareBytes(a.kid, b.kid) === 0
  );
}

function runLength(entries: readonly BodyEntry[], start: number): number {
  const first = entries[start];
  let end = start + 1;
  for (let next = entries[end]; first && next && isSameRun(first, next); next = entries[end]) end++;
  return end - start;
}

function readRuns(source: ByteSource, count: number): Run[] | null {
  const rows: Run[] = [];
  while (rows.length < count) {
    const length = source.uint();
    const kind = source.byte();
    const [boot, cap, kid] = [source.bytes(8), source.bytes(32), source.bytes(32)];
    if (length === null || kind === null || boot === null || cap === null || kid === null) return null;
    if (length < 1 || length > count - rows.length) return null;
    const run: Run = { kind, boot: copyBytes(boot), cap: copyBytes(cap), kid: copyBytes(kid) };
    const before = rows.at(-1);
    if (before !== undefined && isSameRun(before, run)) return null;
    for (let i = 0; i < length; i++) rows.push(run);
  }
  return rows;
}

function readClocks(source: ByteSource, count: number): { hlcMs: number; hlcCtr: number }[] | null {
  const rows: { hlcMs: number; hlcCtr: number }[] = [];
  let ms = 0;
  for (let i = 0; i < count; i++) {
    const delta = source.uint();
    if (delta === null) return null;
    ms += unzigzag(delta);
    if (ms < 0 || ms >= 2 ** 48) return null;
    rows.push({ hlcMs: ms, hlcCtr: 0 });
  }
  for (const row of rows) {
    const ctr = source.uint();
    if (ctr === null || ctr > 0xffff) return null;
    row.hlcCtr = ctr;
  }
  return rows;
}

/** Of most entries. */
const none: readonly Bytes[] = [];

function readDeps(source: ByteSource, count: number): (readonly Bytes[])[] | null {
  const counts: number[] = [];
  for (let i = 0; i < count; i++) {
    const n = source.byte();
    if (n === null || n > maxDeps) return null;
    counts.push(n);
  }
  const rows: (readonly Bytes[])[] = [];
  for (const n of counts) {
    if (n === 0) {
      rows.push(none);
      continue;
    }
    const row: Bytes[] = [];
    for (let i = 0; i < n; i++) {
      const id = source.bytes(32);
      const before = row.at(-1);
      if (id === null || (before !== undefined && compareBytes(before, id) >= 0)) return null;
      row.push(copyBytes(id));
    }
    rows.push(row);
  }
  return rows;
}

type PayloadColumn = Pick<BodyEntry, 'payload' | 'commit'>;

/** Of all entries from one on. */
function readPayloads(source: ByteSource, count: number, from: number): PayloadColumn[] | null {
  const modes: number[] = [];
  for (let i = 0; i < count; i++) {
    const mode = source.byte();
    if (mode === null || mode > modeAbsent) return null;
    modes.push(mode);
  }
  const lengths: number[] = [];
  for (const mode of modes) {
    const length = mode === modeRaw ? source.uint() : mode === modeAbsent ? commitBytes : 0;
    if (length === null) return null;
    lengths.push(length);
  }
  const raw: Bytes[] = [];
  for (const [i, mode] of modes.entries()) {
    if (mode === modeColumns) continue;
    const bytes = source.bytes(lengths[i] ?? 0);
    // What has columns has no other form.
    const own = bytes && copyBytes(bytes);
    if (own === null || (mode === modeRaw && contentOf(own) !== null)) return null;
    raw.push(own);
  }
  const skipped = modes.slice(0, from).filter((mode) => mode === modeColumns).length;
  const contents = readContents(source, modes.length - raw.length, skipped);
  if (contents === null) return null;
  let [rawAt, contentAt] = [from - skipped, 0];
  return modes.slice(from).map((mode): PayloadColumn => {
    const bytes = (mode === modeColumns ? contents[contentAt++] : raw[rawAt++]) ?? missingBoth();
    return mode === modeAbsent ? { payload: null, commit: bytes } : { payload: bytes, commit: null };
  });
}
