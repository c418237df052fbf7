import type { PageInfo, PageUpdate, RecordUpdate } from '../bridge/index.js';
import { packRecords } from '../bridge/records.kit.js';
import { permissions } from '../core/access/index.js';
import { metaDomain } from '../core/schema/index.js';
import { createData } from './data.js';
import { collection, defineSchema, modelOf, single } from './schema.js';
import { s } from './fields.js';
import { createMint } from './ids.js';
import type { Change, Replica } from './replica.js';
import { createReplica } from './replica.js';
import type { Scope } from './signal.js';
import { createScope } from './signal.js';
import type { Data, Schema } from './types.js';
import type { Writer } from './writer.js';
import { createWriter } from './writer.js';

/** What most tests of the view write to. */
export const board = defineSchema({
  app: 'board',
  roles: { guest: { rank: 40, write: ['chat'] } },
  data: {
    cards: collection({
      text: s.string({ maxLength: 20 }).default(''),
      x: s.number(),
      kind: s.oneOf('box', 'note').default('box'),
      parent: s.ref('cards').optional(),
      extra: s.json().optional(),
      votes: s.counter(),
    }),
    chat: collection({ body: s.string() }, { owned: true, domain: 'chat' }),
    settings: single({ locked: s.boolean().default(false), opened: s.counter() }),
  },
});

/** What the ids of two devices end in. */
export const mine: string = `${'m'.repeat(21)}A`;
export const theirs: string = `${'t'.repeat(21)}A`;

/** A record id of a device: `name` fills its own part. */
export function idOf(name: string, creator: string = mine): string {
  return name.padEnd(16, '0') + creator;
}

const everything = Object.values(permissions).reduce((all, bit) => all | bit, 0);

/** A room of two members as the engine tells of it; this device is `me`. */
export function infoOf(
  schema: Schema,
  o: Partial<PageInfo> & { perms?: number; write?: readonly string[] | null } = {},
): PageInfo {
  const { perms = everything, write = null, ...rest } = o;
  const member = { rank: 10, online: true, invitedBy: null };
  return {
    device: mine,
    me: 'me',
    members: [
      { ...member, id: 'me', perms, write, devices: [mine] },
      { ...member, id: 'they', perms: everything, write: null, devices: [theirs] },
    ],
    invites: [],
    domains: { main: '01', chat: '02', [metaDomain]: '00' },
    schemas: [{ prefix: new Uint8Array(8), declaration: modelOf(schema).declaration }],
    network: 'up-to-date',
    progress: 1,
    stalled: false,
    undelivered: 0,
    lastSyncedAtMs: null,
    blocked: null,
    ...rest,
  };
}

/** A view with nothing behind it but the test. */
export interface Rig<S extends Schema> {
  readonly data: Data<S>;
  readonly writer: Writer;
  readonly replica: Replica;
  readonly scope: Scope;
  /** Changes handed to the engine, in order. */
  readonly sent: readonly Change[];
  /** A message of the engine. */
  readonly say: (update: Partial<PageUpdate>, rows?: readonly RecordUpdate[]) => void;
}

/** A rig whose first view has come. */
export function createRig<S extends Schema>(schema: S, info: PageInfo = infoOf(schema)): Rig<S> {
  const replica = createReplica();
  const scope = createScope();
  const sent: Change[] = [];
  const submit = (change: Change): void => {
    change.n = sent.push(change);
  };
  const writer = createWriter({ replica, scope, submit });
  const mint = createMint((length) => new Uint8Array(length));
  const data = createData<S>({ replica, model: modelOf(schema), writer, scope, mint: () => mint(mine) });
  let marks = { savedUpTo: 0, deliveredUpTo: 0 };
  const say: Rig<S>['say'] = (update, rows) => {
    const records = rows === undefined ? null : packRecords(rows);
    const { savedUpTo = marks.savedUpTo, deliveredUpTo = marks.deliveredUpTo } = update;
    marks = { savedUpTo, deliveredUpTo };
    replica.apply({ reset: false, records, info: null, rejected: [], ...update, ...marks });
  };
  say({ reset: true, info }, []);
  return { data, writer, replica, scope, sent, say };
}

/** A confirmed record. */
export function row(name: string, fields: RecordUpdate['fields'], o: Partial<RecordUpdate> = {}): RecordUpdate {
  return { collection: 'cards', id: idOf(name, theirs), fields, createdAtMs: 1000, delivered: true, ...o };
}
