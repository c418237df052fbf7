import { toBase64Url, type Fault } from '../../../src/core/base/index.js';
import { decodePayload } from '../../../src/core/op/index.js';
import {
  packRecords,
  type FromEngine,
  type RecordRun,
  type RecordUpdate,
  type Rejection,
  type RoomInfo,
} from '../../../src/bridge/index.js';
import { addChanged, type ChangedRecords, type RecordState } from '../../../src/core/record/index.js';
import { countOf } from '../replica/index.js';
import type { RoomCore, WriteRef } from './core.js';
import { isDelivered, recordKey } from './undelivered.js';

/** Pages that show this room. */
export interface Views {
  readonly open: (tab: string, send: (message: FromEngine) => void) => void;
  readonly close: (tab: string) => void;
  readonly count: () => number;
  /** Notes where a page's write is on its way, for `delivered()`. */
  readonly track: (tab: string, n: number, ref: WriteRef) => void;
  /** A write of that page was refused, here or (as VOID) everywhere. */
  readonly reject: (tab: string, rejection: Rejection) => void;
  /** Tells every page what changed; 'all': show everything anew. Records alone may wait a little. */
  readonly flush: (changed: ChangedRecords | 'all', info: RoomInfo | null) => void;
  /** Nothing is told any more. */
  readonly stop: () => void;
}

interface View {
  readonly send: (message: FromEngine) => void;
  rejected: Rejection[];
  /** Writes of this page that no other device has acknowledged, ascending by counter. */
  readonly waiting: { readonly n: number; readonly ref: WriteRef }[];
  sent: { saved: number; delivered: number };
}

/** Records in one message: a page takes them in within a millisecond or two. */
const recordsPerMessage = 2_000;
/**
 * Records alone (a catch-up changes the same ones again and again) follow those before them only when pages have had this
 * long for each of those, and at most so long.
 */
const msPerRecord = 0.01;
const maxWaitMs = 50;

export function createViews(core: RoomCore, infoNow: () => RoomInfo): Views {
  const views = new Map<string, View>();
  /** Changed, stored, and not told. */
  const waiting: ChangedRecords = new Map();
  let busyUntilMs = 0;
  let cancelWait: (() => void) | null = null;

  const deliver = (tab: string, view: View, news: News): void => {
    const [savedUpTo, deliveredUpTo] = [core.marks.get(tab) ?? 0, deliveredMark(core, tab, view)];
    const { reset, parts, info } = news;
    if (!hasNews(view, news) && savedUpTo === view.sent.saved && deliveredUpTo === view.sent.delivered) return;
    view.sent = { saved: savedUpTo, delivered: deliveredUpTo };
    const { rejected } = view;
    view.rejected = [];
    const base = { savedUpTo, deliveredUpTo, info: null, rejected: [] };
    const last = Math.max(0, parts.length - 1);
    for (const [i, records] of parts.slice(0, last).entries()) {
      const update = { ...base, reset: reset && i === 0, records, more: true };
      view.send({ t: 'view', room: core.room, update });
    }
    const update = { ...base, reset: reset && last === 0, records: parts[last] ?? null, info, rejected };
    view.send({ t: 'view', room: core.room, update });
  };
  const tellRows = (rows: readonly RecordUpdate[], reset: boolean, info: RoomInfo | null): void => {
    cancelWait?.();
    cancelWait = null;
    waiting.clear();
    busyUntilMs = Math.max(busyUntilMs, core.ports.time.now() + rows.length * msPerRecord);
    const parts = packParts(rows);
    for (const [tab, view] of views) deliver(tab, view, { reset, parts, info });
  };
  const tellChanges = (info: RoomInfo | null): void => tellRows(rowsOf(core, waiting), false, info);
  /** What a page waits for is not kept from it, and the records that belong to it go along. */
  const isAwaited = (): boolean =>
    [...views].some(([tab, { rejected, sent }]) => rejected.length > 0 || (core.marks.get(tab) ?? 0) !== sent.saved);

  return {
    open: (tab, send) => {
      const view: View = {
        send,
        rejected: [],
        waiting: views.get(tab)?.waiting ?? writesBefore(core, tab),
        sent: { saved: -1, delivered: -1 },
      };
      views.set(tab, view);
      deliver(tab, view, { reset: true, parts: packParts(allRecords(core)), info: infoNow() });
    },
    close: (tab) => views.delete(tab),
    count: () => views.size,
    track: (tab, n, ref) => {
      const waiting = views.get(tab)?.waiting ?? [];
      // It is taken again when its commit failed.
      while ((waiting.at(-1)?.n ?? 0) >= n) waiting.pop();
      waiting.push({ n, ref });
    },
    // What no page of this start wrote is told to every page.
    reject: (tab, rejection) => {
      const told = tab === '' ? [...views.values()] : [views.get(tab)];
      for (const view of told) view?.rejected.push(rejection);
    },
    flush: (changed, info) => {
      if (views.size === 0) return;
      if (changed === 'all') {
        tellRows(allRecords(core), true, info);
        return;
      }
      addChanged(waiting, changed);
      // Clocks are put back, too.
      const waitMs = Math.min(maxWaitMs, busyUntilMs - core.ports.time.now());
      busyUntilMs = core.ports.time.now() + waitMs;
      if (info !== null || waitMs < 1 || isAwaited()) tellChanges(info);
      // In its turn everything in memory is stored.
      else cancelWait ??= core.ports.time.after(waitMs, () => core.loop.afterCommit(() => tellChanges(null)));
    },
    stop: () => {
      cancelWait?.();
      views.clear();
    },
  };
}

