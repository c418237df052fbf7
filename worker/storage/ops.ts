import type { StoreOp, StoreTable } from '../../src/ports/index.js';
import { checkKey, checkPrefix } from './keys.js';
import { compactValue } from './values.js';

/** Every platform has it; this project is compiled without the DOM's types. */
declare const structuredClone: <T>(value: T) => T;

/**
 * The operation with a key and a value of its own: what the caller does to his afterwards changes nothing. Throws
 * TypeError or RangeError when the key or the value cannot be stored.
 */
export function ownOp(op: StoreOp): StoreOp {
  if (op.do === 'delete-prefix') return { ...op, prefix: [...checkPrefix(op.prefix)] };
  if (op.do === 'delete') return { ...op, key: [...checkKey(op.key)] };
  return { ...op, key: [...checkKey(op.key)], value: ownValue(op.table, op.value) };
}

function ownValue(table: StoreTable, value: unknown): unknown {
  try {
    return structuredClone(compactValue(value));
  } catch (cause) {
    throw new TypeError(`store value for ${table}: expected plain data, got something that cannot be cloned`, {
      cause,
    });
  }
}
