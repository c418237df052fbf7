/** Records that look different now: their ids (base64url) by collection, in the order in which they changed first. */
export type ChangedRecords = Map<string, Set<string>>;

/** The ids of a collection among the changed, to add to. */
export function changedIn(changed: ChangedRecords, collection: string): Set<string> {
  let ids = changed.get(collection);
  if (ids === undefined) changed.set(collection, (ids = new Set()));
  return ids;
}

/** Adds what changed beside. */
export function addChanged(changed: ChangedRecords, more: ReadonlyMap<string, ReadonlySet<string>>): void {
  for (const [collection, ids] of more) {
    const all = changedIn(changed, collection);
    for (const id of ids) all.add(id);
  }
}
