import type { PageOp } from '../bridge/index.js';
import type { Value } from '../core/codec/index.js';
import type { CollectionDeclaration } from '../core/schema/index.js';
import { maxJsonDepth, own, projectField, projectFields } from '../core/schema/index.js';
import { creatorMember } from './access.js';
import { createWeakCache } from './cache.js';
import { KeeproomError } from './error.js';
import { expect, expectInteger, expectObject } from './expect.js';
import { singleId } from './ids.js';
import { createQueries } from './query.js';
import type { Replica, Shown } from './replica.js';
import type { RowData, RowSource } from './result.js';
import type { Model } from './schema.js';
import { isPlain, settle } from './settle.js';
import type { Scope } from './signal.js';
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
  readonly signal: (id: string) => Signal<RowData | null>;
  readonly write: (kind: 'insert' | 'update', id: string, values: unknown) => Write;
  readonly change: (op: PageOp) => Write;
}

function createShelf(parts: DataParts, collection: string, declaration: CollectionDeclaration): Shelf {
  const { replica, model, scope } = parts;
  const table = replica.table(collection);
  /** Of what somebody has read. */
  const rows = new Map<string, { readonly shown: Shown; readonly row: RowData }>();
  const row = (id: string): RowData | null => {
    const shown = table.get(id) ?? (declaration.single ? nothingYet : null);
    const known = rows.get(id);
    if (shown === null) {
      rows.delete(id);
      return null;
    }
    if (known?.shown === shown) return known.row;
    const next = settle(known?.row, { id, ...projectFields(declaration, shown.fields) });
    rows.set(id, { shown, row: next });
    return next;
  };
  const change: Shelf['change'] = (op) => parts.writer.write(model.declaration, { op, collection: declaration });
  return {
    parts,
    collection,
    has: (field) => field === 'id' || Object.hasOwn(declaration.fields, field),
    table,
    row,
    read: (field, id, shown) => {
      const declared = own(declaration.fields, field);
      return declared === undefined ? id : projectField(declared, own(shown.fields, field));
    },
    scope,
    signal: (id) =>
      createSignal({ get: () => row(id), watch: (run) => table.watch(run, (changes) => changes.has(id)) }, scope),
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
  // A single always has a row: see nothingYet.
  return Object.assign(shelf.signal(singleId) as Signal<RowData>, {
    update: (patch: unknown) => shelf.write('update', singleId, patch),
  });
}

function createCollection(shelf: Shelf): Collection<string, Fields> {
  const { collection, row, table } = shelf;
  const cached = createWeakCache<Signal<RowData | null>>();
  const existing = (method: string, id: unknown): string => {
    expect(typeof id === 'string', `${collection}.${method}: id`, 'a text', id);
    if (table.get(id) === null) {
      throw new KeeproomError('record/not-found', `${collection}.${method}: no such record`);
    }
    return id;
  };
  return Object.assign(createQueries(shelf), {
    get: row,
    watch: (id: string) => cached(id, shelf.signal),
    insert: (values: unknown): Inserted<string> => {
      const id = shelf.parts.mint();
      return { ...shelf.write('insert', id, values), id };
    },
    update: (id: string, patch: unknown) => shelf.write('update', existing('update', id), patch),
    delete: (id: string) => shelf.change({ kind: 'delete', collection, id: existing('delete', id) }),
    increment: (id: string, field: unknown, by = 1) => {
      expect(typeof field === 'string', `${collection}.increment: field`, 'a text', field);
      expectInteger(`${collection}.increment: by`, by, [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
      if (by === 0) return shelf.parts.writer.transact(() => undefined);
      return shelf.change({ kind: 'increment', collection, id: existing('increment', id), field, by });
    },
    meta: (id: string) => metaOf(shelf, id),
  });
}

function metaOf({ parts, table }: Shelf, id: string): RecordMeta | null {
  const record = table.get(id);
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
