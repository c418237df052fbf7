import { equalBytes, faultOutcomes, type Bytes, type Fault } from '../../../../src/core/base/index.js';
import { maxFragments, maxOpenTransfers } from '../../../../src/core/flow/index.js';
import { decodeFragment, decodeSyncDone } from '../../../../src/core/wire/index.js';
import { bump, countFault, unitKeys, type RoomCore } from '../core.js';
import { ingestUnit, type Ingested } from '../ingest.js';
import type { Step } from '../step.js';
import { isSealSigned, openUnit, verifyUnit } from '../units.js';
import type { Acks } from './acks.js';
import type { Beacons } from './beacons.js';
import type { Clearance } from './clearance.js';
import { isGap, isHere, unitOfLive } from './inbound.js';
import type { NetLink } from './link.js';
import type { Pull } from './pull.js';
import type { Reach } from './roster.js';

export interface IntakeHost {
  readonly acks: Acks;
  readonly beacons: Beacons;
  readonly clearance: Clearance;
  readonly pull: Pull;
  /** Something of this peer is missing here. */
  /** The peer has told something that continues what is not here; `isOpen` tells whether that is still so. */
  readonly fetchBefore: (device: Bytes, isOpen: () => boolean) => void;
  /** It was too slow for the request that it answers. */
  readonly askAgain: (device: Bytes) => void;
  readonly considerPull: () => void;
  /** Authority changed with this step. */
  readonly controlChanged: (step: Step) => void;
  readonly rejectedOwn: (fault: Fault, payload: Bytes) => void;
  readonly reload: () => Promise<void>;
  /** So many entries came in a pack of this source. */
  readonly took: (count: number, source: Bytes) => void;
}

/** Fragments in a row that lead to nothing new and still count as serving: as many as may be unfinished (X7). */
const maxIdleFragments: number = maxOpenTransfers * maxFragments;

/** Entries from the network on their way into the set: live frames, and packs of the one transfer that was asked for. */
export interface Intake {
  readonly live: (step: Step, from: Reach, message: Bytes) => Promise<void>;
  readonly fragment: (
    step: Step,
    netLink: NetLink,
    o: { readonly bytes: Bytes; readonly from: string },
  ) => Promise<void>;
  readonly done: (step: Step, from: Reach, message: Bytes) => void;
  /** What newly admitted entries mean for everybody else. `from` null: they had waited here. */
  readonly admitted: (step: Step, ingested: Ingested, from: Reach | null) => void;
}

