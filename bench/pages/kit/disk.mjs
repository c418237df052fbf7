/** What an origin's databases take. */

/** Bytes of this origin, after a rest: a database writes its log anew some time after it was opened. */
export async function diskBytes(restMs) {
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
  await new Promise((resolve) => setTimeout(resolve, restMs));
  const { usage } = await navigator.storage.estimate();
  return usage;
}
