/** What was worked out a moment ago, by the object it came from: no more than a help. */
export interface Recent<K extends object, V> {
  readonly get: (key: K) => V | undefined;
  /** `weight` counts towards the maximum, in whatever the owner counts. */
  readonly set: (key: K, value: V, weight: number) => void;
}

/**
 * An empty one, of two generations: half of `maxWeight` that came last is always there, what is older goes at once. Not a
 * WeakMap: with one entry per transaction those keep the garbage collector busier than they save.
 */
export function createRecent<K extends object, V>(maxWeight: number): Recent<K, V> {
  let [values, older] = [new Map<K, V>(), new Map<K, V>()];
  let total = 0;
  return {
    get: (key) => values.get(key) ?? older.get(key),
    set: (key, value, weight) => {
      if (total + weight > maxWeight / 2) {
        [values, older] = [new Map<K, V>(), values];
        total = 0;
      }
      total += weight;
      values.set(key, value);
    },
  };
}

/** What `make` gives for the same object, made once while it is one of about `count` that were asked for last. */
export function createMemo<K extends object, V>(count: number, make: (key: K) => V): (key: K) => V {
  const made = createRecent<K, V>(count);
  return (key) => {
    let value = made.get(key);
    if (value === undefined) made.set(key, (value = make(key)), 1);
    return value;
  };
}
