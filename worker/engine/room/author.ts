import { compareBytes, fail, fromHex, ok, toHex, type Bytes, type Result } from '../../../src/core/base/index.js';
import { controlKind, encodeControl, type ControlPayload } from '../../../src/core/access/index.js';
import { compareHlc, maxHlc, nextHlc, type Hlc } from '../../../src/core/clock/index.js';
import {
  commitKey,
  commitment,
  createCommitments,
  createEntryIds,
  entryId,
  entryKinds,
  headMessage,
  maxDataDeps,
  maxDeps,
  type Entry,
} from '../../../src/core/entry/index.js';
import { maxUnitEntries } from '../../../src/core/pack/index.js';
import {
  admitUnit,
  controlId,
  controlKey,
  countOf,
  domainOf,
  headOf,
  type DomainReplica,
  type PackPlace,
  type Unit,
} from '../replica/index.js';
import { maxRowWeight, weightOf } from './drafts/row.js';
import { bump, keepJoinKey, now, ownWaits, sendEpoch, unitKeys, type RoomCore } from './core.js';
import { putBranch, putPack } from './rows.js';
import type { Step } from './step.js';
import { forwardedKid, sealUnit } from './units.js';

const zeros32 = new Uint8Array(32);
/**
 * Payload bytes of one unit, weighed with {@link weightOf}: what is written now goes out as one LIVE frame (X7), where its
 * columns take no more than that. What is larger would have to wait for a beacon.
 */
const maxUnitPayloadBytes = 13_500;
/** Of many at once: what draft rows hold, too; under the bounds of a unit (F8). */
const maxBulkPayloadBytes: number = maxRowWeight;

/** A local transaction on its way into a chain. */
export interface Signable {
  readonly hlc: Hlc;
  readonly payload: Bytes;
}

/** The next local time: strictly after everything seen. */
export function tick(core: RoomCore): Hlc {
  core.lastHlc = nextHlc(core.lastHlc, now(core));
  return core.lastHlc;
}

/**
 * Signs transactions of one domain, in order, into as few units as the bounds allow: one signature per unit, and always
 * one at seq = 1023 mod 1024, where everybody may cut (F8). The caller has checked that this device may write.
 */
export async function signData(
  core: RoomCore,
  o: { readonly domainHex: string; readonly items: readonly Signable[]; readonly isBulk?: boolean },
): Promise<Unit[]> {
  const { domainHex, items, isBulk = false } = o;
  const domain = domainOf(core.state, domainHex);
  const epoch = sendEpoch(core);
  const grant = core.state.access.devices.get(core.device);
  const prk = epoch && core.state.prks.get(toHex(epoch.kid));
  if (domain === null || epoch === null || grant === undefined || !prk || ownWaits(core, domainHex))
    throw new TypeError('signData: not ready to sign');
  const commitmentOf = createCommitments(commitKey(prk, domain.id, core.keys.deviceId));
  const entryIdOf = createEntryIds();
  const units: Unit[] = [];
  let head = headOf(domain, core.device);
  const limit = Math.min(maxDataDeps, core.state.access.limits.maxDeps);
  for (const batch of splitForUnits(items, { firstSeq: (head?.seq ?? -1) + 1, isBulk })) {
    const entries: Entry[] = [];
    const [fromSeq, prevId] = [(head?.seq ?? -1) + 1, head?.id ?? zeros32];
    for (const item of batch) {
      const seq = fromSeq + entries.length;
      const place = {
        roomId: core.roomId,
        domainId: domain.id,
        author: core.keys.deviceId,
        seq,
        prev: entries.at(-1)?.id ?? prevId,
      };
      const body = {
        kind: entryKinds.data,
        boot: core.boot,
        cap: grant.record.entry.id,
        kid: epoch.kid,
        hlcMs: item.hlc.ms,
        hlcCtr: item.hlc.ctr,
        deps: seq === fromSeq ? foreignHeads(domain, core.device, { limit, before: item.hlc }) : [],
        payload: item.payload,
        commit: commitmentOf(seq, item.payload),
      };
      entries.push({ ...place, ...body, id: entryIdOf(place, body) });
    }
    const unit = await signUnit(core, { domainId: domain.id, fromSeq, prevId, entries });
    const last = entries.at(-1);
    if (last !== undefined) head = { seq: last.seq, id: last.id, hlc: { ms: last.hlcMs, ctr: last.hlcCtr } };
    units.push(unit);
  }
  return units;
}

