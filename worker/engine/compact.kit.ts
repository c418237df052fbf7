/** Rooms of many small packs, and idle time for them: what compaction is tested with. */
import { copyBytes, toHex } from '../../src/core/base/index.js';
import { createReassembly, createSendWindow } from '../../src/core/flow/index.js';
import { toClockEntries } from '../../src/core/reconcile/index.js';
import { decodeFragment, decodeSyncDone, frameTypes, type SyncReq } from '../../src/core/wire/index.js';
import { storedBytes, type Time } from '../../src/ports/index.js';
import type { MemoryDisk } from '../storage/index.js';
import { foundCore, give, linkTo, memberCore, peerOf, reopen } from './core.kit.js';
import { domainNamed, insertOf, payloadOf } from './content.kit.js';
import { admitUnit, domainOf, type Chain, type Unit } from './replica/index.js';
import type { EnginePorts } from './ports.js';
import { signData, tick } from './room/author.js';
import { createCompactor } from './room/compact.js';
import { unitKeys, type RoomCore } from './room/core.js';
import { clockOf } from './room/net/lacking.js';
import { serve } from './room/net/source.js';
import { openUnit, verifyUnit } from './room/units.js';

/** Timers that run when they are told to, in the order in which they were asked for. */
export interface ManualTime extends Time {
  /** Runs the oldest timer, and what follows from it at once; false: there is none. */
  readonly step: () => Promise<boolean>;
}

export function manualTime(): ManualTime {
  const timers: (() => void)[] = [];
  let now = Date.now();
  return {
    now: () => now,
    after: (_ms, run) => {
      timers.push(run);
      return () => {
        const at = timers.indexOf(run);
        if (at >= 0) timers.splice(at, 1);
      };
    },
    step: async () => {
      const run = timers.shift();
      now += 1;
      run?.();
      await settled();
      return run !== undefined;
    },
  };
}

/** Nothing waits for anything but a timer. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Idle time until there is nothing more to do; `between` runs after each thing that was done. */
export async function rest(core: RoomCore, time: ManualTime, between?: () => Promise<void> | void): Promise<void> {
  const compactor = createCompactor(core, { isTransferring: () => false });
  while (await time.step()) await between?.();
  compactor.stop();
}

export interface SmallPacks {
  readonly ada: RoomCore;
  readonly bob: RoomCore;
  readonly time: ManualTime;
  readonly disk: MemoryDisk;
  readonly main: string;
}

/** Ada's room with bob, on a disk at hand. */
export async function smallRoom(disk: MemoryDisk, ports: Partial<EnginePorts> = {}): Promise<SmallPacks> {
  const time = manualTime();
  const ada = await foundCore({ disk, ports: { time, ...ports } });
  const bob = await memberCore(ada);
  return { ada, bob, time, disk, main: domainNamed(ada, 'main') };
}

/** So many units of an author, each of as many entries as `sizes` says; ada has them too. */
export async function addUnits({ ada, main }: SmallPacks, author: RoomCore, sizes: readonly number[]): Promise<void> {
  for (const size of sizes) {
    const items = Array.from({ length: size }, () => ({
      hlc: tick(author),
      payload: payloadOf(insertOf(author, 'cards', { text: 'a card of some twenty letters' })),
    }));
    for (const unit of await signData(author, { domainHex: main, items })) {
      await give(ada, [unit]);
      if (author !== ada) admitUnit(author.state, unit, { roomNowMs: Number.MAX_SAFE_INTEGER });
    }
  }
}

export function chainOf(core: RoomCore, domainHex: string, author: string): Chain {
  const chain = domainOf(core.state, domainHex)?.chainsByAuthor.get(author);
  if (chain === undefined) throw new TypeError('no such chain');
  return chain;
}

/** Everything on the disk, chain by chain and place by place: each entry's id as often as it is there. */
export async function entriesOnDisk(core: RoomCore): Promise<string> {
  const lines: string[] = [];
  for (const { key, value } of await core.ports.store.list('packs', [core.room])) {
    const bytes = storedBytes(value);
    const unit = bytes && (await openUnit(bytes, { ports: core.ports, keys: unitKeys(core) }));
    if (unit?.ok !== true) throw new TypeError(`a row that does not open: ${key.join('/')}`);
    for (const { seq, id } of unit.value.entries)
      lines.push(`${String(key[1])} ${String(key[2])} ${String(seq)} ${toHex(id)}`);
  }
  return lines.sort().join('\n');
}

/** Rows and bytes of a chain's packs. */
export async function packsOnDisk(
  core: RoomCore,
  domainHex: string,
  author: string,
): Promise<{ rows: number; bytes: number }> {
  const rows = await core.ports.store.list('packs', [core.room, domainHex, author]);
  return { rows: rows.length, bytes: rows.reduce((sum, { value }) => sum + (storedBytes(value)?.length ?? 0), 0) };
}

/** What a peer is sent of a chain that holds its first `from` entries, and everything of the others. */
export async function servedFrom(
  core: RoomCore,
  o: {
    readonly domainHex: string;
    readonly author: string;
    readonly from: number;
    readonly to: RoomCore;
    readonly between?: () => Promise<void>;
  },
): Promise<{ readonly units: readonly Unit[]; readonly isComplete: boolean }> {
  const domain = domainOf(core.state, o.domainHex);
  if (domain === null) throw new TypeError('no such domain');
  const clock = new Map(clockOf(domain));
  const head = chainOf(core, o.domainHex, o.author).loaded.ids[o.from - 1];
  if (head === undefined) clock.delete(o.author);
  else clock.set(o.author, { count: o.from, head });
  const part = { entries: toClockEntries(clock), window: { after: null, upTo: null } };
  const named = { domainId: domain.id, root: new Uint8Array(32), count: 0, ...part };
  const base = 0x7_0000;
  const req: SyncReq = {
    ...{ reqId: new Uint8Array(16), attempt: 0, want: 1, prefer: null, exclude: [], controlOnly: false, held: [] },
    ...{ transfer: base, domains: [named] },
  };
  const peer = peerOf(o.to);
  const { netLink, clear, sent } = linkTo(core, [peer]);
  const window = createSendWindow(1); // one pack under way: every further one waits
  const windowMoved = async (): Promise<boolean> => {
    await o.between?.();
    window.reset();
    return true;
  };
  const windowed = { ...netLink, windowOf: () => window };
  await serve(core, { req, peer, netLink: windowed, transfer: base, floors: [], windowMoved }).done;
  const reassembly = createReassembly();
  reassembly.grant(base);
  const units: Unit[] = [];
  for (const frame of clear) {
    const fragment = decodeFragment(frame);
    const added = fragment.ok ? reassembly.add(fragment.value) : fragment;
    if (!added.ok || added.value.pack === null) continue;
    const unit = await openUnit(copyBytes(added.value.pack), { ports: o.to.ports, keys: unitKeys(o.to) });
    if (!unit.ok) throw new TypeError(unit.fault.code);
    if ((await verifyUnit(unit.value, core)) !== null) throw new TypeError('a unit without its author’s signature');
    units.push(unit.value);
  }
  const done = sent.flatMap(({ type, body }) => (type === frameTypes.syncDone ? [decodeSyncDone(body)] : []))[0];
  return { units, isComplete: done?.ok === true && done.value.complete };
}

/** A second life of ada's disk. */
export async function restart(
  { ada, disk }: SmallPacks,
  ports: Partial<EnginePorts> = {},
  at: MemoryDisk = disk,
): Promise<RoomCore> {
  const generation = await at.raiseGeneration();
  return reopen(ada, { ...ada.ports, store: at.open(generation), generation, ...ports });
}
