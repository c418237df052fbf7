import type { PageOp, PageInfo, PageRejection, PageUpdate, PublishedSchema, RecordUpdate } from '../bridge/index.js';
import { unpackRecords } from '../bridge/index.js';
import type { FieldValues } from '../core/op/index.js';
import { applyToView } from '../core/record/index.js';
import type { CollectionDeclaration } from '../core/schema/index.js';
import { KeeproomError } from './error.js';
import type { Emitter, Scheduler } from './signal.js';
import { createScheduler } from './signal.js';
import type { Settle } from './wait.js';

/** A record as this page shows it: what is confirmed with this tab's own writes on top. Replaced, never changed. */
export interface Shown {
  readonly fields: FieldValues;
  readonly createdAtMs: number;
  readonly delivered: boolean;
  /** There are own writes in it that are not confirmed. */
  readonly isUnsaved?: boolean;
}

/** The records of one collection. */
export interface Table {
  /** The same object until something about the record changes; null when there is none. */
  readonly get: (id: string) => Shown | null;
  readonly ids: () => Iterable<string>;
  /** Rises with every change. */
  readonly version: () => number;
  /** `mark` hears of ids that may have changed, inside the batch of the change. */
  readonly watch: (mark: (ids: ReadonlySet<string>) => void) => () => void;
}

/** One op of a transaction, with what is needed to show it. */
export interface StagedOp {
  readonly op: PageOp;
  readonly collection: CollectionDeclaration;
  readonly atMs: number;
}

/** How far a transaction got, in this order. */
export type Stage = typeof openStage | typeof sentStage | typeof savedStage | typeof deliveredStage;
/** Ops are added. */
const openStage = 0;
/** The engine was told, or is once there is one. */
export const sentStage = 1;
/** On the disk. */
export const savedStage = 2;
/** Another device has it. */
export const deliveredStage = 3;

/** A transaction of this tab, from its first op until another device has it. */
export interface Change {
  readonly ops: StagedOp[];
  /** The tab's write counter; 0 until sent. */
  n: number;
  domain: string;
  /** The published schemas that all of its ops fit, oldest first; none in `meta`. */
  schemas: readonly PublishedSchema[];
  stage: Stage;
  error: KeeproomError | null;
  readonly waits: Map<Settle<void>, Stage>;
}

/** A transaction without ops. */
export function createChange(): Change {
  return { ops: [], n: 0, domain: '', schemas: [], stage: openStage, error: null, waits: new Map() };
}

/** Asks to be told when the change gets as far as `stage`, or fails. Returns how to be forgotten. */
export function awaitStage(change: Change, stage: Stage, settle: Settle<void>): () => void {
  if (change.error !== null) settle.reject(change.error);
  else if (change.stage >= stage) settle.resolve();
  else change.waits.set(settle, stage);
  return () => change.waits.delete(settle);
}

/** The page's copy of a room: the confirmed state, and this tab's writes that are not in it yet. */
export interface Replica {
  readonly scheduler: Scheduler;
  /** The transaction under way, of whichever handle. */
  open: Change | null;
  /** Null until the first update. */
  readonly info: () => PageInfo | null;
  /** Changes of `info` and of the number of unsaved writes. */
  readonly about: Emitter;
  readonly table: (collection: string) => Table;
  /** Everything the engine says about the room goes through here. */
  readonly apply: (update: PageUpdate) => void;
  /** Shows an op of an open change at once. */
  readonly stage: (change: Change, op: StagedOp) => void;
  /** The change got as far as this; when sent, its number, domain and payload are set. */
  readonly reach: (change: Change, stage: Stage) => void;
  /** What the open change holds after so many ops never happened. */
  readonly undo: (change: Change, opsBefore: number) => void;
  readonly unsaved: () => readonly Change[];
  /** Nothing more will be heard from storage about the waits there are: they fail, the writes stay. */
  readonly failWaits: (error: KeeproomError) => void;
}

interface MutableTable extends Table {
  readonly confirmed: Map<string, Shown>;
  readonly pending: Map<string, StagedOp[]>;
  readonly touch: (id: string) => void;
  readonly flush: () => void;
}

