import type { PageOp } from '../bridge/index.js';
import type { CollectionDeclaration } from '../core/schema/index.js';
import { isAllowed, own } from '../core/schema/index.js';
import { kindOf } from './expect.js';

/**
 * What keeps an op from fitting a declared collection, for a developer; null: nothing. The verdict is that of the core's
 * checkOps, by which engine and peers judge, for every op that this page can make: a test compares the two. Without
 * their words it is a tenth of what a page may download smaller.
 */
export function misfitOf(collection: CollectionDeclaration | undefined, domain: string, op: PageOp): string | null {
  if (collection?.domain !== domain) return 'expected a declared collection';
  if (op.kind === 'delete') return null;
  if (op.kind === 'increment') {
    return own(collection.fields, op.field)?.kind === 'counter' ? null : `${op.field}: expected a counter`;
  }
  for (const [name, value] of Object.entries(op.fields)) {
    const field = own(collection.fields, name);
    if (field === undefined) return `${name}: expected a declared field`;
    const need = 'need' in field ? field.need : null;
    if (isAllowed(field, value) || (value === null && need === 'optional')) continue;
    return `${name}: expected ${JSON.stringify(field)}, got ${kindOf(value)}`;
  }
  for (const [name, field] of op.kind === 'insert' ? Object.entries(collection.fields) : []) {
    if ('need' in field && field.need === 'required' && !Object.hasOwn(op.fields, name))
      return `${name}: expected a value`;
  }
  return null;
}
