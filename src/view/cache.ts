/** Gives the same object for the same key for as long as anybody holds it, and forgets it then. */
export function createWeakCache<T extends object>(): (key: string, make: (key: string) => T) => T {
  const refs = new Map<string, WeakRef<T>>();
  const gone = new FinalizationRegistry<string>((key) => {
    if (refs.get(key)?.deref() === undefined) refs.delete(key);
  });
  return (key, make) => {
    const known = refs.get(key)?.deref();
    if (known !== undefined) return known;
    const made = make(key);
    refs.set(key, new WeakRef(made));
    gone.register(made, key);
    return made;
  };
}
