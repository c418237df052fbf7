import { equalBytes, fail, isZero, ok, toHex, type Bytes, type Result } from '../base/index.js';
import {
  decodeControl,
  evaluateAccess,
  fallenIn,
  isInPast,
  judgeControl,
  type AccessState,
  type ControlPayload,
  type ControlRecord,
} from '../access/index.js';
import { compareHlc, isFuture, type Hlc } from '../clock/index.js';
import type { Entry } from '../entry/index.js';

/** The control log as admission sees it. */
export interface ControlContext {
  readonly roomId: Bytes;
  /** Every admitted entry, in an order that respects causality. */
  readonly log: readonly ControlRecord[];
  readonly byId: ReadonlyMap<string, ControlRecord>;
  /** evaluateAccess(log). */
  readonly access: AccessState;
  readonly head: { readonly seq: number; readonly id: Bytes } | null;
  readonly roomNowMs: number;
}

/** The rules of authority that this version knows; a room under others is held whole until an upgrade (F19). */
const ruleset = 1;

/** Folds in a row of one chain (F13): enough for the heads of a thousand chains. Whoever may write nothing else writes no more. */
export const maxFoldsInRow = 32;

/** A control entry whose payload is decoded, with the binding signature the engine still has to check (or null). */
export interface ControlCandidate {
  readonly entry: Entry;
  readonly payload: ControlPayload;
  readonly past: ReadonlyMap<string, number>;
}

/**
 * The first half, before signatures: kind → place → dependencies → payload. HOLD or REJECT, the same at every peer.
 * The clock rule of control is REJECT (F17), but a time in the future is only held.
 */
export function prepareControl(entry: Entry, c: ControlContext): Result<ControlCandidate> {
  const nextSeq = c.head === null ? 0 : c.head.seq + 1;
  if (entry.seq !== nextSeq) return fail('entry/missing-prev');
  if (c.head === null && !isZero(entry.prev)) return fail('entry/malformed');
  if (c.head !== null && !equalBytes(entry.prev, c.head.id)) return fail('entry/missing-prev');
  const edges = edgesOf(entry);
  for (const edge of edges) if (!c.byId.has(edge)) return fail('entry/missing-dep', edge);
  if (entry.payload === null) return fail('entry/missing-key');
  const payload = decodeControl(entry.kind, entry.payload);
  if (payload === 'unsupported') return fail('entry/unknown-kind');
  if (payload === null) return fail('control/malformed');
  if (payload.kind === 'genesis' && !equalBytes(entry.id, c.roomId)) return fail('entry/wrong-room');
  if (payload.kind === 'genesis' && payload.ruleset !== ruleset) return fail('entry/unknown-version');
  const hlc: Hlc = { ms: entry.hlcMs, ctr: entry.hlcCtr };
  for (const edge of edges) {
    const before = c.byId.get(edge)?.entry;
    if (before && compareHlc(hlc, { ms: before.hlcMs, ctr: before.hlcCtr }) <= 0) return fail('control/clock');
  }
  if (isFuture(hlc, c.roomNowMs)) return fail('entry/future-clock');
  return ok({ entry, payload, past: pastOf(edges, c) });
}

/** The second half: authority, as of the entry's own causal past (REJECT only). */
export function judgeCandidate(candidate: ControlCandidate, c: ControlContext): Result<ControlRecord> {
  const { entry, payload, past } = candidate;
  if (entry.payload !== null && c.log.length > 0 && entry.payload.length > c.access.limits.maxControl)
    return fail('control/malformed');
  if (c.log.length > 0 && entry.deps.length > c.access.limits.maxDeps) return fail('control/malformed');
  if (payload.kind === 'fold' && foldsBefore(entry, c) >= maxFoldsInRow) return fail('control/forbidden');
  const before = c.log.filter((record) => isInPast(past, record));
  const access = accessOf(before, c);
  const judged = judgeControl(entry, payload, access);
  if (!judged.ok) return judged;
  return ok({ id: toHex(entry.id), author: toHex(entry.author), cap: toHex(entry.cap), entry, payload, past });
}

/** Folds that the entry follows directly in its chain. */
function foldsBefore({ seq, prev }: Entry, { byId }: ControlContext): number {
  let count = 0;
  let before = seq === 0 ? undefined : byId.get(toHex(prev));
  while (before?.payload.kind === 'fold' && count < maxFoldsInRow) {
    count++;
    before = before.entry.seq === 0 ? undefined : byId.get(toHex(before.entry.prev));
  }
  return count;
}

/** In the past of an entry what stands may differ from what stands by now: its author knew fewer branches (F6). */
function accessOf(before: readonly ControlRecord[], c: ControlContext): AccessState {
  if (before.some((record) => record.isBranch === true)) return evaluateAccess(before, fallenIn(before));
  return before.length === c.log.length ? c.access : evaluateAccess(before);
}

function edgesOf(entry: Entry): string[] {
  const edges = entry.deps.map(toHex);
  if (!isZero(entry.cap)) edges.push(toHex(entry.cap));
  if (entry.seq > 0) edges.push(toHex(entry.prev));
  return edges;
}

function pastOf(edges: readonly string[], c: ControlContext): Map<string, number> {
  const past = new Map<string, number>();
  const raise = (device: string, count: number): void => {
    if (count > (past.get(device) ?? 0)) past.set(device, count);
  };
  for (const edge of edges) {
    const record = c.byId.get(edge);
    if (record === undefined) continue;
    for (const [device, count] of record.past) raise(device, count);
    if (record.isBranch === true) raise(record.id, 1);
    else raise(record.author, record.entry.seq + 1);
  }
  return past;
}

/** The signature over the joiner's X25519 key that a payload carries (F11), to be checked before judgeCandidate; or null. */
export function bindOf(
  payload: ControlPayload,
  roomId: Bytes,
  author: Bytes,
): { device: Bytes; context: Bytes; x25519: Bytes; bind: Bytes } | null {
  if (payload.kind === 'genesis')
    return { device: author, context: payload.nonce, x25519: payload.x25519, bind: payload.bind };
  if (payload.kind === 'grant')
    return { device: payload.subject, context: roomId, x25519: payload.x25519, bind: payload.bind };
  return null;
}
