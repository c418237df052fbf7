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

/** Records that changed, by id, as they were before. */
export type Changes = ReadonlyMap<string, Shown | null>;

/** The records of one collection. */
export interface Table {
  /** The same object until something about the record changes; null when there is none. */
  readonly get: (id: string) => Shown | null;
  readonly ids: () => Iterable<string>;
  /** Rises with every change. */
  readonly version: () => number;
  readonly watch: Emitter<Changes>['watch'];
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
  /** Changes of `info`, of our own collections (`$room` and so on) and of the number of unsaved writes. */
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
  /** Null: the record is gone. */
  readonly confirm: (id: string, shown: Shown | null) => void;
  /** Changes the list of own ops on top of a record. */
  readonly stage: (id: string, change: (ops: readonly StagedOp[]) => readonly StagedOp[]) => void;
  readonly clear: () => void;
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
  /** The parts of an update that have come so far. */
  let parts: (RecordUpdate | typeof everything)[] = [];

  const tableOf = (collection: string): MutableTable => {
    let table = tables.get(collection);
    if (table === undefined) tables.set(collection, (table = createTable(scheduler)));
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
      tableOf(staged.op.collection).stage(staged.op.id, (all) => all.filter((other) => other !== staged));
    }
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
    about.emit();
    failChange(change, new KeeproomError(code, 'the write was refused'));
  };

  const advance = ({ savedUpTo, deliveredUpTo }: PageUpdate): void => {
    const saved = takeUpTo(unsaved, savedUpTo);
    for (const change of saved) {
      unstage(change.ops);
      reach(change, savedStage);
      undelivered.push(change);
    }
    if (saved.length > 0) about.emit();
    for (const change of takeUpTo(undelivered, deliveredUpTo)) reach(change, deliveredStage);
  };

  const takeRecords = (): void => {
    for (const record of parts) {
      if (record === everything) {
        for (const table of tables.values()) table.clear();
        continue;
      }
      const { collection, id, fields } = record;
      // Plain data of our own engine; the schema of the reader decides what it shows of it.
      tableOf(collection).confirm(id, fields && (record as Shown));
      if (collection.startsWith('$')) about.emit();
    }
    parts = [];
  };

  return {
    scheduler,
    open: null,
    info: () => info,
    about,
    table: tableOf,
    apply: (message) => {
      // What another engine had begun to tell ends here.
      if (message.reset) parts = [everything];
      parts = parts.concat(unpackRecords(message.records ?? []));
      if (message.more === true) return;
      update(() => {
        message.rejected.forEach(reject);
        takeRecords();
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
        tableOf(staged.op.collection).stage(staged.op.id, (all) => [...all, staged]);
        about.emit();
      });
    },
    reach,
    undo: (change, opsBefore) => {
      update(() => {
        unstage(change.ops.splice(opsBefore));
        about.emit();
      });
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

/** Takes the changes out of the list, which is in the order of sending, that have a number up to this. */
function takeUpTo(changes: Change[], n: number): Change[] {
  const end = changes.findIndex((change) => change.n === 0 || change.n > n);
  return changes.splice(0, end < 0 ? changes.length : end);
}

/** Stands for the deletion of all that came before. */
const everything = null;

function createTable({ createEmitter }: Scheduler): MutableTable {
  const confirmed = new Map<string, Shown>();
  const pending = new Map<string, readonly StagedOp[]>();
  /** Of records with own writes on top. */
  const overlaid = new Map<string, Shown | null>();
  const { watch, emit } = createEmitter<Changes>();
  let changes = new Map<string, Shown | null>();
  let version = 0;
  const get = (id: string): Shown | null => {
    const ops = pending.get(id);
    if (ops === undefined) return confirmed.get(id) ?? null;
    let shown = overlaid.get(id);
    if (shown === undefined) overlaid.set(id, (shown = overlay(confirmed.get(id) ?? null, ops)));
    return shown;
  };
  const touch = (id: string): void => {
    if (!changes.has(id)) changes.set(id, get(id));
    overlaid.delete(id);
    version++;
  };
  const confirm = (id: string, shown: Shown | null): void => {
    touch(id);
    if (shown === null) confirmed.delete(id);
    else confirmed.set(id, shown);
  };
  return {
    confirm,
    stage: (id, change) => {
      touch(id);
      const ops = change(pending.get(id) ?? []);
      if (ops.length > 0) pending.set(id, ops);
      else pending.delete(id);
    },
    clear: () => {
      for (const id of confirmed.keys()) confirm(id, null);
    },
    get,
    ids: () => new Set([...confirmed.keys(), ...pending.keys()]),
    version: () => version,
    watch,
    flush: () => {
      const all = changes;
      if (all.size === 0) return;
      changes = new Map();
      emit(all);
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
