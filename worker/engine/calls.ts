import { toHex, type Bytes } from '../../src/core/base/index.js';
import { hasPermission, permissions } from '../../src/core/access/index.js';
import { decodeInviteCode } from '../../src/core/invite/index.js';
import {
  decodeDeclaration,
  defaultDomain,
  schemaPrefix,
  unionDeclarations,
  type Declaration,
} from '../../src/core/schema/index.js';
import type { CallArgs, CallName, CallResult, EngineStats } from '../../src/bridge/index.js';
import { callError, givenUp, toWireError } from './call-error.js';
import {
  addDomains,
  createGenesis,
  domainNames,
  foundRoom,
  isTooMany,
  maxDataDomains,
  schemaOps,
  writeMeta,
} from './create.js';
import { createInvite, revokeInvite } from './invites.js';
import { begunJoins, createJoins, type Joins } from './joins.js';
import type { EnginePorts } from './ports.js';
import { myGrant } from './room/core.js';
import { canAct } from './room/local.js';
import { newRow, putRoom } from './room/rows.js';
import type { OpenRoom, Rooms } from './rooms.js';
import { endCall, type Tab, type TabCall } from './tab.js';

/** What the calls of pages work on. */
export interface CallContext {
  readonly rooms: Rooms;
  readonly tabs: ReadonlyMap<string, Tab>;
  readonly tellClients: () => void;
  readonly stats: () => EngineStats;
}

/** Who asks. */
export interface CallOrigin {
  readonly tab: Tab;
  readonly call: TabCall;
}

/** What each call does. */
export type Calls = { readonly [N in CallName]: (from: CallOrigin, args: CallArgs<N>) => Promise<CallResult<N>> };

/** What pages may ask (bridge: EngineCalls). Each is safe to repeat, because a new leader is asked again. */
export function createCalls(ports: EnginePorts, c: CallContext): Calls {
  /** Two calls for one room at a time would make two rooms: creations run one after the other. */
  let creating: Promise<unknown> = Promise.resolve();
  const joins = createJoins(ports, c.rooms);
  return {
    open: async (from, a) => {
      const declaration = readDeclaration(a.declaration);
      const found = c.rooms.rowOf(a.room);
      return found && open(c, { ...from, room: found.room, declaration });
    },
    create: (from, a) => {
      const created = creating.then(() => create(ports, c, { ...from, a }));
      creating = created.catch(() => undefined);
      return created;
    },
    join: (from, a) => join(joins, c, { ...from, a }),
    cancel: ({ tab }, a) => {
      const call = tab.calls.get(a.call);
      if (call !== undefined) endCall(call, false);
      return Promise.resolve(null);
    },
    close: async ({ tab }, a) => {
      tab.rooms.delete(a.room);
      c.rooms.open().get(a.room)?.engine.views.close(tab.id);
      await c.rooms.release(a.room, tab.id);
      return null;
    },
    forget: async (_from, a) => {
      const found = c.rooms.rowOf(a.room);
      if (found !== null) await forget(c, found.room);
      return null;
    },
    erase: async () => {
      for (const { id } of c.rooms.list()) await forget(c, id);
      for (const room of await begunJoins(ports)) if (!c.rooms.open().has(room)) await c.rooms.forget(room);
      return null;
    },
    createInvite: async (_from, a) => createInvite(openRoom(c, a.room), a),
    revokeInvite: async (_from, a) => {
      await revokeInvite(openRoom(c, a.room).engine, a.invite);
      return null;
    },
    stats: () => Promise.resolve(c.stats()),
  };
}

/** Every tab that shows it is told, also when it failed: each asks for the room again, and learns whether it is gone. */
async function forget(c: CallContext, room: string): Promise<void> {
  try {
    await c.rooms.forget(room);
  } finally {
    for (const tab of c.tabs.values()) if (tab.rooms.delete(room)) tellClosed(tab, room);
  }
}

/** The tab does not have the room open, whatever it thinks. */
export function tellClosed(tab: Tab, room: string): void {
  tab.send({ t: 'room-error', room, error: toWireError(callError('room/closed', 'this tab does not have it open')) });
}

function openRoom(c: CallContext, room: string): OpenRoom {
  const found = c.rooms.open().get(room);
  if (found === undefined) throw callError('room/closed', 'the room is not open');
  return found;
}

interface Declared {
  readonly bytes: Bytes;
  readonly value: Declaration;
}

function readDeclaration(bytes: Bytes): Declared {
  const decoded = decodeDeclaration(bytes);
  if (!decoded.ok) throw new TypeError(`declaration: ${decoded.fault.detail}`);
  const { size } = domainNames(decoded.value);
  if (size > maxDataDomains)
    throw new RangeError(
      `declaration: domains: expected at most ${String(maxDataDomains)} with "${defaultDomain}", got ${String(size)}`,
    );
  return { bytes, value: decoded.value };
}

