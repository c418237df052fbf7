/**
 * Storage of one namespace behind the `Store` port: what is common to every kind of it (tables, keys, operations, and
 * the contract all of them keep) and the one that lives in memory, for `storage: 'memory'`, tests and the simulator. The
 * database of the browser is `worker/storage/idb`. Nothing here knows what the rows mean; sealing them is the Vault's
 * work (X10), electing the one engine that writes them is `worker/tabs`.
 */
export type { Disk } from './disk.js';
export { storeTables } from './disk.js';
export { checkKey, checkPrefix } from './keys.js';
export type { MemoryDisk, MemoryDiskOptions } from './memory.js';
export { createMemoryDisk } from './memory.js';
export type { MemoryStep } from './memory-queue.js';
export { ownOp } from './ops.js';
export { compactValue } from './values.js';
