/** A map that forgets its oldest entry when it is full: what is remembered of strangers has an end. */
export interface BoundedMap<V> {
  readonly get: (key: string) => V | undefined;
  /** Setting makes an entry the newest. */
  readonly set: (key: string, value: V) => void;
  readonly delete: (key: string) => void;
  readonly entries: () => IterableIterator<[string, V]>;
}

/** An empty map of at most `max` entries. */
export function createBoundedMap<V>(max: number): BoundedMap<V> {
  const map = new Map<string, V>();
  return {
    get: (key) => map.get(key),
    set: (key, value) => {
      map.delete(key);
      map.set(key, value);
      for (const oldest of map.keys()) {
        if (map.size <= max) break;
        map.delete(oldest);
      }
    },
    delete: (key) => void map.delete(key),
    entries: () => map.entries(),
  };
}
