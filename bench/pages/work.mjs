/**
 * The work itself, the same for every contestant and in every run: what is written, in which order, and what must be
 * read at the end. No contestant's code is here, and no platform's: Node computes with it what pages must answer.
 */

/** A value below this; so that no encoding gets away with small numbers. */
const VALUE_RANGE = 1_000_000;

/** Marks around what is timed, for whoever traces the page. */
export const BEGIN = 'bench-begin';
export const END = 'bench-end';

/** mulberry32: small, seeded, good enough to spread keys. */
export function createRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The name of a key: a record's field in keeproom, a map's key elsewhere. */
export function keyName(index) {
  return `key-${String(index).padStart(6, '0')}`;
}

/**
 * Map sets: the first `keys` ops make each key once, in order; the others set one of them by chance.
 *
 * @param {{ ops: number, keys: number, seed?: number }} work
 * @returns {{ keys: Uint32Array, values: Uint32Array }} key index and value per op
 */
export function mapSets({ ops, keys, seed = 1 }) {
  const random = createRandom(seed);
  const result = { keys: new Uint32Array(ops), values: new Uint32Array(ops) };
  for (let i = 0; i < ops; i++) {
    result.keys[i] = i < keys ? i : Math.floor(random() * keys);
    result.values[i] = Math.floor(random() * VALUE_RANGE);
  }
  return result;
}

/** Calls `each(from, to)` for every transaction of `perTransaction` ops. */
export function* transactions(ops, perTransaction) {
  for (let from = 0; from < ops; from += perTransaction) yield [from, Math.min(from + perTransaction, ops)];
}

/**
 * The same by several authors in turn, transaction by transaction; each sets only keys of its own, so that no clock
 * decides the end. The first author makes all keys, in transactions of its own before the others begin.
 */
export function authoredSets({ ops, keys, perTransaction, authors, seed }) {
  const sets = mapSets({ ops, keys, seed });
  const made = Math.ceil(keys / perTransaction) * perTransaction;
  const author = new Uint8Array(ops);
  for (let i = made; i < ops; i++) {
    author[i] = Math.floor(i / perTransaction) % authors;
    const key = sets.keys[i] - (sets.keys[i] % authors) + author[i];
    sets.keys[i] = key < keys ? key : author[i];
  }
  return { ...sets, author, made };
}

/** Final values of any sets. */
export function valuesAfter({ keys, values }, ops = keys.length) {
  const result = new Map();
  for (let i = 0; i < ops; i++) result.set(keyName(keys[i]), values[i]);
  return result;
}

/** Values by key index after all ops: what every contestant must read at the end. */
export function finalValues(work) {
  return valuesAfter(work.authors === undefined ? mapSets(work) : authoredSets(work));
}

/** A text of 32 bits and a count over pairs in the order of their keys; equal states have equal texts. */
export function checksumOf(pairs) {
  const sorted = [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
  let hash = 0x811c9dc5;
  for (const [key, value] of sorted) {
    const text = `${key}=${JSON.stringify(value)};`;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return `${hash.toString(16).padStart(8, '0')}/${sorted.length}`;
}

/** What a list of rows shows, in its order. */
export function checksumOfRows(rows) {
  return checksumOf(rows.map((row, index) => [String(index).padStart(6, '0'), row]));
}

/** Rows that every cold open must read: the first hundred by value, equal values by key. */
const TOP_ROWS = 100;

/** @param {Iterable<[string, number]>} pairs of key and value */
export function topRows(pairs) {
  return [...pairs].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1)).slice(0, TOP_ROWS);
}
