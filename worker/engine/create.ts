import { toBase64Url, toHex, type Bytes } from '../../src/core/base/index.js';
import { encodeControl, permissions } from '../../src/core/access/index.js';
import { commitKey, commitment, entryId, entryKinds, headMessage, type Entry } from '../../src/core/entry/index.js';
import { maxHlc, nextHlc, zeroHlc } from '../../src/core/clock/index.js';
import { bindMessage, createRecordId, profileRecordId, singleRecordId } from '../../src/core/identity/index.js';
import { encodePayload, type Op } from '../../src/core/op/index.js';
import { addChanged } from '../../src/core/record/index.js';
import { defaultDomain, metaPrefix, type Declaration } from '../../src/core/schema/index.js';
import type { ProfileData } from '../../src/bridge/index.js';
import type { DeviceKeys } from '../../src/ports/index.js';
import { callError } from './call-error.js';
import type { EnginePorts } from './ports.js';
import { admitUnit, codeOf, controlId, type Unit } from './replica/index.js';
import { signData, storeUnit, tick, writeControl } from './room/author.js';
import { now, type RoomCore } from './room/core.js';
import { mintEpoch } from './room/epochs.js';
import type { Step } from './room/step.js';
import { noteUndelivered } from './room/undelivered.js';

/** Limits of the rooms this version makes; consensus data of each room (genesis). */
const roomLimits = { maxPayload: 128 * 1024, maxDeps: 32, maxControl: 12 * 1024, maxDomains: 16 };
/** Domains for records in a room that this version makes: `meta` is one of them all. */
export const maxDataDomains: number = roomLimits.maxDomains - 1;
const zeros32 = new Uint8Array(32);
const ruleset = 1;

/** The first entry of a new room; its id is the room's. */
export async function createGenesis(ports: EnginePorts, keys: DeviceKeys, boot: Bytes): Promise<Unit> {
  const nonce = ports.random.bytes(32);
  const bind = await ports.vault.sign(keys, bindMessage(nonce, keys.x25519));
  const payload = encodeControl({
    kind: 'genesis',
    ruleset,
    nonce,
    x25519: keys.x25519,
    bind,
    recovery: new Uint8Array(0),
    limits: roomLimits,
  });
  const hlc = nextHlc(zeroHlc, ports.time.now());
  const place = { roomId: zeros32, domainId: controlId, author: keys.deviceId, seq: 0, prev: zeros32 };
  const body = {
    kind: entryKinds.genesis,
    boot,
    cap: zeros32,
    kid: zeros32,
    hlcMs: hlc.ms,
    hlcCtr: hlc.ctr,
    deps: [],
    payload,
    commit: commitment(commitKey(null, controlId, keys.deviceId), 0, payload),
  };
  const entry: Entry = { ...place, ...body, id: entryId(place, body) };
  const endSig = await ports.vault.sign(keys, headMessage(zeros32, controlId, entry));
  return { domainId: controlId, author: keys.deviceId, fromSeq: 0, prevId: zeros32, entries: [entry], endSig };
}

/** What a new room says of itself in `meta`. */
export interface RoomContent {
  readonly title: string;
  readonly declaration: { readonly bytes: Bytes; readonly value: Declaration };
  readonly profile: ProfileData;
}

/** Everything a new room consists of, in one strict commit: genesis, first epoch, domains, and the entry in `meta`. */
export async function foundRoom(
  core: RoomCore,
  step: Step,
  o: { readonly genesis: Unit; readonly content: RoomContent },
): Promise<void> {
  const outcome = admitUnit(core.state, o.genesis, { roomNowMs: now(core) });
  if (outcome.outcome !== 'admitted') throw new TypeError(`own genesis was not admitted: ${codeOf(outcome)}`);
  // Before it is stored: the epoch it is sealed under must come after it, also within one millisecond.
  for (const { hlcMs, hlcCtr } of outcome.entries) core.lastHlc = maxHlc(core.lastHlc, { ms: hlcMs, ctr: hlcCtr });
  await mintEpoch(core, step);
  await storeUnit(core, step, o.genesis);
  await writeControl(core, step, { kind: 'domain', scope: zeros32, isMeta: true, nonce: core.ports.random.bytes(16) });
  const domains = await addDomains(core, step, o.content.declaration.value);
  await writeMeta(core, step, [
    { kind: 'update', collection: '$room', id: singleRecordId(), fields: { title: o.content.title } },
    profileOp(core, o.content.profile),
    ...domains,
    ...schemaOps(core, o.content.declaration),
  ]);
  step.strict = true;
}

