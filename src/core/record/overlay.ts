import type { FieldValues, Op } from '../op/index.js';
import type { CollectionDeclaration } from '../schema/index.js';
import { own } from '../schema/index.js';

/**
 * One op of this tab on top of what its record shows (null: no record), by the rules of Records: an update or increment
 * of nothing is without effect but for a single, which its first update makes. An own write that is not confirmed yet is
 * newer than what is. Answers `fields` itself where nothing changes. An insert over a deleted record would show until
 * it is confirmed: a page inserts under fresh ids only.
 */
export function applyToView(fields: FieldValues | null, op: Op, collection: CollectionDeclaration): FieldValues | null {
  switch (op.kind) {
    case 'insert':
      return { ...fields, ...op.fields };
    case 'update':
      return fields === null && !collection.single ? null : { ...fields, ...op.fields };
    case 'delete':
      return null;
    case 'increment': {
      if (fields === null && !collection.single) return null;
      const count = fields === null ? undefined : own(fields, op.field);
      const sum = (Number.isSafeInteger(count) ? Number(count) : 0) + op.by;
      // Of two safe integers: where this rounds, it is beyond the range that it is cut to.
      const shown = Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, sum));
      return { ...fields, [op.field]: shown };
    }
    case 'opaque':
      return fields;
  }
}
