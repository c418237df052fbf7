/** What is used of `navigator.storage`; each part is missing somewhere (no `persist` in workers, none at all in WebKitGTK). */
export interface StorageManagerLike {
  readonly estimate?: () => Promise<{ readonly usage?: number }>;
  readonly persisted?: () => Promise<boolean>;
}

/** Bytes this origin holds, all namespaces together, as the browser estimates them; 0 where it does not tell. */
export async function usedBytes(storage: StorageManagerLike | undefined): Promise<number> {
  const { usage = 0 } = (await storage?.estimate?.().catch(() => undefined)) ?? {};
  return usage;
}

/**
 * Whether the browser may delete the data when space runs short. Only a page can ask it not to
 * (`navigator.storage.persist()`, in some browsers a question to the user); a worker sees the answer.
 */
export async function durability(storage: StorageManagerLike | undefined): Promise<'durable' | 'evictable'> {
  return (await storage?.persisted?.().catch(() => false)) === true ? 'durable' : 'evictable';
}
