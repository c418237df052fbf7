/**
 * The database of the browser behind the `Store` port, through `idb`: one database per namespace, one object store per
 * table, array keys, no secondary index. A commit is one readwrite transaction that reads the generation row first
 * (tabs.md T4), relaxed by default, strict when asked (T6). The connection heals itself; what cannot be healed is one of
 * four typed failures, and what has to wait is a state. It does not decide who may write (worker/tabs) and encrypts
 * nothing (X10 is the Vault's).
 */
export type { BrowserDiskOptions } from './disk.js';
export { createBrowserDisk } from './disk.js';
export type { Doing } from './failure.js';
export type { StorageManagerLike } from './quota.js';
export { durability, usedBytes } from './quota.js';
export type { DiskState } from './watch.js';
