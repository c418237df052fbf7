/** Reads a device's disk as a stranger to its engine would who holds its keys: what is there, in what state, and whether it stands by itself. */
import { readU16, readU48, toHex, type Bytes } from '../../src/core/base/index.js';
import type { Entry } from '../../src/core/entry/index.js';
import { decodePayload } from '../../src/core/op/index.js';
import type { RecordEntry } from '../../src/core/record/index.js';
import { storedBytes } from '../../src/ports/index.js';
import { createRoomCore, type RoomCore } from '../engine/room/core.js';
import { allDrafts } from '../engine/drafts.kit.js';
import { stateDifference } from '../engine/state.kit.js';
import { loadRoom } from '../engine/room/load.js';
import { roomIdOf } from '../engine/room/stored.js';
import { summaryOf } from '../engine/room/net/lacking.js';
import { readRoomRow } from '../engine/room/rows.js';
import { openUnit } from '../engine/room/units.js';
import { unitKeys } from '../engine/room/core.js';
import { createStepLoop } from '../engine/room/step.js';
import { domainName, domainOf, domainsInOrder, idAt } from '../engine/replica/index.js';
import type { MemoryDisk } from '../storage/index.js';
import type { Device, DeviceWorld } from './device.kit.js';
import { createNodeVault, nodeDeflate } from './platform.kit.js';

/** One entry with effect, as this disk has it. */
export interface AuditedEntry {
  readonly author: string;
  readonly domain: string;
  readonly entry: Entry;
}

/** What a disk amounts to. */
export interface Audit {
  readonly core: RoomCore;
  /** Root per domain: equal roots, equal sets. */
  readonly roots: ReadonlyMap<string, string>;
  /** Every admitted entry of every data domain and meta. */
  readonly entries: readonly AuditedEntry[];
  /** Those of them that have an effect, as a fold needs them. */
  readonly effective: readonly RecordEntry[];
  readonly drafts: readonly Bytes[];
  /** Faults that reading the disk met. */
  readonly faults: ReadonlyMap<string, number>;
  /** The first raw epoch keys, to look for them elsewhere. */
  readonly secrets: readonly Bytes[];
}

/** Null when the room is not on this disk. */
export async function auditDisk(
  world: DeviceWorld,
  device: Device,
  { room, disk: at = device.disk() }: { readonly room: string; readonly disk?: MemoryDisk },
): Promise<Audit | null> {
  const disk = at.copy();
  const generation = await disk.raiseGeneration();
  const store = disk.open(generation);
  const random = { bytes: device.chance.fork('audit').bytes };
  const vault = createNodeVault({ dataKey: device.dataKey, random, memo: world.memo });
  const time = { now: device.nowMs, after: () => () => undefined };
  const ports = { store, vault, random, time, deflate: nodeDeflate, generation, durability: 'durable' as const };
  const [stored] = await store.list('rooms', [room]);
  const row = stored && readRoomRow(stored.value);
  const roomId = stored && roomIdOf(stored);
  const keys = row && (await vault.openDeviceKeys(row.handle));
  if (!row || !roomId || !keys) return null;
  const loop = createStepLoop({
    store,
    committed: () => undefined,
    failed: () => Promise.resolve(),
    report: world.failed,
  });
  const one = { ports, roomId, keys, boot: new Uint8Array(8), row, loop };
  const core = createRoomCore(one);
  await loadRoom(core, { isReplay: true });
  const opened = createRoomCore(one);
  await loadRoom(opened);
  const differing = opened.snapshot?.isBad === false ? stateDifference(opened, core) : null;
  if (differing !== null) world.failed(new Error(`a snapshot of ${device.name} says something else:\n${differing}`));
  const entries = await entriesOf(core);
  const effective: RecordEntry[] = [];
  for (const { author, entry } of entries) {
    const payload = entry.payload && decodePayload(entry.payload);
    if (payload?.ok === true && !core.state.voids.has(toHex(entry.id)))
      effective.push({ author, hlc: { ms: entry.hlcMs, ctr: entry.hlcCtr }, ops: payload.value.ops });
  }
  const roots = new Map<string, string>();
  for (const key of domainsInOrder(core.state)) {
    const domain = domainOf(core.state, key);
    if (domain !== null) roots.set(key, toHex(summaryOf(domain).root));
  }
  return {
    core,
    roots,
    entries,
    effective,
    drafts: (await allDrafts(core)).map(({ payload }) => payload),
    faults: core.faults,
    secrets: [...core.epochKeys.values()],
  };
}

/** The admitted entries with their payloads, from the packs themselves. */
async function entriesOf(core: RoomCore): Promise<AuditedEntry[]> {
  const found = new Map<string, AuditedEntry>();
  for (const row of await core.ports.store.list('packs', [core.room])) {
    const bytes = storedBytes(row.value);
    const unit = bytes && (await openUnit(bytes, { ports: core.ports, keys: unitKeys(core) }));
    if (unit?.ok !== true) continue;
    const [domainHex, author] = [toHex(unit.value.domainId), toHex(unit.value.author)];
    const chain = domainOf(core.state, domainHex)?.chainsByAuthor.get(author);
    for (const entry of unit.value.entries) {
      const id = toHex(entry.id);
      const isAdmitted = toHex(idAt(chain, entry.seq) ?? new Uint8Array(0)) === id;
      const name =
        domainHex === toHex(new Uint8Array(32)) ? 'control' : (domainName(core.state, domainHex) ?? domainHex);
      if (isAdmitted && name !== 'control') found.set(id, { author, domain: name, entry });
    }
  }
  return [...found.values()];
}

/** How far each chain's packs on a disk reach, from their clear headers alone: a cheap first look. */
export function reachOf(device: Device): string {
  const ends = new Map<string, number>();
  for (const { key, value } of device.disk().dump().get('packs') ?? []) {
    const pack = storedBytes(value);
    if (pack === null) continue;
    const chain = `${String(key[1])}/${String(key[2])}`;
    ends.set(chain, Math.max(ends.get(chain) ?? 0, readU48(pack, 6) + readU16(pack, 4)));
  }
  return [...ends]
    .map(([chain, end]) => `${chain} ${String(end)}`)
    .sort()
    .join();
}