function splitForUnits(
  items: readonly Signable[],
  { firstSeq, isBulk }: { readonly firstSeq: number; readonly isBulk: boolean },
): Signable[][] {
  const maxBytes = isBulk ? maxBulkPayloadBytes : maxUnitPayloadBytes;
  const batches: Signable[][] = [];
  let bytes = 0;
  for (const [i, item] of items.entries()) {
    const isCut = (firstSeq + i) % maxUnitEntries === 0 || bytes + weightOf(item) > maxBytes;
    const current = batches.at(-1);
    if (current === undefined || isCut) {
      batches.push([item]);
      bytes = 0;
    } else current.push(item);
    bytes += weightOf(item);
  }
  return batches;
}

async function signUnit(core: RoomCore, run: Omit<Unit, 'author' | 'endSig'>): Promise<Unit> {
  const last = run.entries.at(-1);
  if (last === undefined) throw new TypeError('signUnit: no entries');
  const endSig = await core.ports.vault.sign(core.keys, headMessage(last.roomId, run.domainId, last));
  return { ...run, author: core.keys.deviceId, endSig };
}

/** The newest heads of other chains that lie before a time, ascending by id: what the writer has seen (F13). */
function foreignHeads(domain: DomainReplica, device: string, o: { limit: number; before: Hlc }): Bytes[] {
  const heads: { id: Bytes; hlc: Hlc }[] = [];
  for (const author of domain.chainsByAuthor.keys()) {
    const head = author === device ? null : headOf(domain, author);
    if (head !== null && compareHlc(head.hlc, o.before) < 0) heads.push(head);
  }
  heads.sort((a, b) => compareHlc(b.hlc, a.hlc));
  return heads
    .slice(0, o.limit)
    .map((head) => head.id)
    .sort(compareBytes);
}

/**
 * Writes one control entry of this device: its own unit with its own signature, after everything this device knows of
 * control. With more heads than one entry may name, `fold` entries come first (F13).
 */
export async function writeControl(core: RoomCore, step: Step, payload: ControlPayload): Promise<Unit> {
  const unit = await tryControl(core, step, payload);
  if (!unit.ok) throw new TypeError(`own ${payload.kind} was not admitted: ${unit.fault.code}`);
  return unit.value;
}

/** As {@link writeControl} where what others wrote may be against it: then its fault, and at most folds are written. */
export async function tryControl(core: RoomCore, step: Step, payload: ControlPayload): Promise<Result<Unit>> {
  while (newControlHeads(core).length > maxDeps) {
    const fold = await writeOne(core, step, { kind: 'fold' });
    if (!fold.ok) return fold;
  }
  return writeOne(core, step, payload);
}

async function writeOne(core: RoomCore, step: Step, payload: ControlPayload): Promise<Result<Unit>> {
  if (ownWaits(core, controlKey)) return fail('entry/missing-prev');
  const unit = await signControl(core, payload);
  // It must come after what is here, even where that is ahead of the room's time: others may hold it (F17), its author does not.
  const outcome = admitUnit(core.state, unit, { roomNowMs: Number.MAX_SAFE_INTEGER });
  if (outcome.outcome !== 'admitted')
    return 'fault' in outcome ? { ok: false, fault: outcome.fault } : fail('control/fork');
  await storeUnit(core, step, unit);
  // Who opens the room alone signs at once as long as nobody else was ever granted (F10): that must not be lost.
  if (payload.kind === 'grant') step.strict = true;
  step.infoChanged = true;
  return ok(unit);
}

