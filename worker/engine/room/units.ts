import {
  copyBytes,
  fail,
  isZero,
  ok,
  toHex,
  type Bytes,
  type Fault,
  type Result,
} from '../../../src/core/base/index.js';
import { headMessage } from '../../../src/core/entry/index.js';
import {
  decodeBody,
  decodePack,
  encodeBody,
  openPack,
  packSealMessage,
  rebuildRun,
  sealPack,
  withSealSignature,
  type BodyEntry,
  type RunPlace,
  type SealedPack,
} from '../../../src/core/pack/index.js';
import type { DeviceKeys } from '../../../src/ports/index.js';
import type { EnginePorts } from '../ports.js';
import type { Unit } from '../replica/index.js';

/** Bodies smaller than this are not worth a trip through deflate. */
export const minDeflateBytes = 512;

/** What opening and sealing needs of a room. */
export interface UnitKeys {
  readonly roomId: Bytes;
  readonly prkOf: (kidHex: string) => Bytes | null;
}

/** A unit as a stored pack, sealed by this device under `sealKid`; the sealer's signature is added when it leaves (F2). */
export async function sealUnit(
  unit: Unit,
  seal: { readonly kid: Bytes; readonly device: Bytes },
  c: { readonly ports: EnginePorts; readonly keys: UnitKeys },
): Promise<Bytes> {
  const prk = c.keys.prkOf(toHex(seal.kid));
  const last = unit.entries.at(-1);
  if (prk === null || last === undefined) throw new TypeError('sealUnit: needs a held epoch and an entry');
  const columns = unitColumns(unit);
  const smaller = columns.length >= minDeflateBytes ? await c.ports.deflate.deflate(columns) : columns;
  const deflated = smaller.length < columns.length;
  const stored = deflated ? smaller : columns;
  const header = {
    deflated,
    count: unit.entries.length,
    fromSeq: unit.fromSeq,
    domainId: unit.domainId,
    author: unit.author,
    prevId: unit.prevId,
    endId: last.id,
    endSig: unit.endSig,
    sealKid: seal.kid,
    sealer: seal.device,
  };
  const random32 = c.ports.random.bytes(32);
  return sealPack(header, { columns, stored }, { prk, roomId: c.keys.roomId, random32 });
}

/** Those of a unit that is stored now and sent then are made once. */
const known = new WeakMap<Unit, Bytes>();

/** The columns of a unit as a pack and a live frame carry them. */
export function unitColumns(unit: Unit): Bytes {
  let columns = known.get(unit);
  if (columns === undefined) known.set(unit, (columns = encodeBody(unit.entries.map(bodyOf))));
  return columns;
}

function bodyOf(entry: Unit['entries'][number]): BodyEntry {
  const { kind, boot, cap, kid, hlcMs, hlcCtr, deps, payload, commit } = entry;
  return { kind, boot, cap, kid, hlcMs, hlcCtr, deps, payload, commit: payload === null ? commit : null };
}

/** A pack with the sealer's signature, which only the sealer can add. */
export async function signSeal(
  bytes: Bytes,
  keys: DeviceKeys,
  c: { readonly ports: EnginePorts; readonly roomId: Bytes },
): Promise<Bytes> {
  return withSealSignature(bytes, await c.ports.vault.sign(keys, packSealMessage(c.roomId, bytes)));
}

/**
 * Opens a pack as far as its copy can prove itself: seal, body, commitments, ids. The author's signature is not checked yet.
 * `after`: an entry within it whose id is known; of a pack of this disk, which was opened whole before it was stored, what
 * comes behind is opened alone.
 */
