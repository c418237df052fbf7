/// <reference lib="esnext.disposable" />
// The types of clients and rooms. As in the view's types, methods are compared bivariantly on purpose: a
// Room<MySchema> is a Room.
/* eslint-disable @typescript-eslint/method-signature-style */
import type { ErrorCode } from '../bridge/index.js';
import type { Transport } from '../transport/index.js';
import type {
  Abort,
  Data,
  Json,
  KeeproomError,
  Permission,
  RoleOf,
  Schema,
  Signal,
  Sync,
  Write,
} from '../view/index.js';

/** How a person is shown to the others of a room. Encrypted: only members read it. */
export interface Profile {
  /** 1 to 64 characters. */
  name: string;
  /** Any CSS colour. */
  color?: string;
}

/** How far storage goes. `memory`: nothing outlives the tab. `full`, `broken`: writes wait unsaved until it is mended. */
export type StorageState = 'starting' | 'durable' | 'evictable' | 'memory' | 'full' | 'broken';

/** What createClient takes. Two clients of one origin with one `namespace` are one device. */
export interface ClientOptions {
  /** Used for rooms created or joined from here on. */
  profile?: Profile;
  /** A device of its own: own keys, own database. `default` unless told. */
  namespace?: string;
  /** `memory` keeps nothing; for tests and previews. */
  storage?: 'indexeddb' | 'memory';
  /** For bundlers and policies that do not serve `keeproom/worker` from where the package asks for it. */
  worker?: Worker | URL | (() => Worker);
}

/** What every way into a room takes. */
export interface RoomOptions<S> extends Abort {
  schema: S;
  transports?: readonly Transport[];
}

/** A room on this device. */
export interface RoomSummary {
  readonly id: string;
  readonly key: string | null;
  readonly title: string;
  /** Writes of this device that no other device is known to have. */
  readonly undelivered: number;
  readonly bytes: number;
}

/** The state of this device as a whole. */
export interface ClientStatus {
  readonly storage: StorageState;
  readonly usedBytes: number;
}

/** One device's rooms. Touches no global and starts no worker before it is first used. */
export interface Client extends AsyncDisposable {
  readonly rooms: Signal<readonly RoomSummary[]>;
  readonly status: Signal<ClientStatus>;
  /** A new room with this device as its owner; with a `key` that this device has a room for, that room. */
  createRoom<S extends Schema>(o: RoomOptions<S> & { key?: string; title?: string }): Promise<Room<S>>;
  /** Reads the disk, never the network. Null: no such room on this device. */
  openRoom<S extends Schema>(idOrKey: string, o: RoomOptions<S>): Promise<Room<S> | null>;
  /** `from`: an invite's link or code. */
  joinRoom<S extends Schema>(from: string | URL, o: RoomOptions<S>): Join<S>;
  /** Deletes a room from this device; nobody else's copy. */
  forgetRoom(id: string): Promise<void>;
  /** Deletes every room and key of this namespace from this device. */
  erase(): Promise<void>;
  close(): Promise<void>;
}

/** A join under way. */
export interface Join<S extends Schema> {
  /** Rejects with the error that `state` shows. Ignoring it is harmless. */
  readonly room: Promise<Room<S>>;
  cancel(): void;
  readonly state: Signal<JoinState>;
}

/** How far a join got. */
export interface JoinState {
  readonly step: 'connecting' | 'waiting-for-host' | 'waiting-for-approval' | 'loading' | 'joined' | 'failed';
  /** 0 to 1, never less than before: how much of the room is here, as far as the peer that gives it can be believed. */
  readonly progress: number;
  readonly error: KeeproomError | null;
}

/** A shared room. Handles of one room share its state; each closes for itself. */
export interface Room<S extends Schema = Schema> extends AsyncDisposable {
  readonly id: string;
  readonly title: Signal<string>;
  readonly data: Data<S>;
  readonly me: Signal<Member<RoleOf<S>>>;
  readonly members: Signal<readonly Member<RoleOf<S>>[]>;
  rename(title: string): Write;
  setProfile(profile: Profile): Write;
  readonly invites: Signal<readonly Invite[]> & {
    /** Works for 7 days, any number of people, and through any member who may invite, unless told. */
    create(o: { role: RoleOf<S>; expiresInMs?: number; maxUses?: number }): Promise<Invite>;
    revoke(id: string): Write;
  };
  readonly status: Signal<RoomStatus>;
  /** `target` of 'write': a collection. Render it from `room.me`. */
  can(action: Permission | 'write', target?: string): boolean;
  /** Everything `change` writes is one transaction inside one domain, all or nothing. */
  transact<R>(change: () => Sync<R>): Write<R>;
  /** Adds a network; the returned function takes it away. */
  attach(transport: Transport): () => void;
  on<E extends keyof RoomEvents>(type: E, fn: (event: RoomEvents[E]) => void, o?: Abort): () => void;
  /** Closes the room and deletes it from this device. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

/** A person in a room. */
export interface Member<R extends string = string> {
  readonly id: string;
  readonly profile: Profile;
  readonly role: R;
  readonly online: boolean;
  readonly deviceCount: number;
  readonly invitedBy: string | null;
}

/** A way in that can be given to others. */
export interface Invite {
  readonly id: string;
  /** The secret. Empty on devices that did not make the invite; `link` throws there. */
  readonly code: string;
  readonly role: string;
  readonly expiresAt: Date;
  readonly usesLeft: number;
  /** The address of `page` (this page unless told) with the code in its fragment, which no server sees. */
  link(page?: string | URL): string;
}

/** A room's state in words that a person can be shown. */
export interface RoomStatus {
  readonly storage: StorageState;
  readonly network: 'offline' | 'connecting' | 'alone' | 'syncing' | 'up-to-date';
  /** 0 to 1: how much is done of what `syncing` tells of: catching up, or signing what was written alone. Else 1. */
  readonly progress: number;
  /** Why nothing that is written here goes out any more, whatever the network. Null: it does. */
  readonly blocked: 'device/blocked' | null;
  /** Writes of this tab that are not on the disk yet. */
  readonly unsaved: number;
  /** Writes of this device that no other device is known to have, unsaved ones included. */
  readonly undelivered: number;
  readonly lastSyncedAt: Date | null;
  readonly schema: 'current' | 'app-is-older' | 'app-is-newer';
}

/** What happens to a room beside its data. */
export interface RoomEvents {
  /** A write that was accepted here turned out to have no effect; the view has corrected itself. */
  rejected: { readonly code: ErrorCode; readonly collection: string; readonly id: string; readonly values: Json };
  error: KeeproomError;
}
