import type { StoreValue } from '../../src/ports/index.js';

/**
 * The value with every byte array on a buffer of its own length. A structured clone of a view takes its whole buffer
 * along: a 40-byte slice of a received frame would lie on the disk as 15,000 bytes. Unchanged parts are not copied.
 */
export function compactValue(value: StoreValue): StoreValue {
  if (value instanceof Uint8Array) return value.byteLength === value.buffer.byteLength ? value : value.slice();
  if (Array.isArray(value)) return value.map(compactValue);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, compactValue(part)]));
}

/** Handles of the Vault and other platform objects are left to the structured clone. */
function isPlainObject(value: StoreValue): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
