/** Everything in IndexedDB, past the package: every key and value of every object store of every database, taken apart. */

/** One leaf of what is stored. `path` is database / store / key / names of properties. */
export type Leaf =
  | { readonly path: string; readonly text: string }
  /** In hex. */
  | { readonly path: string; readonly bytes: string }
  | { readonly path: string; readonly key: Pick<CryptoKey, 'type' | 'extractable'> }
  | { readonly path: string; readonly other: string };

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new Error(request.error?.name));
  });
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function* leaves(path: string, value: unknown): Generator<Leaf> {
  if (typeof value === 'string') yield { path, text: value };
  else if (value instanceof CryptoKey) yield { path, key: { type: value.type, extractable: value.extractable } };
  else if (value instanceof ArrayBuffer) yield { path, bytes: hexOf(new Uint8Array(value)) };
  // The whole buffer, also what a view of it does not show.
  else if (ArrayBuffer.isView(value)) yield { path, bytes: hexOf(new Uint8Array(value.buffer)) };
  else if (value instanceof Map) for (const [key, item] of value) yield* leaves(`${path}/${String(key)}`, item);
  else if (value instanceof Set) for (const item of value) yield* leaves(`${path}/*`, item);
  else if (typeof value === 'object' && value !== null) {
    yield { path, text: Object.keys(value).join(' ') };
    for (const [name, item] of Object.entries(value)) yield* leaves(`${path}/${name}`, item);
  } else yield { path, other: String(value) };
}

window.dump = async () => {
  const found: Leaf[] = [];
  for (const { name = '' } of await indexedDB.databases()) {
    const db = await settled(indexedDB.open(name));
    for (const store of db.objectStoreNames) {
      const rows = db.transaction(store).objectStore(store);
      const [keys, values] = await Promise.all([settled(rows.getAllKeys()), settled<unknown[]>(rows.getAll())]);
      for (const [i, key] of keys.entries()) {
        const path = `${name}/${store}/${JSON.stringify(key)}`;
        found.push(...leaves(`${path}/key`, key), ...leaves(path, values[i]));
      }
    }
    db.close();
  }
  return found;
};

declare global {
  interface Window {
    dump: () => Promise<Leaf[]>;
  }
}
