import type { Bytes, Fault, Result } from '../base/index.js';
import { fail, isZero, ok } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { isCreatorOf } from '../identity/index.js';
import type { FieldValues, Op } from '../op/index.js';
import type { CollectionDeclaration, Declaration, FieldDeclaration } from './declaration.js';
import { own } from './declaration.js';
import { expectationOf, isAllowed, mayBeNull } from './value.js';

/**
 * Whether ops fit their schema, the same for a local write and for admission: a function of the three arguments alone.
 * `declaration` is the one that the payload names (F23), or ours of `meta`. Opaque ops always fit (F19). Lengths of text
 * are UTF-16 units, as JavaScript counts. The first misfit is named by op, collection and field, never by its value.
 * Code: entry/schema.
 */
export function checkOps(o: {
  readonly declaration: Declaration;
  readonly domainName: string;
  readonly ops: readonly Op[];
}): Result<void> {
  for (const [index, op] of o.ops.entries()) {
    const misfit = op.kind === 'opaque' ? null : misfitOf(o.declaration, o.domainName, op);
    if (misfit !== null) return fail('entry/schema', `ops[${String(index)}]: ${op.kind}: ${misfit}`);
  }
  return ok(undefined);
}

/** An insert names its author in the record id, so that nobody makes records of somebody else (X1). Code: entry/creator. */
export function creatorFault(author: Bytes, op: Op): Fault | null {
  if (op.kind !== 'insert' || isCreatorOf(author, op.id)) return null;
  return { code: 'entry/creator', detail: `insert into "${op.collection}": expected a record id of its author` };
}

type KnownOp = Exclude<Op, { readonly kind: 'opaque' }>;

function misfitOf(declaration: Declaration, domainName: string, op: KnownOp): string | null {
  const collection = own(declaration.collections, op.collection);
  if (collection === undefined) return `expected a declared collection, got "${op.collection}"`;
  if (collection.domain !== domainName) {
    return `expected a collection of domain "${domainName}", got "${op.collection}" of "${collection.domain}"`;
  }
  if (collection.single !== isZero(op.id)) {
    return `"${op.collection}": expected ${collection.single ? 'the zero id' : 'an id that is not zero'}`;
  }
  switch (op.kind) {
    case 'insert':
      if (collection.single) return `"${op.collection}" is a single: expected an update`;
      return fieldsMisfit(op.collection, collection, op.fields) ?? missingField(op.collection, collection, op.fields);
    case 'update':
      return fieldsMisfit(op.collection, collection, op.fields);
    case 'delete':
      return collection.single ? `"${op.collection}" is a single: expected an update` : null;
    case 'increment': {
      const field = own(collection.fields, op.field);
      if (field?.kind === 'counter') return null;
      return `"${op.collection}": expected a counter, got "${op.field}" (${field?.kind ?? 'not declared'})`;
    }
  }
}

function fieldsMisfit(name: string, collection: CollectionDeclaration, fields: FieldValues): string | null {
  for (const fieldName of Object.keys(fields)) {
    const field = own(collection.fields, fieldName);
    const value = fields[fieldName];
    if (field === undefined) return `"${name}": expected a declared field, got "${fieldName}"`;
    if (isAllowed(field, value) || (value === null && mayBeNull(field))) continue;
    return `"${name}": field "${fieldName}": expected ${expectationOf(field)}, got ${wordsFor(field, value)}`;
  }
  return null;
}

function missingField(name: string, collection: CollectionDeclaration, fields: FieldValues): string | null {
  for (const fieldName of Object.keys(collection.fields)) {
    const field = collection.fields[fieldName];
    if (field === undefined || !('need' in field) || field.need !== 'required') continue;
    if (own(fields, fieldName) === undefined) {
      return `"${name}": field "${fieldName}": expected ${expectationOf(field)}, got nothing`;
    }
  }
  return null;
}

/** What came, without a part of it. */
function wordsFor(field: FieldDeclaration, value: Value | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  const kind = Array.isArray(value) ? 'list' : typeof value;
  return field.kind === kind || (field.kind === 'oneOf' && kind === 'string') ? `another ${kind}` : kind;
}
