import type { StoreKey } from '../../src/ports/index.js';

/** Order of keys as IndexedDB has it: element by element, numbers before texts, texts by code unit, the shorter first. */
export function compareKeys(a: StoreKey, b: StoreKey): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = compareParts(a[i] ?? 0, b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Whether `key` begins with the elements of `prefix`; an element counts whole: `['ab']` does not begin with `['a']`. */
export function startsWith(key: StoreKey, prefix: StoreKey): boolean {
  return key.length >= prefix.length && compareKeys(key.slice(0, prefix.length), prefix) === 0;
}

/** A key of our own caller; throws TypeError or RangeError when no store can keep it. */
export function checkKey(key: StoreKey): StoreKey {
  if (key.length === 0) throw new RangeError('store key: expected at least one element, got none');
  return checkPrefix(key);
}

/** A prefix of our own caller, which may be empty; throws TypeError when no key can begin with it. */
export function checkPrefix(prefix: StoreKey): StoreKey {
  for (const part of prefix) {
    const storable = typeof part === 'string' || (typeof part === 'number' && !Number.isNaN(part));
    if (!storable) throw new TypeError(`store key: expected texts and numbers, got ${String(part)} (${typeof part})`);
  }
  return prefix;
}

function compareParts(a: string | number, b: string | number): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
