/** Raised when tabs of two versions of this library could no longer understand each other. */
export const tabsVersion = 1;

/** The channel in which the tabs of a namespace speak, and the lock that the leader among them holds. */
export function tabsName(namespace: string): string {
  return `keeproom/${namespace}`;
}

/**
 * What tells the other tabs that the leader of this generation leaves. Its page says it beside its worker, because a
 * browser may freeze the worker, with the lock, before it has heard that it is to give up.
 */
export function leavingNote(generation: number): unknown {
  return { v: tabsVersion, body: { m: 'leaving', from: '', generation } };
}