export async function openUnit(
  bytes: Bytes,
  c: { readonly ports: EnginePorts; readonly keys: UnitKeys },
  after: EntryPlace | null = null,
): Promise<Result<Unit>> {
  const pack = decodePack(bytes);
  if (!pack.ok) return pack;
  const prk = c.keys.prkOf(toHex(pack.value.sealKid));
  if (prk === null) return fail('pack/unknown-key', toHex(pack.value.sealKid));
  const opened = openPack(pack.value, { prk, roomId: c.keys.roomId });
  if (!opened.ok) return opened;
  const { stored, rawLength } = opened.value;
  const columns = pack.value.deflated ? await c.ports.deflate.inflate(stored, rawLength) : stored;
  if (columns?.length !== rawLength) return fail('pack/bad-body');
  return rebuildUnit({ columns, after }, pack.value, c);
}

/** An entry as others name it. */
export interface EntryPlace {
  readonly seq: number;
  readonly id: Bytes;
}

function rebuildUnit(
  { columns, after }: { readonly columns: Bytes; readonly after: EntryPlace | null },
  pack: SealedPack,
  { ports, keys }: { readonly ports: EnginePorts; readonly keys: UnitKeys },
): Result<Unit> {
  const fromSeq = after === null ? pack.fromSeq : after.seq + 1;
  const bodies = decodeBody(columns, pack.count, fromSeq - pack.fromSeq);
  if (!bodies.ok) return bodies;
  // Nothing asks for a missing payload in this version, so a copy without one is a bad copy (F1).
  if (bodies.value.some((body) => body.payload === null)) return fail('pack/bad-body');
  const { endId } = pack;
  const [domainId, author] = [copyBytes(pack.domainId), copyBytes(pack.author)];
  const [prevId, endSig] = [copyBytes(after?.id ?? pack.prevId), copyBytes(pack.endSig)];
  const isAnyEnd = ports.weaknesses?.has('commitment') === true;
  const run: RunPlace = { roomId: keys.roomId, domainId, author, fromSeq, prevId, endId: isAnyEnd ? null : endId };
  const entries = rebuildRun(run, bodies.value, keys.prkOf);
  if (!entries.ok) return entries;
  // What is signed is the id: without the commitment behind it any payload passes under it.
  if (isAnyEnd) entries.value.push(...entries.value.splice(-1).map((last) => ({ ...last, id: copyBytes(endId) })));
  return ok({ domainId, author, prevId, endSig, fromSeq, entries: entries.value });
}

/** Checks the author's signature of the unit's last entry (F3). Code: 'pack/bad-signature'. */
export async function verifyUnit(
  unit: Unit,
  c: { readonly ports: EnginePorts; readonly roomId: Bytes },
): Promise<Fault | null> {
  if (c.ports.weaknesses?.has('signature') === true) return null;
  const last = unit.entries.at(-1);
  if (last === undefined) return fail('pack/malformed').fault;
  const isGenesis = isZero(last.roomId);
  const message = headMessage(isGenesis ? last.roomId : c.roomId, unit.domainId, last);
  const [isGood] = await c.ports.vault.verify([{ publicKey: unit.author, message, signature: unit.endSig }]);
  return isGood === true ? null : fail('pack/bad-signature').fault;
}

/** The key id of a pack that carries a signature of its sealer, good or not, and so has left its device before; else null. */
export function forwardedKid(bytes: Bytes): Bytes | null {
  const pack = decodePack(bytes);
  return pack.ok && !isZero(pack.value.sealSig) ? pack.value.sealKid : null;
}

/** Whether the sealer signed this copy: then a bad copy is charged to the sealer, not to who brought it (F2). */
export async function isSealSigned(
  bytes: Bytes,
  c: { readonly ports: EnginePorts; readonly roomId: Bytes },
): Promise<Bytes | null> {
  const pack = decodePack(bytes);
  if (!pack.ok || isZero(pack.value.sealSig)) return null;
  const job = {
    publicKey: copyBytes(pack.value.sealer),
    message: packSealMessage(c.roomId, bytes),
    signature: copyBytes(pack.value.sealSig),
  };
  const [isGood] = await c.ports.vault.verify([job]);
  return isGood === true ? job.publicKey : null;
}