/** Data domains that a declaration says of; every room has `main`. */
export function domainNames(declaration: Declaration): ReadonlySet<string> {
  return new Set([defaultDomain, ...Object.values(declaration.collections).map(({ domain }) => domain)]);
}

/** Of those the ones that the room does not have, in order. */
function newDomains(core: RoomCore, declaration: Declaration): string[] {
  const known = new Set(core.state.domainNames.values());
  return [...domainNames(declaration)].filter((name) => !known.has(name)).sort();
}

/** Whether the room has no place left for the domains of a declaration (AUTH-10). */
export function isTooMany(core: RoomCore, declaration: Declaration): boolean {
  const { domains, limits } = core.state.access;
  return domains.size + newDomains(core, declaration).length > limits.maxDomains;
}

/**
 * Makes the data domains a declaration names and the room has not; gives the ops that name them in `meta`. When there is
 * no place for them that is a CallError.
 */
export async function addDomains(core: RoomCore, step: Step, declaration: Declaration): Promise<Op[]> {
  if (isTooMany(core, declaration)) throw callError('schema/conflict', 'the room has no place for so many domains');
  const ops: Op[] = [];
  for (const name of newDomains(core, declaration)) {
    const unit = await writeControl(core, step, {
      kind: 'domain',
      scope: zeros32,
      isMeta: false,
      nonce: core.ports.random.bytes(16),
    });
    const id = unit.entries[0]?.id;
    if (id !== undefined)
      ops.push({ kind: 'insert', collection: '$domains', id: newRecordId(core), fields: { name, domain: toHex(id) } });
  }
  return ops;
}

/** Publishes a declaration, and names for its roles that have none yet. */
export function schemaOps(core: RoomCore, declaration: { readonly bytes: Bytes; readonly value: Declaration }): Op[] {
  const ops: Op[] = [
    {
      kind: 'insert',
      collection: '$schema',
      id: newRecordId(core),
      fields: { declaration: toBase64Url(declaration.bytes) },
    },
  ];
  const named = new Set<unknown>();
  for (const [, record] of core.state.records.entries('$roles')) named.add(record.fields['name']);
  for (const [name, role] of Object.entries(declaration.value.roles)) {
    if (named.has(name)) continue;
    const perms = role.can.reduce(
      (bits, permission) => bits | permissions[permission],
      permissions.read | (role.write === 'none' ? 0 : permissions.write),
    );
    ops.push({
      kind: 'insert',
      collection: '$roles',
      id: newRecordId(core),
      fields: { name, rank: role.rank, perms, write: role.write },
    });
  }
  return ops;
}

/** This device's own profile record: the insert that makes it. */
export function profileOp(core: RoomCore, profile: ProfileData): Op {
  return {
    kind: 'insert',
    collection: '$profiles',
    id: profileRecordId(core.keys.deviceId),
    fields: { name: profile.name, color: profile.color },
  };
}

/** One signed transaction in `meta` by this device. */
export async function writeMeta(core: RoomCore, step: Step, ops: readonly Op[]): Promise<readonly Unit[]> {
  const meta = [...core.state.access.domains].find(([, domain]) => domain.isMeta)?.[0];
  if (meta === undefined) throw new TypeError('writeMeta: the room has no meta domain yet');
  const items = [{ hlc: tick(core), payload: encodePayload({ schema: metaPrefix(), ops }) }];
  const units = await signData(core, { domainHex: meta, items });
  for (const unit of units) {
    const outcome = admitUnit(core.state, unit, { roomNowMs: Number.MAX_SAFE_INTEGER });
    if (outcome.outcome !== 'admitted' || outcome.voided.length > 0)
      throw new TypeError(`own meta entry has no effect: ${codeOf(outcome)}`);
    addChanged(step.changed, outcome.changed);
    await storeUnit(core, step, unit);
    noteUndelivered(core, unit.entries);
  }
  step.infoChanged = true;
  return units;
}

function newRecordId(core: RoomCore): Bytes {
  return createRecordId(core.ports.random.bytes(12), core.keys.deviceId);
}
