/** Content of cores without pages: what parts of an engine are tested with. */
import { compareBytes, toBase64Url, toHex, type Bytes } from '../../src/core/base/index.js';
import { commitKey, commitment, entryId, entryKinds, type Entry } from '../../src/core/entry/index.js';
import { createRecordId } from '../../src/core/identity/index.js';
import { encodePayload, type Op } from '../../src/core/op/index.js';
import { encodeDeclaration, metaPrefix, schemaPrefix, type Declaration } from '../../src/core/schema/index.js';
import { act, give, signedUnit } from './core.kit.js';
import { domainName, domainOf, headOf, type Unit } from './replica/index.js';
import { sendEpoch, type RoomCore } from './room/core.js';
import { loadRoom } from './room/load.js';
import { takeWrites } from './room/local.js';
import { testDeclaration } from './rig.kit.js';

const zeros32 = new Uint8Array(32);

/** Id (hex) of the domain of that name; of meta too. */
export function domainNamed(core: RoomCore, name: string): string {
  const found = [...core.state.access.domains.keys()].find((key) => domainName(core.state, key) === name);
  if (found === undefined) throw new TypeError(`no domain ${name}`);
  return found;
}

/** The insert of a record by this device. */
export function insertOf(
  core: RoomCore,
  collection: string,
  fields: Readonly<Record<string, string>>,
): Extract<Op, { fields: unknown }> {
  return {
    kind: 'insert',
    collection,
    id: createRecordId(core.ports.random.bytes(12), core.keys.deviceId),
    fields,
  };
}

/** A payload of one op under a schema, by default that of the rig's app. */
export function payloadOf(op: Op, declaration: Declaration | null = testDeclaration): Bytes {
  const schema = declaration === null ? metaPrefix() : schemaPrefix(encodeDeclaration(declaration));
  return encodePayload({ schema, ops: [op] });
}

/** The rig's app in its next version, which has notes too. */
export const nextDeclaration: Declaration = {
  ...testDeclaration,
  collections: {
    ...testDeclaration.collections,
    notes: {
      domain: 'main',
      owned: false,
      single: false,
      fields: { text: { kind: 'string', maxLength: 10, need: 'required' } },
    },
  },
};

let counter = 0;

/** A transaction of a page of this device. */
export function write(
  core: RoomCore,
  domainHex: string,
  o: { readonly payload: Bytes; readonly isCleared?: boolean },
): ReturnType<typeof takeWrites> {
  const { payload, isCleared = true } = o;
  return act(core, (step) =>
    takeWrites(core, step, { writes: [{ tab: 'tab', prev: 0, n: ++counter, domainHex, payload }], isCleared }),
  );
}

/** Opens a declaration to the room. */
export async function publish(core: RoomCore, declaration: Declaration): Promise<void> {
  const op = insertOf(core, '$schema', { declaration: toBase64Url(encodeDeclaration(declaration)) });
  await write(core, domainNamed(core, 'meta'), { payload: payloadOf(op, null) });
}

/** Units come in one by one, and the room is read anew wherever it has to be; how often that was. */
export async function take(core: RoomCore, units: readonly Unit[]): Promise<number> {
  let reloads = 0;
  for (const unit of units) {
    if (!(await give(core, [unit])).some(({ mustReload }) => mustReload)) continue;
    await loadRoom(core);
    reloads++;
  }
  return reloads;
}

/** Entries of this device after `head`, as one unit, whatever it knows better; not taken in by itself. */
export async function forgeData(
  core: RoomCore,
  domainHex: string,
  o: {
    readonly entries: readonly { readonly payload: Bytes; readonly ms: number; readonly deps?: readonly Bytes[] }[];
    /** By default the end of its chain. */
    readonly head?: Pick<Entry, 'seq' | 'id'> | null;
  },
): Promise<Unit> {
  const [domain, kid] = [domainOf(core.state, domainHex), sendEpoch(core)?.kid];
  const prk = kid && core.state.prks.get(toHex(kid));
  if (domain === null || !kid || !prk) throw new TypeError('forgeData: nothing to write in');
  const key = commitKey(prk, domain.id, core.keys.deviceId);
  const entries: Entry[] = [];
  let head: Pick<Entry, 'seq' | 'id'> | null = o.head === undefined ? headOf(domain, core.device) : o.head;
  for (const { payload, ms, deps = [] } of o.entries) {
    const [seq, prev] = head === null ? [0, zeros32] : [head.seq + 1, head.id];
    const place = { roomId: core.roomId, domainId: domain.id, author: core.keys.deviceId, seq, prev };
    const body = {
      kind: entryKinds.data,
      boot: core.boot,
      cap: core.state.access.devices.get(core.device)?.record.entry.id ?? zeros32,
      kid,
      hlcMs: ms,
      hlcCtr: 0,
      deps: [...deps].sort(compareBytes),
      payload,
      commit: commitment(key, seq, payload),
    };
    const entry = { ...place, ...body, id: entryId(place, body) };
    entries.push(entry);
    head = entry;
  }
  return signedUnit(core, entries);
}

/** What shows of a collection, in order. */
export function textsOf(core: RoomCore, collection: string): unknown[] {
  return [...core.state.records.entries(collection)].map(([, { fields }]) => fields['text']).sort();
}
