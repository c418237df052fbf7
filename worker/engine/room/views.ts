import { toBase64Url, type Fault } from '../../../src/core/base/index.js';
import { decodePayload } from '../../../src/core/op/index.js';
import {
  createRecordPacker,
  type FromEngine,
  type ListedRecord,
  type RecordRun,
  type Rejection,
  type RoomInfo,
  type RoomUpdate,
} from '../../../src/bridge/index.js';
import { addChanged, type ChangedRecords } from '../../../src/core/record/index.js';
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

  /** Answers how many records were told. */
  const deliver = (tab: string, view: View, news: News): number => {
    const [savedUpTo, deliveredUpTo] = [core.marks.get(tab) ?? 0, deliveredMark(core, tab, view)];
    const { info, eachPart } = news;
    let { reset } = news;
    let last: Part | null = null;
    const send = (update: Pick<RoomUpdate, 'info' | 'rejected' | 'more'>): void => {
      view.send({ t: 'view', room: core.room, update: { savedUpTo, deliveredUpTo, reset, records: last, ...update } });
      reset = false;
    };
    const count = eachPart((part) => {
      if (last !== null) send({ info: null, rejected: [], more: true });
      last = part;
    });
    const isNews = reset || count > 0 || info !== null || view.rejected.length > 0;
    if (!isNews && savedUpTo === view.sent.saved && deliveredUpTo === view.sent.delivered) return count;
    view.sent = { saved: savedUpTo, delivered: deliveredUpTo };
    const { rejected } = view;
    view.rejected = [];
    send({ info, rejected });
    return count;
  };
  const tell = ({ eachPart, ...news }: News): void => {
    cancelWait?.();
    cancelWait = null;
    waiting.clear();
    const startMs = core.ports.time.now();
    let rows = 0;
    // Of several pages each gets the same parts.
    const shared = views.size > 1 ? madeOnce(eachPart) : eachPart;
    for (const [tab, view] of views) rows = Math.max(rows, deliver(tab, view, { ...news, eachPart: shared }));
    busyUntilMs = Math.max(busyUntilMs, startMs + rows * msPerRecord);
  };
  const tellChanges = (info: RoomInfo | null): void =>
    tell({ reset: false, eachPart: partsOf(core, changesIn(core, new Map(waiting))), info });
  const allNews = (info: RoomInfo | null): News => ({
    reset: true,
    eachPart: partsOf(core, core.state.records.visit),
    info,
  });
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
      deliver(tab, view, allNews(infoNow()));
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
        tell(allNews(info));
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

type Part = readonly RecordRun[];

interface News {
  readonly reset: boolean;
  /** Gives the records, as many as one message has at a time, and answers how many there were. */
  readonly eachPart: (take: (part: Part) => void) => number;
  readonly info: RoomInfo | null;
}

/** Shows records one by one; null for the names of one that is gone. */
type Walk = (see: (record: Omit<ListedRecord, 'delivered'>) => void) => void;

/** Collections that are for engines: a page has no use for declarations, and none for what opens join requests. */
const engineOnly: ReadonlySet<string> = new Set(['$schema', '$invites']);

function changesIn({ state }: RoomCore, changed: ChangedRecords): Walk {
  return (see) => {
    for (const [collection, ids] of changed)
      for (const id of ids) {
        const record = state.records.get(collection, id);
        const [fields, createdAtMs] = [record?.fields, record?.createdAtMs ?? 0];
        const [names, values] = [fields ? Object.keys(fields) : null, Object.values(fields ?? {})];
        see({ collection, id, names, values, from: 0, createdAtMs });
      }
  };
}

/** Made while they are taken: a page takes a part in while the next is made. */
function partsOf(core: RoomCore, walk: Walk): News['eachPart'] {
  return (take) => {
    const packer = createRecordPacker();
    let count = 0;
    walk((record) => {
      if (engineOnly.has(record.collection)) return;
      if (count > 0 && count % recordsPerMessage === 0) take(packer.take());
      packer.add({ ...record, delivered: isRecordDelivered(core, record) });
      count++;
    });
    if (count > 0) take(packer.take());
    return count;
  };
}

function madeOnce(eachPart: News['eachPart']): News['eachPart'] {
  const parts: Part[] = [];
  const count = eachPart((part) => parts.push(part));
  return (take) => {
    parts.forEach(take);
    return count;
  };
}

function isRecordDelivered({ undelivered }: RoomCore, { collection, id }: { collection: string; id: string }): boolean {
  return undelivered.size === 0 || !undelivered.has(recordKey(collection, id));
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
