import type { PageOp } from '../bridge/index.js';
import type { Value } from '../core/codec/index.js';
import type { CollectionDeclaration } from '../core/schema/index.js';
import { maxJsonDepth, projectFields } from '../core/schema/index.js';
import { creatorMember } from './access.js';
import { createWeakCache } from './cache.js';
import { KeeproomError } from './error.js';
import { expect, expectInteger, expectObject } from './expect.js';
import { isRecordId, singleId } from './ids.js';
import type { RowData, RowEntry, RowSource } from './query.js';
import { createQueries } from './query.js';
import type { Replica, Shown } from './replica.js';
import type { Model } from './schema.js';
import { isPlain, settle } from './settle.js';
import type { Scope, Source } from './signal.js';
import { createSignal } from './signal.js';
import type { Collection, Data, Fields, Inserted, RecordMeta, Schema, Signal, Single, Write } from './types.js';
import type { Writer } from './writer.js';

/** What the data of one handle stands on. */
export interface DataParts {
  readonly replica: Replica;
  readonly model: Model;
  readonly writer: Writer;
  readonly scope: Scope;
  /** A fresh record id of this device, in base64url. */
  readonly mint: () => string;
}

/** `room.data`: the collections of the app's schema over the replica. */
export function createData<S extends Schema>(parts: DataParts): Data<S> {
  const data: Record<string, unknown> = {};
  for (const [name, declaration] of Object.entries(parts.model.declaration.collections)) {
    const shelf = createShelf(parts, name, declaration);
    data[name] = declaration.single ? createSingle(shelf) : createCollection(shelf);
  }
  // The types of fields exist at compile time only: the schema's builders made the declaration that is walked here.
  return Object.freeze(data) as Data<S>;
}

/** One collection as its schema reads it, and the way to write to it. */
interface Shelf extends RowSource {
  readonly parts: DataParts;
  readonly shown: (id: string) => Shown | null;
  /** Rows of one id, by name: for `watch`. */
  readonly watchId: (id: string) => Source<RowData | null>;
  readonly write: (kind: 'insert' | 'update', id: string, values: unknown) => Write;
  readonly change: (op: PageOp) => Write;
}

function createShelf(parts: DataParts, collection: string, declaration: CollectionDeclaration): Shelf {
  const { replica, model, scope } = parts;
  const table = replica.table(collection);
  const rows = new Map<string, { readonly shown: Shown | null; readonly entry: RowEntry | null }>();
  const read = (id: string, old: RowEntry | null): RowEntry | null => {
    const shown = table.get(id) ?? (declaration.single ? nothingYet : null);
    if (shown === null) return null;
    const row = settle(old?.row, { id, ...projectFields(declaration, shown.fields) });
    return row === old?.row && shown.createdAtMs === old.createdAtMs ? old : { row, createdAtMs: shown.createdAtMs };
  };
  const entry = (id: string): RowEntry | null => {
    const shown = table.get(id);
    const known = rows.get(id);
    if (known !== undefined && known.shown === shown) return known.entry;
    const next = read(id, known?.entry ?? null);
    if (next === null) rows.delete(id);
    else rows.set(id, { shown, entry: next });
    return next;
  };
  const change: Shelf['change'] = (op) => parts.writer.write(model.declaration, { op, collection: declaration });
  return {
    parts,
    collection,
    fields: new Set(['id', ...Object.keys(declaration.fields)]),
    entry,
    shown: table.get,
    ids: table.ids,
    version: table.version,
    watch: table.watch,
    createEmitter: replica.scheduler.createEmitter,
    scope,
    watchId: (id) => ({
      get: () => entry(id)?.row ?? null,
      watch: (run) => {
        const emitter = replica.scheduler.createEmitter();
        const stops = [emitter.watch(run), table.watch((ids) => ids.has(id) && emitter.emit())];
        return () => stops.forEach((stop) => stop());
      },
    }),
    write: (kind, id, values) => {
      const fields = takeValues(model, { collection, kind }, values);
      if (kind === 'update' && Object.keys(fields).length === 0) return parts.writer.transact(() => undefined);
      return change({ kind, collection, id, fields });
    },
    change,
  };
}