interface News {
  readonly reset: boolean;
  readonly parts: readonly (readonly RecordRun[])[];
  readonly info: RoomInfo | null;
}

function hasNews(view: View, { reset, parts, info }: News): boolean {
  return reset || parts.length > 0 || info !== null || view.rejected.length > 0;
}

function packParts(rows: readonly RecordUpdate[]): News['parts'] {
  const parts: (readonly RecordRun[])[] = [];
  for (let from = 0; from < rows.length; from += recordsPerMessage)
    parts.push(packRecords(rows.slice(from, from + recordsPerMessage)));
  return parts;
}

/** Collections that are for engines: a page has no use for declarations, and none for what opens join requests. */
const engineOnly: ReadonlySet<string> = new Set(['$schema', '$invites']);

function rowsOf(core: RoomCore, changed: ChangedRecords): RecordUpdate[] {
  const rows: RecordUpdate[] = [];
  for (const [collection, ids] of changed) {
    if (engineOnly.has(collection)) continue;
    for (const id of ids) rows.push(recordUpdate(core, { collection, id }, core.state.records.get(collection, id)));
  }
  return rows;
}

function allRecords(core: RoomCore): RecordUpdate[] {
  const rows: RecordUpdate[] = [];
  for (const collection of core.state.records.collections().filter((name) => !engineOnly.has(name)))
    for (const [id, record] of core.state.records.entries(collection))
      rows.push(recordUpdate(core, { collection, id }, record));
  return rows;
}

function recordUpdate(
  core: RoomCore,
  { collection, id }: { readonly collection: string; readonly id: string },
  record: RecordState | null,
): RecordUpdate {
  const delivered = core.undelivered.size === 0 || !core.undelivered.has(recordKey(collection, id));
  return { collection, id, fields: record?.fields ?? null, createdAtMs: record?.createdAtMs ?? 0, delivered };
}

/** All writes of the tab up to this counter are delivered; with nothing outstanding, all that are saved. */
function deliveredMark(core: RoomCore, tab: string, view: View): number {
  const isWaiting = view.waiting.findIndex(({ ref }) => !isDelivered(core, ref));
  view.waiting.splice(0, isWaiting < 0 ? view.waiting.length : isWaiting);
  const [first] = view.waiting;
  return first === undefined ? (core.marks.get(tab) ?? 0) : first.n - 1;
}

/** For the writes that another engine took: nothing says which tab's they are, so all that this device has by now. */
function writesBefore(core: RoomCore, tab: string): View['waiting'] {
  if (!core.marks.has(tab)) return [];
  const entries = [...core.state.domains].map(([domain, { chainsByAuthor }]) => ({
    n: 1,
    ref: { domain, isDraft: false, n: countOf(chainsByAuthor.get(core.device)) - 1 },
  }));
  const drafts = [...core.drafts].map(([domain, { next }]) => ({ n: 1, ref: { domain, isDraft: true, n: next - 1 } }));
  return [...entries, ...drafts];
}

/** The rejection of a page's write, with what it wanted to write: a rejected text is never lost to its author. */
export function rejectionOf(n: number, fault: Fault, payload: Uint8Array<ArrayBuffer>): Rejection {
  const decoded = decodePayload(payload);
  const op = decoded.ok ? decoded.value.ops[0] : undefined;
  if (op === undefined || op.kind === 'opaque') return { n, code: fault.code, collection: '', id: '', values: null };
  const values =
    op.kind === 'insert' || op.kind === 'update' ? op.fields : op.kind === 'increment' ? { [op.field]: op.by } : null;
  return { n, code: fault.code, collection: op.collection, id: toBase64Url(op.id), values };
}
