import { copyBytes, type Bytes } from '../core/base/index.js';
import { checkSend } from './check.js';
import { createBorders, type Borders } from './memory-borders.js';
import { checkFaults, noFaults, type MemoryFaults, type Weather } from './memory-line.js';
import { createUser, type User } from './memory-user.js';
import { maxFrameBytes, TransportError } from './transport.js';
import type { OpenTransport, Transport, TransportEvents, TransportState } from './transport.js';

/** The world of a memory network. With the same answers from `random` and `schedule` it does the same again. */
export interface MemoryNetworkOptions {
  /** At least 0, less than 1. */
  readonly random: () => number;
  /** Runs `run` after `delayMs`; the result cancels it. Real timers do, or those of a simulator. */
  readonly schedule: (delayMs: number, run: () => void) => () => void;
  /** None when left out; latency 0 still goes through `schedule`. */
  readonly faults?: Partial<MemoryFaults>;
}

/** A frame for a memory network. */
export interface MemoryFrame {
  readonly from: string;
  readonly to: readonly string[] | 'all';
  readonly bytes: Uint8Array;
}

/** A frame as the network saw it on its way in. */
export interface TappedFrame extends MemoryFrame {
  /** A copy, owned by the one who taps. */
  readonly bytes: Bytes;
  /** Whether a test put it in under this source. */
  readonly injected: boolean;
}

/** A network inside one thread. Everything it tells its users comes through `schedule`, never during a call. */
export interface MemoryNetwork {
  /** A transport that gives its users this address. Two opens of it are two users of one address. */
  readonly transport: (address: string) => Transport;
  /** Changes what is named, from the next frame on. */
  readonly setFaults: (faults: Partial<MemoryFaults>) => void;
  /**
   * Only addresses of one group reach each other; those in no group make up one more. The others see them go and, when
   * groups change, come again. No groups: healed. What is under way across a border is lost.
   */
  readonly partition: (groups: readonly (readonly string[])[]) => void;
  /** Loses everything from `from` to `to`, without a word to either, until mended. One direction only. */
  readonly cut: (from: string, to: string) => void;
  readonly mend: (from: string, to: string) => void;
  /** The address' own connection; users who open it later begin in this state too. What is under way to it is lost. */
  readonly setState: (address: string, state: TransportState) => void;
  /** Its users hear and say nothing any more, without a goodbye: others see the address until it is buried or opened anew. */
  readonly crash: (address: string) => void;
  /** What a server does some time after a crash: others see the address go. */
  readonly bury: (address: string) => void;
  /** Calls `spy` with every frame put in, lost ones too. The result ends it. */
  readonly tap: (spy: (frame: TappedFrame) => void) => () => void;
  /** Puts in any bytes under any source, as the one who runs the network can. The same faults and borders hold. */
  readonly inject: (frame: MemoryFrame) => void;
}

/** What the parts of a network share. */
interface Net {
  readonly weather: Weather;
  readonly borders: Borders;
  readonly users: Set<User>;
  readonly states: Map<string, TransportState>;
  readonly spies: Set<(frame: TappedFrame) => void>;
  sessions: number;
}

/** A network whose faults, borders and spies the test holds in its hand. */
export function createMemoryNetwork({ random, schedule, faults }: MemoryNetworkOptions): MemoryNetwork {
  let now: MemoryFaults = noFaults;
  const setFaults = (changed: Partial<MemoryFaults>): void => {
    checkFaults({ ...now, ...changed });
    now = { ...now, ...changed };
  };
  setFaults(faults ?? {});
  const weather: Weather = { random, schedule, faults: () => now };
  const net: Net = {
    weather,
    borders: createBorders(),
    users: new Set(),
    states: new Map(),
    spies: new Set(),
    sessions: 0,
  };
  const { borders, spies } = net;
  return {
    transport: (address) => ({ type: 'memory', open: (on) => openUser(net, address, on) }),
    setFaults,
    partition: (groups) => {
      borders.partition(groups);
      showPresence(net);
    },
    cut: borders.cut,
    mend: borders.mend,
    setState: (address, state) => {
      net.states.set(address, state);
      for (const user of usersOf(net, address)) user.setState(state);
      showPresence(net);
    },
    crash: (address) => usersOf(net, address).forEach((user) => user.silence()),
    bury: (address) => {
      buryCrashed(net, address);
      showPresence(net);
    },
    tap: (spy) => {
      spies.add(spy);
      return () => void spies.delete(spy);
    },
    inject: (frame) => carry(net, frame, true),
  };
}

function openUser(net: Net, address: string, on: TransportEvents): OpenTransport {
  if (address === '') throw new RangeError('memory network: an address must not be empty');
  buryCrashed(net, address);
  const user = createUser(address, ++net.sessions, { on, weather: net.weather });
  let isClosed = false;
  net.users.add(user);
  net.weather.schedule(0, () => {
    if (isClosed || user.isSilent()) return;
    user.setState(net.states.get(address) ?? 'up');
    showPresence(net);
  });
  return {
    get self() {
      return user.isReady() ? address : '';
    },
    maxFrameBytes,
    send: async (frame, to) => {
      checkSend(frame, to);
      if (isClosed) throw new TransportError('transport/closed', 'send: this use of the network was closed');
      if (user.isReady()) carry(net, { from: address, to, bytes: frame }, false);
      // A crashed one does not learn that nobody hears it.
      else if (!user.isSilent()) throw notUp(user.state());
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      user.silence();
      net.users.delete(user);
      showPresence(net);
    },
    ignored: user.ignored,
  };
}

function carry(net: Net, { from, to, bytes }: MemoryFrame, injected: boolean): void {
  for (const spy of net.spies) spy({ from, to: to === 'all' ? to : [...to], bytes: copyBytes(bytes), injected });
  for (const user of net.users) {
    const isMeant = to === 'all' ? user.address !== from : to.includes(user.address);
    const mayArrive = (): boolean => net.borders.isOpen(from, user.address);
    if (isMeant && user.isReady() && mayArrive()) user.carry(bytes, from, mayArrive);
  }
}

/** Lets every user see who is there now. */
function showPresence(net: Net): void {
  for (const user of net.users) {
    const present = new Map<string, Set<number>>();
    for (const other of net.users) {
      if (other.address === user.address || other.state() !== 'up') continue;
      if (!net.borders.areTogether(other.address, user.address)) continue;
      present.set(other.address, (present.get(other.address) ?? new Set()).add(other.session));
    }
    user.see(present);
  }
}

function usersOf(net: Net, address: string): readonly User[] {
  return [...net.users].filter((user) => user.address === address);
}

function buryCrashed(net: Net, address: string): void {
  for (const user of usersOf(net, address)) if (user.isSilent()) net.users.delete(user);
}

function notUp(state: TransportState): TransportError {
  return new TransportError(
    state === 'stalled' ? 'transport/stalled' : 'transport/down',
    `send: the network is not up`,
  );
}
