/** IndexedDB by bare calls: for `limit`, and for peers that leave storage to the app. */

/** Opens (or makes) a database with one store, `blobs`. */
export function openDatabase(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore('blobs', { autoIncrement: true });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** One relaxed transaction with these values; resolves when it is complete. Keys are given or counted. */
export function putAll(db, values, keys = []) {
  return new Promise((resolve, reject) => {
    const tx = db.transaction('blobs', 'readwrite', { durability: 'relaxed' });
    const store = tx.objectStore('blobs');
    values.forEach((value, i) => store.put(value, keys[i]));
    tx.oncomplete = resolve;
    tx.onerror = () => reject(tx.error);
    tx.commit();
  });
}

/** All values of the store. */
export function getAll(db) {
  return new Promise((resolve, reject) => {
    const request = db.transaction('blobs').objectStore('blobs').getAll();
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export function deleteDatabase(name) {
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = request.onerror = request.onblocked = () => resolve();
  });
}

let made = 0;

/** A name that no run has used. */
export function freshName(what) {
  return `${what}-${Date.now().toString(36)}-${++made}`;
}
