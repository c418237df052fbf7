import { fromBase64Url, toBase64Url, type Fault } from '../../../src/core/base/index.js';
import { decodePayload } from '../../../src/core/op/index.js';
import {
  packRecords,
  type FromEngine,
  type RecordUpdate,
  type Rejection,
  type RoomInfo,
} from '../../../src/bridge/index.js';
import type { ChangedRecord } from '../../../src/core/record/index.js';
import { countOf } from '../replica/index.js';
import type { RoomCore, WriteRef } from './core.js';
import { recordKey } from './load.js';

/** Pages that show this room. */
export interface Views {
  readonly open: (tab: string, send: (message: FromEngine) => void) => void;
  readonly close: (tab: string) => void;
  readonly count: () => number;
  /** Notes where a page's write is on its way, for `delivered()`. */
  readonly track: (tab: string, n: number, ref: WriteRef) => void;
  /** A write of that page was refused, here or (as VOID) everywhere. */
  readonly reject: (tab: string, rejection: Rejection) => void;
  /** Tells every page what changed. `records` null: nothing did; 'all': show everything anew. */
  readonly flush: (records: Iterable<ChangedRecord> | 'all' | null, info: RoomInfo | null) => void;
}

interface View {
  readonly send: (message: FromEngine) => void;
  rejected: Rejection[];
  /** Writes of this page that no other device has acknowledged, ascending by counter. */
  readonly waiting: { readonly n: number; readonly ref: WriteRef }[];
  sent: { saved: number; delivered: number };
}

export function createViews(core: RoomCore, infoNow: () => RoomInfo): Views {
  const views = new Map<string, View>();
  const deliver = (
    tab: string,
    view: View,
    part: { reset: boolean; records: Uint8Array<ArrayBuffer> | null; info: RoomInfo | null },
  ): void => {
    const [savedUpTo, deliveredUpTo] = [core.marks.get(tab) ?? 0, deliveredMark(core, tab, view)];
    const isNews = part.records !== null || part.info !== null || part.reset || view.rejected.length > 0;
    if (!isNews && savedUpTo === view.sent.saved && deliveredUpTo === view.sent.delivered) return;
    view.sent = { saved: savedUpTo, delivered: deliveredUpTo };
    const rejected = view.rejected;
    view.rejected = [];
    view.send({ t: 'view', room: core.room, update: { ...part, savedUpTo, deliveredUpTo, rejected } });
  };
  return {
    open: (tab, send) => {
      const view: View = {
        send,
        rejected: [],
        waiting: views.get(tab)?.waiting ?? writesBefore(core, tab),
        sent: { saved: -1, delivered: -1 },
      };
      views.set(tab, view);
      deliver(tab, view, { reset: true, records: packRecords(allRecords(core)), info: infoNow() });
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
      const rows = changed === 'all' ? allRecords(core) : changed === null ? [] : rowsOf(core, changed);
      const records = rows.length > 0 || changed === 'all' ? packRecords(rows) : null;
      for (const [tab, view] of views) deliver(tab, view, { reset: changed === 'all', records, info });
    },
  };
}

/** Collections that are for engines: a page has no use for declarations, and none for what opens join requests. */
const engineOnly: ReadonlySet<string> = new Set(['$schema', '$invites']);

function rowsOf(core: RoomCore, changed: Iterable<ChangedRecord>): RecordUpdate[] {
  return [...changed].filter((one) => !engineOnly.has(one.collection)).map((one) => recordUpdate(core, one));
}

function allRecords(core: RoomCore): RecordUpdate[] {
  const rows: RecordUpdate[] = [];
  for (const collection of core.state.records.collections().filter((name) => !engineOnly.has(name)))
    for (const [id] of core.state.records.entries(collection)) rows.push(recordUpdate(core, { collection, id }));
  return rows;
}

function recordUpdate(core: RoomCore, { collection, id }: ChangedRecord): RecordUpdate {
  const record = core.state.records.get(collection, id);
  const bytes = fromBase64Url(id);
  const delivered = bytes === null || !core.undelivered.has(recordKey(collection, bytes));
  return { collection, id, fields: record?.fields ?? null, createdAtMs: record?.createdAtMs ?? 0, delivered };
}

/** Whether another device has acknowledged what `ref` points to. */
export function isDelivered(core: RoomCore, ref: WriteRef): boolean {
  const place = 'seq' in ref ? ref : core.signedDrafts.get(ref.draft);
  return place !== undefined && place.seq < (core.delivered.get(place.domain) ?? 0);
}

/** All writes of the tab up to this counter are delivered; with nothing outstanding, all that are saved. */
function deliveredMark(core: RoomCore, tab: string, view: View): number {
  while (view.waiting[0] !== undefined && isDelivered(core, view.waiting[0].ref)) view.waiting.shift();
  const [first] = view.waiting;
  return first === undefined ? (core.marks.get(tab) ?? 0) : first.n - 1;
}

/** For the writes that another engine took: entries do not say which tab's they are, so all that this device has by now. */
function writesBefore(core: RoomCore, tab: string): View['waiting'] {
  if (!core.marks.has(tab)) return [];
  const entries = [...core.state.domains].map(([domain, { chainsByAuthor }]) => ({
    n: 1,
    ref: { domain, seq: countOf(chainsByAuthor.get(core.device)) - 1 },
  }));
  const drafts = core.drafts.filter((draft) => draft.tab === tab);
  return [...entries, ...drafts.map(({ counter, n }) => ({ n: counter, ref: { draft: n } }))];
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
