/** What an origin's databases take. */

/** A database writes its log anew some time after it was opened. */
const REST_MS = 3_000;

/** Bytes of this origin, after a rest. */
export async function diskBytes() {
  // Opened once more, so that what the last writer left as a log is sorted.
  for (const { name } of await indexedDB.databases()) {
    await new Promise((resolve) => {
      const request = indexedDB.open(name);
      request.onsuccess = () => {
        request.result.close();
        resolve();
      };
      request.onerror = resolve;
    });
  }
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  const { usage } = await navigator.storage.estimate();
  return usage;
}