/** A single that nobody has written to. */
const nothingYet: Shown = { fields: {}, createdAtMs: 0, delivered: true };

function createSingle(shelf: Shelf): Single<string, Fields> {
  const row = createSignal(shelf.watchId(singleId), shelf.scope);
  // A single always has a row: see nothingYet.
  return Object.assign(row as Signal<RowData>, {
    update: (patch: unknown) => shelf.write('update', singleId, patch),
  });
}

function createCollection(shelf: Shelf): Collection<string, Fields> {
  const { collection, entry } = shelf;
  const cached = createWeakCache<Signal<RowData | null>>();
  const existing = (method: string, id: unknown): string => {
    expect(typeof id === 'string', `${collection}.${method}: id`, 'a text', id);
    if (!isRecordId(id) || shelf.shown(id) === null) {
      throw new KeeproomError('record/not-found', `${collection}.${method}: no such record`);
    }
    return id;
  };
  return Object.assign(createQueries(shelf), {
    get: (id: string) => entry(id)?.row ?? null,
    watch: (id: string) => cached(id, () => createSignal(shelf.watchId(id), shelf.scope)),
    insert: (values: unknown): Inserted<string> => {
      const id = shelf.parts.mint();
      return { ...shelf.write('insert', id, values), id };
    },
    update: (id: string, patch: unknown) => shelf.write('update', existing('update', id), patch),
    delete: (id: string) => shelf.change({ kind: 'delete', collection, id: existing('delete', id) }),
    increment: (id: string, field: string, by = 1) => {
      expectInteger(`${collection}.increment: by`, by, [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
      if (by === 0) return shelf.parts.writer.transact(() => undefined);
      return shelf.change({ kind: 'increment', collection, id: existing('increment', id), field, by });
    },
    meta: (id: string) => metaOf(shelf, id),
  });
}

function metaOf({ parts, shown }: Shelf, id: string): RecordMeta | null {
  const record = !isRecordId(id) ? null : shown(id);
  if (record === null) return null;
  const info = parts.replica.info();
  return Object.freeze({
    createdBy: (info && creatorMember(info, id)?.id) ?? '',
    createdAt: new Date(record.createdAtMs),
    saved: record.isUnsaved !== true,
    delivered: record.delivered,
  });
}

/** What a caller gave, through the app's validators, as values of our own. Undefined counts as not given. */
function takeValues(
  model: Model,
  { collection, kind }: { readonly collection: string; readonly kind: string },
  values: unknown,
): Record<string, Value> {
  expectObject(`${collection}.${kind}`, values);
  const fields: Record<string, Value> = {};
  for (const [name, given] of Object.entries(values)) {
    if (given === undefined) continue;
    const value: unknown = given === null ? null : runChecks(model, { collection, name }, given);
    expect(isData(value), `${collection}.${kind}: ${name}`, 'plain data', value);
    fields[name] = settle(null, value);
  }
  return fields;
}

function runChecks(model: Model, { collection, name }: { collection: string; name: string }, given: unknown): unknown {
  let value = given;
  for (const validator of model.checks(collection, name)) {
    const result = validator['~standard'].validate(value);
    expect(!(result instanceof Promise), `${collection}.${name}: check`, 'a synchronous validator', result);
    if (result.issues !== undefined) {
      throw new KeeproomError('record/invalid', `"${collection}": field "${name}": refused by its check`, {
        cause: result.issues,
      });
    }
    value = result.value;
  }
  return value;
}

/** Whether this can be a value at all; deeper than any value may be, it counts as none, so a cycle ends. */
function isData(value: unknown, depth = 0): value is Value {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function' && value !== undefined;
  // Neither a list with holes nor this key would be what was given when it comes back.
  if (Array.isArray(value) ? Object.keys(value).length !== value.length : Object.hasOwn(value, '__proto__'))
    return false;
  return depth < maxJsonDepth && isPlain(value) && Object.values(value).every((item) => isData(item, depth + 1));
}