async function signControl(core: RoomCore, payload: ControlPayload): Promise<Unit> {
  const own = headOf(core.state.control, core.device);
  const isGenesis = payload.kind === 'genesis';
  const seq = own === null ? 0 : own.seq + 1;
  const prev = own?.id ?? zeros32;
  const place = {
    roomId: isGenesis ? zeros32 : core.roomId,
    domainId: controlId,
    author: core.keys.deviceId,
    seq,
    prev,
  };
  const bytes = encodeControl(payload);
  const hlc = tick(core);
  const grant = core.state.access.devices.get(core.device);
  const body = {
    kind: controlKind(payload),
    boot: core.boot,
    cap: isGenesis ? zeros32 : (grant?.record.entry.id ?? zeros32),
    kid: zeros32,
    hlcMs: hlc.ms,
    hlcCtr: hlc.ctr,
    deps: newControlHeads(core).slice(0, maxDeps).sort(compareBytes),
    payload: bytes,
    commit: commitment(commitKey(null, controlId, core.keys.deviceId), seq, bytes),
  };
  const entry: Entry = { ...place, ...body, id: entryId(place, body) };
  return signUnit(core, { domainId: controlId, fromSeq: seq, prevId: prev, entries: [entry] });
}

/** Heads of other control chains that are not in this device's past yet. */
function newControlHeads(core: RoomCore): Bytes[] {
  const own = headOf(core.state.control, core.device);
  const past = own && core.state.recordsById.get(toHex(own.id))?.past;
  const heads: Bytes[] = [];
  for (const [author, chain] of core.state.control.chainsByAuthor) {
    const head = chain.loaded.ids.at(-1);
    if (author === core.device || head === undefined) continue;
    if ((past?.get(author) ?? 0) < countOf(chain)) heads.push(head);
  }
  return heads;
}

/**
 * Adds an admitted unit to the step's commit: as the pack in which it came, when its sealer vouches for that (F2, F4), else
 * as one sealed by this device.
 */
export async function storeUnit(core: RoomCore, step: Step, unit: Unit, pack: Bytes | null = null): Promise<void> {
  const kid = pack && forwardedKid(pack);
  if (kid !== null) keepJoinKey(core, step, toHex(kid));
  const bytes = pack !== null && kid !== null ? pack : await sealOwn(core, step, unit);
  step.ops.push(
    putPack(core.room, { domain: toHex(unit.domainId), author: toHex(unit.author), fromSeq: unit.fromSeq }, bytes),
  );
  bump(core, 'bytesStored', bytes.length);
  // Of others only what is admitted moves the own time: a pack may hold more (F17).
  if (toHex(unit.author) === core.device)
    for (const { hlcMs, hlcCtr } of unit.entries) core.lastHlc = maxHlc(core.lastHlc, { ms: hlcMs, ctr: hlcCtr });
}

/** Adds a branch that does not stand to the step's commit: the proof of a fork, and what others built on (F6). */
export async function storeBranch(core: RoomCore, step: Step, unit: Unit): Promise<PackPlace> {
  const branch = toHex(unit.entries[0]?.id ?? zeros32);
  const bytes = await sealOwn(core, step, unit);
  const { fromSeq } = unit;
  const chain = { domain: toHex(unit.domainId), author: toHex(unit.author) };
  step.ops.push(putBranch(core.room, { ...chain, fromSeq, branch }, bytes));
  return { fromSeq, count: unit.entries.length, branch };
}

async function sealOwn(core: RoomCore, step: Step, unit: Unit): Promise<Bytes> {
  const kid = sealKid(core);
  keepJoinKey(core, step, toHex(kid));
  return sealUnit(unit, { kid, device: core.keys.deviceId }, { ports: core.ports, keys: unitKeys(core) });
}

/** The epoch to seal stored packs under: the send rule's, else (nothing leaves under it) any held one, whose key is kept. */
export function sealKid(core: RoomCore): Bytes {
  const held = [...core.epochKeys.keys()].sort();
  const named = held.find((kid) => core.state.access.kids.has(kid)) ?? held.find((kid) => core.keptKids.has(kid));
  const kid = sendEpoch(core)?.kid ?? fromHex(named ?? held[0] ?? '');
  if (kid?.length !== 32) throw new TypeError('storeUnit: no epoch key is held');
  return kid;
}
