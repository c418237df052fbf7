import type { PageInfo } from '../bridge/index.js';
import { hasPermission, permissions } from '../core/access/index.js';
import type { FieldValues } from '../core/op/index.js';
import type { Declaration } from '../core/schema/index.js';
import { metaDomain, own } from '../core/schema/index.js';
import type { Change, Model, Schema, Write } from '../view/index.js';
import {
  createData,
  createScope,
  createWriter,
  expect,
  expectFunction,
  mayWrite,
  memberOf,
  onAbort,
  openInfo,
  profileId,
  signalOf,
  singleId,
} from '../view/index.js';
import { about } from './about.js';
import { expectTitle, expectTransport, profileData } from './check.js';
import type { RoomCore } from './core.js';
import { createInvites } from './invites.js';
import type { Lending } from './lending.js';
import type { EngineLink } from './link.js';
import { myMember, toMember } from './people.js';
import type { Room, RoomStatus, StorageState } from './types.js';

/** What a handle stands on. */
export interface RoomParts {
  readonly core: RoomCore;
  readonly model: Model;
  readonly link: EngineLink;
  readonly lending: Lending;
  readonly storage: () => StorageState;
  /** A fresh record id of that device. */
  readonly mint: (device: string) => string;
  readonly submit: (core: RoomCore, change: Change) => void;
  /** The handle was closed, by itself or with the room. */
  readonly closed: (core: RoomCore, end: () => void) => void;
  /** Closes every handle of the room and deletes it from this device. */
  readonly forget: (room: string) => Promise<void>;
}

/** A handle of a room whose first view has come. */
export function createRoom<S extends Schema>(parts: RoomParts): Room<S> {
  const { core, model } = parts;
  const { replica } = core;
  const scope = createScope();
  const info = (): PageInfo => openInfo(replica, scope);
  const people = { replica, model };
  const writer = createWriter({ replica, scope, submit: (change) => parts.submit(core, change) });
  const writeMeta = (kind: 'insert' | 'update', name: string, id: string, fields: FieldValues): Write => {
    const collection = { domain: metaDomain, owned: false, single: id === singleId, fields: {} };
    return writer.write(null, { op: { kind, collection: name, id, fields }, collection });
  };
  const end = (): void => {
    if (scope.isClosed()) return;
    scope.close();
    parts.closed(core, end);
  };
  core.handles.add(end);
  const close = async (): Promise<void> => end();
  const room: Room = {
    id: core.id,
    title: about(core, scope, () => titleOf(core)),
    data: createData({ replica, model, writer, scope, mint: () => parts.mint(info().device) }),
    me: about(core, scope, () => myMember(people, known(core))),
    members: about(core, scope, () => known(core).members.map((member) => toMember(people, member))),
    invites: createInvites({ ...parts, scope }),
    status: about(core, scope, () => statusOf(parts)),
    rename: (title) => {
      expectTitle(title);
      return writeMeta('update', '$room', singleId, { title });
    },
    setProfile: (profile) => {
      const id = profileId(info().device);
      const kind = replica.table('$profiles').get(id) === null ? 'insert' : 'update';
      return writeMeta(kind, '$profiles', id, { ...profileData(profile) });
    },
    can: (action, target) => can(parts, action, target),
    transact: <R>(change: () => unknown) => writer.transact(change as () => R),
    attach: (transport) => {
      expectTransport(transport);
      info();
      return scope.own(parts.lending.attach(core.id, transport));
    },
    on: (type, run, o) => {
      expect(['rejected', 'error'].includes(type), 'type', "'rejected' or 'error'", type);
      expectFunction('fn', run);
      const signal = signalOf(o);
      const stops = [core.on(type, run)];
      const off = scope.own(() => stops.forEach((stop) => stop()));
      stops.push(onAbort(signal, off));
      return off;
    },
    leave: () => parts.forget(core.id),
    close,
    [Symbol.asyncDispose]: close,
  };
  // What the schema's types say of data and roles exists at compile time only.
  return Object.freeze(room) as Room<S>;
}

function known({ replica }: RoomCore): PageInfo {
  // A handle is made when the first view has come, and information is never taken back.
  return replica.info()!;
}

function titleOf({ replica }: RoomCore): string {
  const title = replica.table('$room').get(singleId)?.fields['title'];
  return typeof title === 'string' ? title : '';
}

function statusOf(parts: RoomParts): RoomStatus {
  const { core, storage } = parts;
  const { network, progress, undelivered, lastSyncedAtMs, schemas, blocked } = known(core);
  const unsaved = core.replica.unsaved().length;
  return {
    storage: storage(),
    network,
    progress,
    blocked,
    unsaved,
    undelivered: undelivered + unsaved,
    lastSyncedAt: lastSyncedAtMs === null ? null : new Date(lastSyncedAtMs),
    schema: compareSchemas(parts.model, schemas),
  };
}

/** By names alone: limits that differ are found when they matter. */
function compareSchemas({ declaration }: Model, schemas: PageInfo['schemas']): RoomStatus['schema'] {
  const names = (of: Declaration): string[] =>
    Object.entries(of.collections).flatMap(([name, { fields }]) =>
      Object.keys(fields).map((field) => `${name} ${field}`),
    );
  const mine = names(declaration);
  const published = new Set(schemas.flatMap((schema) => names(schema.declaration)));
  if (!mine.every((name) => published.has(name))) return 'app-is-newer';
  return published.size > mine.length ? 'app-is-older' : 'current';
}

function can({ core, model }: RoomParts, action: string, target: string | undefined): boolean {
  const info = known(core);
  const me = memberOf(info, info.me);
  if (action !== 'write') {
    const bit = own<number>(permissions, action);
    expect(bit !== undefined, 'action', "'write' or a permission", action);
    return me !== null && hasPermission(me.perms, bit);
  }
  const collections = Object.entries(model.declaration.collections);
  const targets = target === undefined ? collections : collections.filter(([name]) => name === target);
  expect(targets.length > 0, 'target', 'the name of a collection', target);
  return targets.some(([name, collection]) => mayWrite(info, { name, collection, id: null }));
}
