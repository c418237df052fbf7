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
  for (const [name, field] of Object.entries(collection.fields)) {
    if (field.kind !== 'opaque') out[name] = projectField(field, own(fields, name));
  }
  return out;
}

/** One field of a record as {@link projectFields} reads it; of a kind that this version does not know, null. */
export function projectField(field: FieldDeclaration, value: Value | undefined): Value {
  if (field.kind === 'opaque') return null;
  return value !== undefined && hasTypeOf(field, value) ? value : emptyOf(field);
}

function emptyOf(field: Exclude<FieldDeclaration, { readonly kind: 'opaque' }>): Value {
  if (field.kind === 'counter') return 0;
  return typeof field.need === 'object' ? field.need.default : null;
}
