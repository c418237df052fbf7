import type { Value } from '../codec/index.js';
import type { FieldValues } from '../op/index.js';
import type { CollectionDeclaration, FieldDeclaration } from './declaration.js';
import { own } from './declaration.js';
import { hasTypeOf } from './value.js';

/**
 * A record as the app that declared `collection` reads it: every declared field and no other. What was never written,
 * or has another type by another app's schema, reads as the default, 0 for a counter, else null. Values beyond the
 * reader's limits are shown: they are what the room holds.
 */
export function projectFields(collection: CollectionDeclaration, fields: FieldValues): FieldValues {
  const out: Record<string, Value> = {};
  for (const name of Object.keys(collection.fields)) {
    const field = collection.fields[name];
    if (field === undefined || field.kind === 'opaque') continue;
    const value = own(fields, name);
    out[name] = value !== undefined && hasTypeOf(field, value) ? value : emptyOf(field);
  }
  return out;
}

function emptyOf(field: Exclude<FieldDeclaration, { readonly kind: 'opaque' }>): Value {
  if (field.kind === 'counter') return 0;
  return typeof field.need === 'object' ? field.need.default : null;
}
