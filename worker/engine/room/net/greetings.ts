import { equalBytes, toHex, type Bytes } from '../../../../src/core/base/index.js';
import { sumOfRoots, type SumPlace } from '../../../../src/core/reconcile/index.js';
import type { Peer } from '../../../../src/core/session/index.js';
import { encodeResume, frameTypes } from '../../../../src/core/wire/index.js';
import { myGrant, sendEpoch, type RoomCore } from '../core.js';
import { takeBeacon } from './acks.js';
import type { Beacons } from './beacons.js';
import { resumeFor, type Clearance } from './clearance.js';
import { summariesOf } from './lacking.js';
import type { NetLink } from './link.js';
import { sessionKey, type Roster } from './roster.js';

/** What is said to a member that has come: its own heads and what is held here, or nothing where it holds the same (SYN-5). */
export interface Greetings {
  /** The sum for a HELLO that answers `device` under its session; null: nothing is said of what is held here. */
  readonly sumFor: (netLink: NetLink, device: Bytes | null, session: Bytes) => Bytes | null;
  /** Once per session. Whether it is the first time. */
  readonly greet: (netLink: NetLink, peer: Peer) => boolean;
  /** It has told what it holds, so it has not seen that the same is held here: it is told. */
  readonly told: (netLink: NetLink, peer: Peer) => void;
  readonly forget: (peer: Peer) => void;
}

export interface GreetingsHost {
  readonly roster: Pick<Roster, 'isEffective' | 'reach'>;
  readonly beacons: Pick<Beacons, 'hear' | 'send'>;
  readonly clearance: Pick<Clearance, 'answered'>;
  readonly considerPull: () => void;
  /** Elections only (bar S11): nothing is said and nothing believed. */
  readonly isCold: boolean;
}

/** Nobody has come yet. */
export function createGreetings(core: RoomCore, host: GreetingsHost): Greetings {
  /** By session: whether anything was said, or nothing had to be. */
  const greeted = new Map<string, boolean>();

  const tell = (netLink: NetLink, peer: Peer): void => {
    greeted.set(sessionKey(peer), true);
    netLink.send({ type: frameTypes.resume, body: encodeResume(resumeFor(core, peer)), to: peer, lane: 'ctl' });
    host.beacons.send(peer, netLink);
  };
  /** Under the send rule's key, as a beacon to all would be; null without one, or without a grant. */
  const sumOf = (place: SumPlace): Bytes | null => {
    const epoch = host.isCold || myGrant(core) === null ? null : sendEpoch(core);
    const prk = epoch && core.state.prks.get(toHex(epoch.kid));
    return prk ? sumOfRoots(prk, place, summariesOf(core)) : null;
  };
  const isSame = (netLink: NetLink, { device, session, sum }: Peer): boolean => {
    // What is not stored may be lost again, and be above mine then (F10).
    if (sum === null || !core.loop.isStored()) return false;
    const mine = sumOf({ sender: device, session, echo: netLink.session });
    return mine !== null && equalBytes(mine, sum);
  };
  /** It has said as much as by a BEACON of all that is held here and a RESUME with nothing above it. */
  const agree = (peer: Peer): void => {
    const said = { domains: summariesOf(core), serve: true, hidden: false };
    host.beacons.hear(peer.device, said); // at once: what it says next may be in the queue already
    core.loop.enqueue(async (step) => {
      if (host.roster.reach(peer.device) === null || !host.roster.isEffective(peer.device)) return;
      takeBeacon(core, step, said);
      await host.clearance.answered(peer.device, []);
      host.considerPull();
    });
  };
  return {
    sumFor: (netLink, device, session) => {
      // An equal sum is taken for an acknowledgement, so it says only what is on the disk; strangers are told nothing.
      const isTold = device !== null && host.roster.isEffective(device) && core.loop.isStored();
      return isTold ? sumOf({ sender: core.keys.deviceId, session: netLink.session, echo: session }) : null;
    },
    greet: (netLink, peer) => {
      if (greeted.has(sessionKey(peer))) return false;
      greeted.set(sessionKey(peer), false);
      if (isSame(netLink, peer)) agree(peer);
      else tell(netLink, peer);
      return true;
    },
    told: (netLink, peer) => {
      if (greeted.get(sessionKey(peer)) === false && host.roster.isEffective(peer.device)) tell(netLink, peer);
    },
    forget: (peer) => {
      greeted.delete(sessionKey(peer));
    },
  };
}
