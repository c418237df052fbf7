/**
 * The page's copy of a room: what the engine has confirmed, with this tab's own writes on top until they are part of
 * it. Reads and writes are synchronous; a write that every peer would refuse throws at once, by the same pure code that
 * peers and engine run (core: schema, record, access). The engine stays the only judge: what it rejects leaves the view.
 * Signals are our own forty lines rather than a library: the graph is fixed (replica, table, query, subscriber), what is
 * needed is one notification per transaction after all of it is visible, and a page may download 14 kB in all.
 * Nothing here knows workers, networks or storage.
 */
export { mayWrite, memberOf } from './access.js';
export type { DataParts } from './data.js';
export { createData } from './data.js';
export { errorFromWire, isKeeproomError, KeeproomError } from './error.js';
export { expect, expectFunction, expectInteger, expectObject, signalOf } from './expect.js';
export { s } from './fields.js';
export { createMint, profileId, singleId } from './ids.js';
export type { Change, Replica } from './replica.js';
export { createReplica } from './replica.js';
export type { Model } from './schema.js';
export { collection, defineSchema, modelOf, single } from './schema.js';
export { settle } from './settle.js';
export type { Emitter, Scheduler, Scope, Source } from './signal.js';
export { createScheduler, createScope, createSignal, guard } from './signal.js';
export type {
  Abort,
  Collection,
  Condition,
  CounterField,
  Data,
  Def,
  Field,
  Fields,
  Insert,
  Inserted,
  Json,
  Patch,
  Permission,
  Query,
  RecordId,
  RecordMeta,
  RecordOf,
  RoleDef,
  RoleOf,
  Row,
  Schema,
  Signal,
  Single,
  Sync,
  ValueField,
  Write,
} from './types.js';
export { onAbort, wait } from './wait.js';
export type { Writer } from './writer.js';
export { createWriter, openInfo } from './writer.js';
