/**
 * What crosses the thread line, and nothing else: the messages between a page, its worker and the engine that serves
 * it. Plain data only, so that the same message can travel over a worker, a MessagePort or a BroadcastChannel to the
 * leader of another tab. A page speaks to its own worker in plain data ({@link FromPage}); the worker's PageGate turns
 * that into the engine's bytes and back.
 */
export type { WireError } from './error.js';
export type {
  CallArgs,
  CallName,
  CallResult,
  ClientInfo,
  EngineCalls,
  EngineStats,
  FromEngine,
  FromWorker,
  InviteInfo,
  JoinStep,
  MemberInfo,
  NetworkState,
  ProfileData,
  RecordRun,
  RecordUpdate,
  Rejection,
  RoleData,
  RoomInfo,
  RoomUpdate,
  StorageState,
  ToEngine,
  ToWorker,
} from './messages.js';
export type { Advice, ErrorCode } from './advice.js';
export { adviceOnPage } from './advice.js';
export type {
  FromPage,
  PageArgs,
  PageError,
  PageGate,
  PageInfo,
  PageOp,
  PageRejection,
  PageUpdate,
  PublishedSchema,
  ToPage,
} from './page.js';
export { createPageGate } from './page.js';
export type { ListedRecord, RecordPacker } from './records.js';
export { createRecordPacker, unpackRecords } from './records.js';
export { leavingNote, tabsName, tabsVersion } from './tabs.js';
