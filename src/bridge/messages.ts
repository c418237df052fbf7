import type { Bytes } from '../core/base/index.js';
import type { WireError } from './error.js';

/** What a page asks of its engine; each has exactly one reply. Ids are minted on the page, so that a repeated call after a change of leader is safe. */
export interface EngineCalls {
  /** Opens a room that lies on this disk, by id or key; null when it does not. The view of it follows as `view` messages. */
  readonly open: (a: { readonly room: string; readonly declaration: Bytes }) => { readonly room: string } | null;
  /** `request` (16 random bytes, hex) makes a repeated call the same room; so does an equal `key`. */
  readonly create: (a: {
    readonly request: string;
    readonly key: string | null;
    readonly title: string;
    readonly declaration: Bytes;
    readonly profile: ProfileData;
  }) => { readonly room: string };
  /** Progress follows as `join` messages; the reply comes when the room can be opened, or as a typed error. */
  readonly join: (a: {
    readonly join: string;
    readonly link: string;
    readonly declaration: Bytes;
    readonly profile: ProfileData;
  }) => { readonly room: string };
  /** The page no longer waits for the answer to that call of its: what was begun for it alone ends. */
  readonly cancel: (a: { readonly call: number }) => null;
  /** This tab no longer shows the room. */
  readonly close: (a: { readonly room: string }) => null;
  /** Deletes the room from this device. */
  readonly forget: (a: { readonly room: string }) => null;
  /** Deletes everything of this namespace. */
  readonly erase: (a: Record<never, never>) => null;
  readonly createInvite: (a: {
    readonly room: string;
    readonly request: string;
    readonly role: RoleData;
    readonly maxUses: number;
    readonly expiresInMs: number;
  }) => InviteInfo;
  readonly revokeInvite: (a: { readonly room: string; readonly invite: string }) => null;
  /** Counters for tests, the demo and support: frames by fault code, commits, transfers. Never plaintext or keys. */
  readonly stats: (a: Record<never, never>) => EngineStats;
}

export type CallName = keyof EngineCalls;
export type CallArgs<N extends CallName> = Parameters<EngineCalls[N]>[0];
export type CallResult<N extends CallName> = ReturnType<EngineCalls[N]>;

export interface ProfileData {
  readonly name: string;
  readonly color: string | null;
}

/** A role as authority sees it: its rank is its name (format.md X2). `write` holds domain names; null = every domain. */
export interface RoleData {
  readonly rank: number;
  readonly perms: number;
  readonly write: readonly string[] | null;
}

export interface InviteInfo {
  readonly id: string;
  /** The secret's text form; null on devices that did not create the invite. */
  readonly code: string | null;
  readonly rank: number;
  readonly expiresAtMs: number;
  readonly usesLeft: number;
}

export interface MemberInfo {
  readonly id: string;
  readonly rank: number;
  readonly perms: number;
  readonly write: readonly string[] | null;
  /** Device ids in hex, oldest grant first. */
  readonly devices: readonly string[];
  readonly online: boolean;
  readonly invitedBy: string | null;
}

export type StorageState = 'starting' | 'durable' | 'evictable' | 'memory' | 'full' | 'broken';
export type NetworkState = 'offline' | 'connecting' | 'alone' | 'syncing' | 'up-to-date';

/** Everything about a room beside its records; sent whole whenever a part changes. */
export interface RoomInfo {
  readonly device: string;
  /** Member id of this device. */
  readonly me: string;
  readonly members: readonly MemberInfo[];
  readonly invites: readonly InviteInfo[];
  /** Domain name → domain id in hex, as far as `meta` names them; 'meta' included. */
  readonly domains: Readonly<Record<string, string>>;
  /** Published schema declarations (canonical bytes), oldest first. */
  readonly declarations: readonly Bytes[];
  readonly network: NetworkState;
  /** Of the catch-up under way, 0 to 0.99; 1 when there is none. */
  readonly progress: number;
  /** Why a link cannot carry anything although it exists, or null. */
  readonly stalled: boolean;
  readonly undelivered: number;
  readonly lastSyncedAtMs: number | null;
  /** Null, or the code that keeps this device from signing (its writes stay drafts). */
  readonly blocked: string | null;
}

/** One record as the page shows it. `fields` null = gone. */
export interface RecordUpdate {
  readonly collection: string;
  /** base64url of the 28-byte record id. */
  readonly id: string;
  readonly fields: Readonly<Record<string, unknown>> | null;
  readonly createdAtMs: number;
  readonly delivered: boolean;
}

export interface Rejection {
  /** The tab's write counter, or 0 for a write of an earlier page. */
  readonly n: number;
  readonly code: string;
  readonly collection: string;
  readonly id: string;
  readonly values: unknown;
}

/**
 * Records of one shape: the names of their fields (null: these are gone), and per record its id, when it was made (ms
 * since 1970), 0 or 1 for delivered, and its values in the order of the names.
 */
export type RecordRun = readonly [collection: string, names: readonly string[] | null, cells: readonly unknown[]];