/** An empty replica. One closure: every part of it moves changes between the same lists, tables and emitters. */
export function createReplica(): Replica {
  const scheduler = createScheduler();
  const about = scheduler.createEmitter();
  const tables = new Map<string, MutableTable>();
  /** Open or sent, in order. */
  let unsaved: Change[] = [];
  let undelivered: Change[] = [];
  let info: PageInfo | null = null;

  const tableOf = (collection: string): MutableTable => {
    let table = tables.get(collection);
    if (table === undefined) tables.set(collection, (table = createTable()));
    return table;
  };

  const update = (change: () => void): void => {
    scheduler.batch(() => {
      change();
      for (const table of tables.values()) table.flush();
    });
  };

  const unstage = (ops: readonly StagedOp[]): void => {
    for (const staged of ops) {
      const table = tableOf(staged.op.collection);
      const left = table.pending.get(staged.op.id)?.filter((other) => other !== staged) ?? [];
      if (left.length > 0) table.pending.set(staged.op.id, left);
      else table.pending.delete(staged.op.id);
      table.touch(staged.op.id);
    }
    about.emit();
  };

  const reach = (change: Change, stage: Stage): void => {
    change.stage = stage;
    for (const [settle, wanted] of change.waits) {
      if (wanted > stage) continue;
      change.waits.delete(settle);
      settle.resolve();
    }
  };

  const reject = ({ n, code }: PageRejection): void => {
    const change = n === 0 ? undefined : [...unsaved, ...undelivered].find((other) => other.n === n);
    if (change === undefined) return;
    undelivered = undelivered.filter((other) => other !== change);
    unsaved = unsaved.filter((other) => other !== change);
    unstage(change.ops);
    failChange(change, new KeeproomError(code, 'the write was refused'));
  };

  const advance = ({ savedUpTo, deliveredUpTo }: PageUpdate): void => {
    const first = unsaved.findIndex(({ n }) => n === 0 || n > savedUpTo);
    const saved = unsaved.splice(0, first < 0 ? unsaved.length : first);
    for (const change of saved) {
      unstage(change.ops);
      reach(change, savedStage);
      undelivered.push(change);
    }
    for (const change of undelivered) if (change.n <= deliveredUpTo) reach(change, deliveredStage);
    undelivered = undelivered.filter((change) => change.n > deliveredUpTo);
  };

  const takeRecords = (rows: readonly RecordUpdate[], reset: boolean): void => {
    if (reset) for (const table of tables.values()) clear(table);
    for (const { collection, id, fields, createdAtMs, delivered } of rows) {
      const table = tableOf(collection);
      if (fields === null) table.confirmed.delete(id);
      else table.confirmed.set(id, { fields: toValues(fields), createdAtMs, delivered });
      table.touch(id);
    }
  };

  return {
    scheduler,
    open: null,
    info: () => info,
    about,
    table: tableOf,
    apply: (message) => {
      const rows = message.records === null ? [] : unpackRecords(message.records);
      update(() => {
        message.rejected.forEach(reject);
        takeRecords(rows, message.reset);
        advance(message);
        if (message.info !== null) {
          info = message.info;
          about.emit();
        }
      });
    },
    stage: (change, staged) => {
      update(() => {
        if (change.ops.length === 0) unsaved.push(change);
        change.ops.push(staged);
        const table = tableOf(staged.op.collection);
        table.pending.set(staged.op.id, [...(table.pending.get(staged.op.id) ?? []), staged]);
        table.touch(staged.op.id);
        about.emit();
      });
    },
    reach,
    undo: (change, opsBefore) => {
      update(() => unstage(change.ops.splice(opsBefore)));
      unsaved = unsaved.filter((other) => other.ops.length > 0);
    },
    unsaved: () => unsaved,
    failWaits: (error) => unsaved.forEach((change) => failWaitsOf(change, error)),
  };
}

/** The change comes to nothing: what waits for it, now or later, fails. */
export function failChange(change: Change, error: KeeproomError): void {
  change.error = error;
  failWaitsOf(change, error);
}

function failWaitsOf(change: Change, error: KeeproomError): void {
  for (const { reject } of change.waits.keys()) reject(error);
  change.waits.clear();
}

/** Plain data of our own engine; the schema of the reader decides what it shows of it. */
function toValues(fields: Readonly<Record<string, unknown>>): FieldValues {
  return fields as FieldValues;
}

function clear(table: MutableTable): void {
  for (const id of table.confirmed.keys()) table.touch(id);
  table.confirmed.clear();
}

function createTable(): MutableTable {
  const confirmed = new Map<string, Shown>();
  const pending = new Map<string, StagedOp[]>();
  /** Of records with own writes on top. */
  const overlaid = new Map<string, Shown | null>();
  const marks = new Set<(ids: ReadonlySet<string>) => void>();
  let touched = new Set<string>();
  let version = 0;
  return {
    confirmed,
    pending,
    get: (id) => {
      const ops = pending.get(id);
      if (ops === undefined) return confirmed.get(id) ?? null;
      let shown = overlaid.get(id);
      if (shown === undefined) overlaid.set(id, (shown = overlay(confirmed.get(id) ?? null, ops)));
      return shown;
    },
    ids: () => new Set([...confirmed.keys(), ...pending.keys()]),
    version: () => version,
    watch: (mark) => {
      marks.add(mark);
      return () => marks.delete(mark);
    },
    touch: (id) => {
      overlaid.delete(id);
      touched.add(id);
      version++;
    },
    flush: () => {
      const ids = touched;
      if (ids.size === 0) return;
      touched = new Set();
      for (const mark of marks) mark(ids);
    },
  };
}

/** What an op does to its record has nothing to do with the record's id. */
const noId = new Uint8Array();

/** What the confirmed record looks like with the pending ops on top, oldest first. */
function overlay(confirmed: Shown | null, ops: readonly StagedOp[]): Shown | null {
  let fields = confirmed?.fields ?? null;
  for (const { op, collection } of ops) fields = applyToView(fields, { ...op, id: noId }, collection);
  if (fields === null) return null;
  return { fields, createdAtMs: confirmed?.createdAtMs ?? ops[0]?.atMs ?? 0, delivered: false, isUnsaved: true };
}
