import { toBase64Url } from '../../../../src/core/base/index.js';
import type { FrozenBlock } from '../../../../src/core/record/index.js';
import type { StoreOp } from '../../../../src/ports/index.js';
import { countOf, type Chain, type DomainReplica, type ReplicaState } from '../../replica/index.js';
import type { RoomCore } from '../core.js';
import { draftCount } from '../drafts/queue.js';
import {
  packUndelivered,
  sealRow,
  snapshotIdBytes,
  snapshotVersion,
  type SnapshotChain,
  type SnapshotDomain,
  type SnapshotHead,
} from './form.js';

/** The state at one moment, when memory and disk were the same; nothing in it changes any more. */
export interface FrozenRoom {
  readonly head: SnapshotHead;
  readonly blocks: readonly FrozenBlock[];
  /** Whether all drafts that it has are drafts still. */
  readonly isCurrent: () => boolean;
}

/** Ids and times that a snapshot has of all chains together, and of one chain at most: what the next entries name. */
const maxRecent = 4096;
const maxRecentOfChain = 64;

/** What a snapshot covers, as a number that grows with every change of content. */
export function changesOf(core: RoomCore): number {
  let count = draftCount(core);
  for (const domain of core.state.domains.values()) count += domain.entryCount;
  return count;
}

/**
 * Whether what is in memory is what the packs amount to, and can be told in short. Where something waits on the disk, or
 * there is a fork, a room is replayed from its history: rare, and full of cases.
 */
export function canFreeze(core: RoomCore): boolean {
  const { state } = core;
  const isPlain = !state.isStale && state.forks.size === 0 && state.dueForks.size === 0 && core.parts.size === 0;
  return isPlain && !core.held.some(({ stored, isRead }) => stored !== null || isRead === true);
}

/** Call with nothing uncommitted. */
export function freezeRoom(core: RoomCore): FrozenRoom {
  const { state } = core;
  const blocks = state.records.freeze();
  const chains = [...state.domains.values()].reduce((sum, domain) => sum + domain.chainsByAuthor.size, 1);
  const recent = Math.max(1, Math.min(maxRecentOfChain, Math.floor(maxRecent / chains)));
  const head: SnapshotHead = {
    version: snapshotVersion,
    room: core.room,
    device: core.device,
    blocks: blocks.map(({ collections }) => collections),
    control: controlClock(state),
    grantVoids: grantVoids(state),
    domains: [...state.domains].map(([id, domain]) => freezeDomain(id, domain, recent)),
    declarations: [...state.declarations.values()].map(({ bytes }) => toBase64Url(bytes)),
    domainNames: [...state.domainNames].map(([domain, name]) => [domain, name, state.domainNamers.get(domain) ?? '']),
    voids: [...state.voids],
    undelivered: packUndelivered(core.undelivered),
    drafts: freezeDrafts(core),
    changes: changesOf(core),
    bytes: core.counters.get('bytesStored') ?? 0,
  };
  const { draftsLeft } = core;
  return { head, blocks, isCurrent: () => core.draftsLeft === draftsLeft };
}

function controlClock({ control }: ReplicaState): SnapshotHead['control'] {
  return [...control.chainsByAuthor].flatMap(([author, chain]) => {
    const head = chain.loaded.ids.at(-1);
    return head === undefined ? [] : [[author, countOf(chain), toBase64Url(head)] as const];
  });
}

function freezeDrafts({ drafts }: RoomCore): SnapshotHead['drafts'] {
  return [...drafts].flatMap(([domain, { next, count }]) => (count === 0 ? [] : [[domain, next, count] as const]));
}

/** Grants without effect (hex), as they are compared. */
export function grantVoids({ access }: ReplicaState): string[] {
  return [...access.voids.keys()].sort();
}

function freezeDomain(id: string, domain: DomainReplica, recent: number): SnapshotDomain {
  const { entryCount, lastHlc, chainsByAuthor } = domain;
  const chains = [...chainsByAuthor].flatMap(([author, chain]) =>
    countOf(chain) === 0 ? [] : [freezeChain(author, chain, recent)],
  );
  return { id, entryCount, lastHlc: [lastHlc.ms, lastHlc.ctr], chains };
}

function freezeChain(author: string, chain: Chain, recent: number): SnapshotChain {
  const { loaded, signed } = chain;
  return {
    author,
    count: countOf(chain),
    ids: loaded.ids.slice(-recent).map(toBase64Url),
    ms: loaded.ms.slice(-recent),
    ctr: loaded.ctr.slice(-recent),
    signed: signed && [signed.seq, toBase64Url(signed.id), toBase64Url(signed.sig), toBase64Url(signed.boot)],
  };
}

/** Takes what is there out of the way. */
export function dropOps(core: RoomCore): StoreOp[] {
  return [{ do: 'delete-prefix', table: 'state', prefix: [core.room, 'snapshot'] }];
}

/** The rows in place of those that are there. One block after the other, so that others get their turn between them. */
export async function snapshotOps(core: RoomCore, { head, blocks }: FrozenRoom): Promise<StoreOp[]> {
  const id = core.ports.random.bytes(snapshotIdBytes);
  const ops = dropOps(core);
  for (let index = 0; index <= blocks.length; index++) {
    const text = blocks[index - 1]?.text() ?? JSON.stringify(head);
    const value = await sealRow(core.ports, { id, index, text });
    ops.push({ do: 'put', table: 'state', key: [core.room, 'snapshot', index], value });
  }
  return ops;
}
