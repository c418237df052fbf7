import { copyBytes } from '../core/base/index.js';
import { createLine, type Line, type Weather } from './memory-line.js';
import { maxForeignFrameBytes, type TransportEvents, type TransportState } from './transport.js';

/** One open use of an address in a memory network, as the network sees it. All it tells its owner comes later, in order. */
export interface User {
  readonly address: string;
  /** Told apart from other users of the address; others see a change of it as gone and here. */
  readonly session: number;
  /** The connection as it is; the owner may not have heard yet. */
  readonly state: () => TransportState;
  /** Whether the owner has heard that it is up, and it is: only then are frames carried. */
  readonly isReady: () => boolean;
  readonly setState: (state: TransportState) => void;
  /** The others who can be seen now: address → sessions there. Tells the owner what has changed. */
  readonly see: (present: ReadonlyMap<string, ReadonlySet<number>>) => void;
  /** Puts a frame on the way. It arrives if `mayArrive` still says so then, and the connection was not lost meanwhile. */
  readonly carry: (bytes: Uint8Array, from: string, mayArrive: () => boolean) => void;
  readonly ignored: () => number;
  /** Deaf and dumb from now on; its place is not given up. */
  readonly silence: () => void;
  readonly isSilent: () => boolean;
}

/** A user whose state is `down` until the network sets another. */
export function createUser(
  address: string,
  session: number,
  { on, weather }: { on: TransportEvents; weather: Weather },
): User {
  const notices = createLine(weather);
  const lines = new Map<string, Line>();
  const peers = new Map<string, number>();
  let state: TransportState = 'down';
  let told: TransportState = 'down';
  /** Rises whenever the connection changes: what was sent to an earlier life does not arrive. */
  let life = 0;
  let isSilent = false;
  let ignored = 0;

  const tell = (run: () => void): void =>
    notices.put(() => {
      if (!isSilent) run();
    });
  const tellPeer = (peer: string, change: 'here' | 'gone'): void => tell(() => on.peer(peer, change));
  const isReady = (): boolean => !isSilent && state === 'up' && told === 'up';
  const lineFrom = (from: string): Line => {
    const line = lines.get(from) ?? createLine(weather);
    lines.set(from, line);
    return line;
  };

  return {
    address,
    session,
    state: () => state,
    isReady,
    setState: (next) => {
      if (next === state) return;
      state = next;
      life++;
      peers.clear();
      tell(() => {
        told = next;
        on.state(next);
      });
    },
    see: (present) => {
      if (state !== 'up' || isSilent) return;
      for (const [peer, known] of peers) {
        if (present.get(peer)?.has(known) === true) continue;
        peers.delete(peer);
        tellPeer(peer, 'gone');
      }
      for (const [peer, sessions] of present) {
        const [first] = sessions;
        if (first === undefined || peers.has(peer)) continue;
        peers.set(peer, first);
        tellPeer(peer, 'here');
      }
    },
    carry: (bytes, from, mayArrive) => {
      if (bytes.length > maxForeignFrameBytes) {
        ignored++;
        return;
      }
      const sentInLife = life;
      const copy = copyBytes(bytes);
      lineFrom(from).risk(() => {
        // A duplicate comes from the same copy: each arrival hands over one of its own.
        if (life === sentInLife && isReady() && mayArrive()) on.frame(copyBytes(copy), from);
      });
    },
    ignored: () => ignored,
    silence: () => {
      isSilent = true;
    },
    isSilent: () => isSilent,
  };
}
