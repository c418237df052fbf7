import { equalBytes, idHex, toHex } from '../../../../src/core/base/index.js';
import type { Entry } from '../../../../src/core/entry/index.js';
import { changedIn } from '../../../../src/core/record/index.js';
import type { Peer } from '../../../../src/core/session/index.js';
import {
  encodeAck,
  frameTypes,
  maxAckHeads,
  maxAckTransfers,
  type Ack,
  type Beacon,
} from '../../../../src/core/wire/index.js';
import { countOf, domainOf, idAt } from '../../replica/index.js';
import type { RoomCore } from '../core.js';
import { loadPlaces } from '../hydrate.js';
import type { Step } from '../step.js';
import { isDelivered, ofRecordKey } from '../undelivered.js';
import type { NetLink } from './link.js';
import { summaryOf } from './lacking.js';

/** At most one ACK per peer in this time (X8). */
const ackIntervalMs = 50;

/** Acknowledgements on their way, per source. */
export interface Acks {
  /** Entries that came from this peer are stored. */
  readonly stored: (to: { readonly netLink: NetLink; readonly peer: Peer }, entries: readonly Entry[]) => void;
  /** A pack is off the wire, whatever becomes of it. */
  readonly taken: (to: { readonly netLink: NetLink; readonly peer: Peer }, transfer: number) => void;
  readonly stop: () => void;
}

interface Pending {
  readonly heads: Map<string, Ack['heads'][number]>;
  transfers: number[];
  readonly cancel: () => void;
}

export function createAcks(core: RoomCore): Acks {
  const pending = new Map<string, Pending>();
  const pendingFor = (to: { netLink: NetLink; peer: Peer }): Pending => {
    const key = `${to.netLink.link.type}/${to.peer.address}`;
    let found = pending.get(key);
    if (found === undefined) {
      const cancel = core.ports.time.after(ackIntervalMs, () => {
        flush(key, to);
      });
      pending.set(key, (found = { heads: new Map(), transfers: [], cancel }));
    }
    return found;
  };
  const flush = (key: string, to: { netLink: NetLink; peer: Peer }): void => {
    const found = pending.get(key);
    pending.delete(key);
    if (found === undefined) return;
    const heads = [...found.heads.values()];
    for (
      let at = 0;
      at === 0 || at < heads.length || at < found.transfers.length;
      at += Math.min(maxAckHeads, maxAckTransfers)
    ) {
      const size = Math.min(maxAckHeads, maxAckTransfers);
      const body = encodeAck({ heads: heads.slice(at, at + size), transfers: found.transfers.slice(at, at + size) });
      to.netLink.send({ type: frameTypes.ack, body, to: to.peer, lane: 'ctl' });
    }
  };
  return {
    stored: (to, entries) => {
      if (entries.length === 0) return;
      const { heads } = pendingFor(to);
      for (const { domainId, author, seq, id } of entries)
        heads.set(idHex(domainId) + idHex(author), { domainId, author, seq, headId: id });
    },
    taken: (to, transfer) => {
      pendingFor(to).transfers.push(transfer);
    },
    stop: () => {
      for (const { cancel } of pending.values()) cancel();
      pending.clear();
    },
  };
}

/** Another effective device has stored own entries: durable knowledge (X8). A head that is not mine says nothing. */
export async function takeAck(core: RoomCore, step: Step, ack: Ack): Promise<void> {
  const counts = new Map<string, number>();
  const mine = ack.heads.filter(({ author }) => equalBytes(author, core.keys.deviceId));
  await loadPlaces(core, mine.filter(isNews(core)));
  for (const head of mine) {
    const domainHex = toHex(head.domainId);
    const id = idAt(domainOf(core.state, domainHex)?.chainsByAuthor.get(core.device), head.seq);
    if (id !== undefined && equalBytes(id, head.headId))
      counts.set(domainHex, Math.max(head.seq + 1, counts.get(domainHex) ?? 0));
  }
  noteDelivered(core, step, counts);
}

/** Whether the head says more of the own chain than is known to be delivered. */
function isNews(core: RoomCore): (head: Ack['heads'][number]) => boolean {
  return ({ domainId, seq }) => seq >= (core.delivered.get(toHex(domainId)) ?? 0);
}

/** Equal roots are equal sets: who shows mine has everything that is mine. So a lost ACK is made good by the next beacon. */
export function takeBeacon(core: RoomCore, step: Step, beacon: Beacon): void {
  const counts = new Map<string, number>();
  for (const { domainId, root } of beacon.domains) {
    const domainHex = toHex(domainId);
    const domain = domainOf(core.state, domainHex);
    const count = countOf(domain?.chainsByAuthor.get(core.device));
    if (domain === null || count <= (core.delivered.get(domainHex) ?? 0)) continue;
    if (equalBytes(summaryOf(domain).root, root)) counts.set(domainHex, count);
  }
  noteDelivered(core, step, counts);
}

function noteDelivered(core: RoomCore, step: Step, counts: ReadonlyMap<string, number>): void {
  let moved = false;
  for (const [domainHex, count] of counts) {
    if (count <= (core.delivered.get(domainHex) ?? 0)) continue;
    core.delivered.set(domainHex, count);
    step.ops.push({ do: 'put', table: 'state', key: [core.room, 'delivered', domainHex], value: count });
    moved = true;
  }
  if (!moved) return;
  step.infoChanged = true;
  const open = new Set(counts.keys());
  for (const [key, ref] of core.undelivered) {
    if (!isDelivered(core, ref)) {
      open.delete(ref.domain); // what comes later is newer
      if (open.size === 0) break;
      continue;
    }
    core.undelivered.delete(key);
    const [collection, id] = ofRecordKey(key);
    changedIn(step.changed, collection).add(id);
  }
}