interface Opening extends CallOrigin {
  readonly room: string;
  readonly declaration: Declared;
}

async function open(c: CallContext, o: Opening): Promise<{ room: string }> {
  const room = await c.rooms.acquire(o.room, o.call.holder, () => o.call.isOver);
  return show(c, { ...o, room });
}

/** The tab shows the room from here on; its schema is published when that is new and this device may. */
async function show(
  c: CallContext,
  { tab, call, room, declaration }: Omit<Opening, 'room'> & { readonly room: OpenRoom },
): Promise<{ room: string }> {
  const { core } = room.engine;
  const conflict = conflictOf(room, declaration);
  if (conflict !== null) throw callError('schema/conflict', conflict);
  if (call.isOver) throw givenUp();
  tab.rooms.add(core.room);
  room.holders.add(tab.id);
  await room.engine.whenStored(() => {
    if (c.tabs.get(tab.id) === tab && tab.rooms.has(core.room)) room.engine.views.open(tab.id, tab.send);
  });
  // The room may close before it can sign: the next opening publishes.
  const published = publish(room, declaration).catch(() => undefined);
  if (canAct(core, room.engine.net.isCleared())) await published;
  return { room: core.room };
}

/** What the app declares otherwise than the room has it, in words for its developer; null: nothing. */
function conflictOf(room: OpenRoom, { bytes, value }: Declared): string | null {
  const { core } = room.engine;
  const { declarations } = core.state;
  if (declarations.has(toHex(schemaPrefix(bytes)))) return null;
  const published = [...declarations.values()].map(({ declaration }) => declaration);
  const clash = unionDeclarations([...published, value]).conflicts.find(({ index }) => index === published.length);
  if (clash === undefined) return isTooMany(core, value) ? 'the room has no place for that many domains more' : null;
  const field = clash.field === null ? '' : `, field "${clash.field}"`;
  return `${clash.part === 'role' ? 'role' : 'collection'} "${clash.name}"${field}: the room has it ${clash.detail}`;
}

async function publish(room: OpenRoom, declaration: Declared): Promise<void> {
  const { core, actSigning, net } = room.engine;
  const isPublished = (): boolean => core.state.declarations.has(toHex(schemaPrefix(declaration.bytes)));
  const mayPublish = (): boolean => hasPermission(myGrant(core)?.perms ?? 0, permissions.manageSchema);
  if (isPublished() || !mayPublish()) return;
  await actSigning(async (step) => {
    if (isPublished() || !mayPublish()) return;
    const domains = await addDomains(core, step, declaration.value);
    const units = await writeMeta(core, step, [...domains, ...schemaOps(core, declaration)]);
    step.effects.push(() => {
      net.sendUnits(units);
    });
  });
}

async function create(
  ports: EnginePorts,
  c: CallContext,
  o: CallOrigin & { readonly a: CallArgs<'create'> },
): Promise<{ room: string }> {
  const { call, a } = o;
  const declaration = readDeclaration(a.declaration);
  const known = (a.key !== null ? c.rooms.rowOf(a.key)?.room : undefined) ?? c.rooms.byRequest(a.request);
  if (typeof known === 'string') return open(c, { ...o, room: known, declaration });
  const keys = await ports.vault.createDeviceKeys();
  const boot = ports.random.bytes(8);
  const genesis = await createGenesis(ports, keys, boot);
  const roomId = genesis.entries[0]?.id;
  if (roomId === undefined) throw new TypeError('genesis without an entry');
  const row = newRow({ key: a.key, request: a.request, handle: keys.handle, title: a.title, boot });
  const core = c.rooms.newCore({ roomId, keys, boot, row });
  const room = c.rooms.adopt(core, call.holder, { start: 'new', isCold: ports.isCold === true });
  await room.engine.act(async (step) => {
    await foundRoom(core, step, { genesis, content: { title: a.title, declaration, profile: a.profile } });
    step.ops.push(putRoom(ports.vault, core.room, row));
  });
  if (call.isOver) await c.rooms.forget(core.room);
  else c.rooms.listed(core);
  return show(c, { ...o, room, declaration });
}

async function join(
  joins: Joins,
  c: CallContext,
  o: CallOrigin & { readonly a: CallArgs<'join'> },
): Promise<{ room: string }> {
  const { tab, call, a } = o;
  const declaration = readDeclaration(a.declaration);
  const code = decodeInviteCode(a.link);
  if (!code.ok) throw callError('invite/invalid', code.fault.detail);
  const started = joins.start({
    holder: call.holder,
    isOver: () => call.isOver,
    code: code.value,
    profile: a.profile,
    onStep: (step, progress) => {
      tab.send({ t: 'join', join: a.join, step, progress });
    },
  });
  call.ended = started.cancel;
  return show(c, { ...o, room: await started.room, declaration });
}
