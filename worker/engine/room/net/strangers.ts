import { retryDelayMs } from '../../../../src/core/flow/index.js';
import type { Peer } from '../../../../src/core/session/index.js';
import { myGrant, type RoomCore } from '../core.js';
import { sessionKey, type Roster } from './roster.js';

/** Who joins and waits for its grant has nothing else to do than to ask those that are here in turn. */
const joinerAskMs = 250;

/** Devices that are here and have no effect in my view: whom to ask for its control, and when again (ELE-5). */
export interface Strangers {
  /** Who is due, those that were asked least first; null: nobody. */
  readonly due: () => Peer | null;
  /** When somebody is due next; null: nobody is here. */
  readonly nextAtMs: () => number | null;
  readonly asked: (peer: Peer) => void;
}

export function createStrangers(core: RoomCore, roster: Pick<Roster, 'here' | 'isEffective'>): Strangers {
  const asks = new Map<string, { readonly tries: number; readonly atMs: number }>();
  const { time, random } = core.ports;
  const never = { tries: 0, atMs: 0 };
  /** Those that left are forgotten. */
  const here = (): { readonly peer: Peer; readonly tries: number; readonly atMs: number }[] => {
    const peers = core.epochKeys.size === 0 ? [] : roster.here().filter((peer) => !roster.isEffective(peer.device));
    const keys = new Set(peers.map(sessionKey));
    for (const key of asks.keys()) if (!keys.has(key)) asks.delete(key);
    return peers.map((peer) => ({ peer, ...(asks.get(sessionKey(peer)) ?? never) }));
  };
  return {
    due: () => {
      const due = here().filter(({ atMs }) => atMs <= time.now());
      return due.sort((a, b) => a.tries - b.tries)[0]?.peer ?? null;
    },
    nextAtMs: () => {
      const times = here().map(({ atMs }) => atMs);
      return times.length === 0 ? null : Math.min(...times);
    },
    asked: (peer) => {
      const tries = asks.get(sessionKey(peer))?.tries ?? 0;
      const chance = (random.bytes(1)[0] ?? 0) / 256;
      const isJoiner = core.admitters.length > 0 && myGrant(core) === null;
      const waitMs = isJoiner ? joinerAskMs : retryDelayMs(tries, chance);
      asks.set(sessionKey(peer), { tries: tries + 1, atMs: time.now() + waitMs });
    },
  };
}
