/** What an engine needs from the world: storage, time, randomness, keys, compression and networks. Interfaces only. */
export type { AtRestUse, Deflate, DeviceKeys, Random, SeedSigner, Time, Vault, VerifyJob } from './host.js';
export type { Store, StoreFailure, StoreKey, StoreOp, StoreRow, StoreTable, StoreValue } from './store.js';
export { StoreError, storedBytes } from './store.js';
export type { Link, LinkEvents } from './transport.js';
