/**
 * `next` as an immutable value that shares with `previous` whatever is equal: `previous` itself when all of it is.
 * So what did not change keeps its identity, and a view that compares references renders nothing twice.
 * Plain data is copied and frozen, never kept, so its owner may go on using it; anything else is passed on as it is.
 */
export function settle<T>(previous: unknown, next: T): T;
export function settle(previous: unknown, next: unknown): unknown {
  if (typeof next !== 'object' || next === null) return next;
  if (next instanceof Date && previous instanceof Date && +previous === +next) return previous;
  if (!isPlain(next)) return next;
  const old = isPlain(previous) && Array.isArray(previous) === Array.isArray(next) ? previous : null;
  const out: Record<string, unknown> = {};
  const keys = Object.keys(next);
  let isSame = old !== null && Object.keys(old).length === keys.length;
  for (const key of keys) {
    const value = settle(old?.[key], next[key]);
    // An absent key is never equal: values are never undefined.
    if (old?.[key] !== value) isSame = false;
    out[key] = value;
  }
  if (isSame) return old;
  return Object.freeze(Array.isArray(next) ? Object.values(out) : out);
}

/** A list, or an object of no class, of this realm or another. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
}
