import { toHex, type Bytes } from '../../../../src/core/base/index.js';
import type { Peer } from '../../../../src/core/session/index.js';
import type { RoomCore } from '../core.js';
import type { NetLink } from './link.js';

/** Where a device can be reached. */
export interface Reach {
  readonly netLink: NetLink;
  readonly peer: Peer;
}

/** Who is here, over all networks of a room. */
export interface Roster {
  /** Networks that are up, by key. */
  readonly links: Map<string, NetLink>;
  readonly reach: (device: Bytes) => Reach | null;
  /** Every device that is here, once. */
  readonly here: () => readonly Peer[];
  /** Those of them that are effective members' devices. */
  readonly members: () => readonly Peer[];
  /** Whether control, as held here, gives this device a grant with effect. */
  readonly isEffective: (device: Bytes) => boolean;
}

export function createRoster(core: RoomCore): Roster {
  const links = new Map<string, NetLink>();
  const isEffective = (device: Bytes): boolean => core.state.access.devices.has(toHex(device));
  const here = (): readonly Peer[] => {
    const byDevice = new Map<string, Peer>();
    for (const netLink of links.values())
      for (const peer of netLink.sessions.peers()) byDevice.set(toHex(peer.device), peer);
    return [...byDevice.values()];
  };
  return {
    links,
    isEffective,
    here,
    members: () => here().filter((peer) => isEffective(peer.device)),
    reach: (device) => {
      for (const netLink of links.values()) {
        const peer = netLink.sessions.peerOf(device);
        if (peer !== null) return { netLink, peer };
      }
      return null;
    },
  };
}

/** Key of a peer's session: what is done once per session is remembered by it. */
export function sessionKey(peer: Peer): string {
  return toHex(peer.session) + toHex(peer.device);
}