export function createIntake(core: RoomCore, host: IntakeHost): Intake {
  const room = { ports: core.ports, roomId: core.roomId };
  let counts = { base: -1, taken: 0, bad: 0, idle: 0 };
  /** What the transfer of this base has brought so far. */
  const countsOf = (base: number): typeof counts =>
    counts.base === base ? counts : (counts = { base, taken: 0, bad: 0, idle: 0 });

  const admitted = (step: Step, ingested: Ingested, from: Reach | null): void => {
    const own = ingested.admitted.filter((entry) => equalBytes(entry.author, core.keys.deviceId));
    if (own.length > 0)
      host.clearance.ownEntries(
        step,
        own.map((entry) => entry.boot),
      );
    if (ingested.ownFork) host.clearance.ownFork();
    for (const { entry, fault } of ingested.ownVoided)
      if (entry.payload !== null) host.rejectedOwn(fault, entry.payload);
    if (ingested.controlChanged) host.controlChanged(step);
    if (ingested.mustReload)
      step.effects.push(() => {
        core.loop.alone(host.reload);
      });
    if (ingested.admitted.length === 0) return;
    step.effects.push(() => {
      if (from !== null) host.acks.stored(from, ingested.admitted);
      host.beacons.news();
      if (ingested.controlChanged) host.considerPull();
    });
  };
  /** A copy that its sealer signed and that is bad all the same is the sealer's; else it is charged to who brought it (F2). */
  const badPack = async (
    from: Reach,
    o: { readonly bytes: Bytes; readonly base: number },
    fault: Fault,
  ): Promise<void> => {
    countsOf(o.base).bad++;
    countFault(core, fault.code);
    const sealer = await isSealSigned(o.bytes, room);
    bump(core, sealer === null ? 'chargedDeliverer' : 'chargedSealer');
    const isOther = sealer !== null && !equalBytes(sealer, from.peer.device);
    host.pull.handle({ is: 'bad', transfer: o.base, ...(isOther ? { sealer } : {}) });
  };
  const pack = async (step: Step, from: Reach, o: { readonly bytes: Bytes; readonly base: number }): Promise<void> => {
    bump(core, 'packsIn');
    const unit = await openUnit(o.bytes, { ports: core.ports, keys: unitKeys(core) });
    // Sealed or committed under a key that is not here yet: nobody's fault, and asked for again once the key has come.
    if (!unit.ok && faultOutcomes[unit.fault.code] === 'hold') return countFault(core, unit.fault.code);
    if (!unit.ok) return badPack(from, o, unit.fault);
    const fault = await verifyUnit(unit.value, room);
    if (fault !== null) return badPack(from, o, fault);
    bump(core, 'entriesFetched', unit.value.entries.length);
    bump(core, 'packBytesIn', o.bytes.length);
    const ingested = await ingestUnit(core, step, { unit: unit.value, bytes: o.bytes.length, pack: o.bytes });
    if (ingested.isNews) {
      countsOf(o.base).idle = 0;
      host.pull.handle({ is: 'progress', transfer: o.base });
    }
    admitted(step, ingested, from);
    host.took(ingested.admitted.length, from.peer.device);
  };
  return {
    admitted,
    live: async (step, from, message) => {
      const unit = await unitOfLive(core, message, from.peer.device);
      const isOpen = (): boolean => !isHere(core, message, from.peer.device);
      const fault = unit.ok ? await verifyUnit(unit.value, room) : unit.fault;
      if (!unit.ok || fault !== null) {
        if (fault === null) return;
        countFault(core, fault.code);
        if (isGap(fault.code)) host.fetchBefore(from.peer.device, isOpen);
        return;
      }
      const ingested = await ingestUnit(core, step, { unit: unit.value, bytes: message.length });
      if (ingested.fault !== null && isGap(ingested.fault.code)) host.fetchBefore(from.peer.device, isOpen);
      admitted(step, ingested, from);
    },
    fragment: async (step, netLink, o) => {
      const fragment = decodeFragment(o.bytes);
      if (!fragment.ok) return countFault(core, fragment.fault.code);
      const [peer, source] = [netLink.sessions.peerAt(o.from), host.pull.source()];
      if (peer === null) return countFault(core, 'frame/unrequested');
      const reassembly = netLink.reassemblyOf(o.from);
      if (reassembly.isLate(fragment.value.transfer)) return bump(core, 'framesLate');
      if (source === null || !equalBytes(peer.device, source.device)) return countFault(core, 'frame/unrequested');
      const added = reassembly.add(fragment.value);
      if (!added.ok) {
        countFault(core, added.fault.code);
        if (added.fault.code !== 'frame/unrequested') host.pull.handle({ is: 'bad', transfer: source.transfer }); // X7
        return undefined;
      }
      const { base, isNew, transfer, pack: bytes } = added.value;
      const count = countsOf(base);
      if (isNew && count.idle++ < maxIdleFragments) host.pull.handle({ is: 'progress', transfer: base });
      if (bytes === null) return undefined;
      host.acks.taken({ netLink, peer }, transfer);
      count.taken++;
      return pack(step, { netLink, peer }, { bytes, base });
    },
    done: (step, { netLink, peer }, message) => {
      const done = decodeSyncDone(message);
      if (!done.ok) return countFault(core, done.fault.code);
      const { reqId, transfer, packs, complete } = done.value;
      const source = host.pull.source();
      if (source?.transfer !== transfer || !equalBytes(source.device, peer.device)) {
        if (netLink.reassemblyOf(peer.address).isLate(transfer)) bump(core, 'framesLate');
        else countFault(core, 'frame/unrequested');
        return equalBytes(reqId, host.pull.reqId()) ? host.askAgain(peer.device) : undefined;
      }
      const { taken, bad } = countsOf(transfer);
      const useful = taken >= packs && bad === 0;
      // What came is had once it is stored; else it is asked for again.
      step.effects.push(() => {
        if (useful && complete && source.isFirst) host.beacons.told(peer.device, done.value.roots);
        host.pull.handle({ is: 'done', transfer, complete, useful });
      });
      step.failures.push(() => {
        host.pull.handle({ is: 'done', transfer, complete: false, useful });
      });
    },
  };
}
