/// <reference lib="esnext.disposable" />
/**
 * keeproom: rooms for web apps, shared, offline-first and end-to-end encrypted. This is everything an app imports;
 * networks that need a library of their own have entries of their own (`keeproom/livekit`).
 */
export type { ErrorCode } from './bridge/index.js';
export { createClient, takeInvite } from './client/index.js';
export type {
  Client,
  ClientOptions,
  ClientStatus,
  Invite,
  Join,
  JoinState,
  Member,
  Profile,
  Room,
  RoomEvents,
  RoomOptions,
  RoomStatus,
  RoomSummary,
  StorageState,
} from './client/index.js';
export { broadcastChannel } from './transport/index.js';
export type { OpenTransport, Transport, TransportEvents, TransportState } from './transport/index.js';
export { collection, defineSchema, isKeeproomError, KeeproomError, s, single } from './view/index.js';
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
} from './view/index.js';