/** A change of the confirmed state; applied atomically by the view. */
export interface RoomUpdate {
  /** True: `records` is the whole state, everything else is gone. */
  readonly reset: boolean;
  /** What a RecordPacker took in; null when no record changed. */
  readonly records: readonly RecordRun[] | null;
  /** Only the records count here, and nothing is shown before the rest has come, in further updates. */
  readonly more?: boolean;
  /** All writes of this tab up to these counters are in the confirmed state and durable / acknowledged by another device. */
  readonly savedUpTo: number;
  readonly deliveredUpTo: number;
  readonly info: RoomInfo | null;
  readonly rejected: readonly Rejection[];
}

export interface ClientInfo {
  readonly storage: StorageState;
  readonly usedBytes: number;
  readonly rooms: readonly {
    readonly id: string;
    readonly key: string | null;
    readonly title: string;
    readonly undelivered: number;
    readonly bytes: number;
  }[];
}

export type JoinStep = 'connecting' | 'waiting-for-host' | 'waiting-for-approval' | 'loading' | 'joined' | 'failed';

export interface EngineStats {
  readonly generation: number;
  readonly commits: number;
  /** Room id → fault code → count. */
  readonly faults: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Room id → named counters: framesIn, framesOut, bytesIn, bytesOut, claimsSent, grantsSent, packsIn, packsOut, … */
  readonly counters: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** From a tab to the engine. Order is kept per tab. */
export type ToEngine =
  | { readonly t: 'call'; readonly id: number; readonly name: CallName; readonly args: unknown }
  /**
   * One transaction; `n` rises by one per tab. A known `n` is answered as done (format.md X11). `prev` is the last one
   * before it of this room that the tab does not know as saved, or 0: without that one it is left out. Nothing replies
   * but `view`, or `room-error` when the tab does not have the room open.
   */
  | {
      readonly t: 'write';
      readonly room: string;
      readonly n: number;
      readonly prev: number;
      readonly domain: string;
      readonly payload: Bytes;
    }
  /** This tab can lend a network for a room (key: unique per room and transport type). */
  | { readonly t: 'link-offer'; readonly link: string; readonly room: string; readonly type: string }
  | { readonly t: 'link-withdraw'; readonly link: string }
  | { readonly t: 'link-up'; readonly link: string; readonly self: string; readonly maxFrameBytes: number }
  | { readonly t: 'link-down'; readonly link: string; readonly stalled: boolean; readonly error: WireError | null }
  | { readonly t: 'link-peer'; readonly link: string; readonly address: string; readonly change: 'here' | 'gone' }
  | { readonly t: 'link-frame'; readonly link: string; readonly bytes: Bytes; readonly from: string }
  /** The transport has taken frame `seq`, or refused it. */
  | { readonly t: 'link-sent'; readonly link: string; readonly seq: number; readonly ok: boolean };

/** From the engine to one tab. Order is kept. */
export type FromEngine =
  | { readonly t: 'reply'; readonly id: number; readonly value: unknown }
  | { readonly t: 'reply-error'; readonly id: number; readonly error: WireError }
  | { readonly t: 'view'; readonly room: string; readonly update: RoomUpdate }
  /** `room/closed`: the tab does not have it open. `open` tells whether it is still there; unsaved writes go again then. */
  | { readonly t: 'room-error'; readonly room: string; readonly error: WireError }
  | { readonly t: 'client'; readonly info: ClientInfo }
  | { readonly t: 'join'; readonly join: string; readonly step: JoinStep; readonly progress: number }
  /** The engine has chosen this tab to lend the network. */
  | { readonly t: 'link-open'; readonly link: string }
  | { readonly t: 'link-close'; readonly link: string }
  | {
      readonly t: 'link-send';
      readonly link: string;
      readonly seq: number;
      readonly bytes: Bytes;
      readonly to: readonly string[] | 'all';
    };

/** What a page and its own worker say to each other beside the engine's messages. */
export type ToWorker =
  | { readonly t: 'start'; readonly namespace: string; readonly storage: 'indexeddb' | 'memory'; readonly tab: string }
  /** The page is about to be frozen, kept in the back/forward cache, or closed: give up leadership (tabs.md rule 2). */
  | { readonly t: 'abdicate' }
  /** The page is back. */
  | { readonly t: 'resume' }
  | { readonly t: 'stop' }
  | ToEngine;

export type FromWorker =
  /** First message of a worker that runs: proof that its URL loads. */
  | { readonly t: 'alive' }
  /**
   * `ready`: an engine serves this tab from here on, perhaps another than before. Everything asked before and not
   * answered is asked again by the page, every room opened again, every unconfirmed write sent again. `serving`: the
   * same one goes on, slowly when `error` says so, and nothing is asked again. `waiting`: nobody serves.
   */
  | {
      readonly t: 'engine';
      readonly state: 'waiting' | 'ready' | 'serving';
      readonly generation: number;
      readonly leader: boolean;
      readonly error: WireError | null;
    }
  | FromEngine;
