import { copyBytes, type Bytes } from '../../core/base/index.js';
import { checkSend, maxFrameBytes, TransportError } from '../index.js';
import type { OpenTransport, Transport, TransportEvents, TransportState } from '../index.js';
import { guard } from './guard.js';
import { notUp } from './watch.js';

/** What a connection tells all its users. It may begin while it is being started. */
export interface Source {
  readonly frame: (bytes: Bytes, from: string) => void;
  readonly peer: (address: string, change: 'here' | 'gone') => void;
  readonly state: (state: TransportState) => void;
  /** The same words again count only after an `up`. */
  readonly error: (error: TransportError) => void;
}

/** A connection that runs until it is closed. */
export interface Connection {
  readonly self: () => string;
  /** Called only while up, with a copy of the frame and of the list. */
  readonly send: (frame: Bytes, to: readonly string[] | 'all') => Promise<void>;
  readonly ignored: () => number;
  readonly close: () => void;
}

interface User {
  readonly on: TransportEvents;
  /** Told what is the case; from then on it hears of changes. */
  isReady: boolean;
  isClosed: boolean;
}

/** The connection and what a late user has to be told of it. */
interface Run {
  connection: Connection | null;
  state: TransportState;
  /** Each trouble is told once, until there was an `up`. */
  readonly errors: TransportError[];
  readonly peers: Set<string>;
  readonly users: Set<User>;
}

/**
 * One connection for all uses of one transport object: the first open starts it, the last close ends it. Two
 * connections under one identity would evict each other. Keeps the promises of {@link TransportEvents}.
 */
export function shareTransport(type: string, start: (source: Source) => Connection): Transport {
  let current: Run | null = null;
  const begin = (): Run => {
    const run: Run = { connection: null, state: 'down', errors: [], peers: new Set(), users: new Set() };
    return run;
  };
  return {
    type,
    open: (on) => {
      const user: User = { on, isReady: false, isClosed: false };
      const run = current ?? begin();
      run.users.add(user);
      if (current === null) {
        current = run;
        run.connection = start(sourceOf(run));
      }
      void Promise.resolve().then(() => {
        catchUp(run, user);
      });
      return useOf(run, user, () => {
        if (current === run) current = null;
      });
    },
  };
}

function useOf(run: Run, user: User, forget: () => void): OpenTransport {
  return {
    get self() {
      return run.state === 'up' && user.isReady ? (run.connection?.self() ?? '') : '';
    },
    maxFrameBytes,
    send: async (frame, to) => {
      checkSend(frame, to);
      if (user.isClosed) throw new TransportError('transport/closed', 'send: this use of the call was closed');
      if (run.state !== 'up' || run.connection === null) throw notUp(run.state);
      await run.connection.send(copyBytes(frame), to === 'all' ? to : [...to]);
    },
    close: () => {
      if (user.isClosed) return;
      user.isClosed = true;
      run.users.delete(user);
      if (run.users.size > 0) return;
      forget();
      run.connection?.close();
    },
    ignored: () => run.connection?.ignored() ?? 0,
  };
}

function sourceOf(run: Run): Source {
  const tell = (each: (on: TransportEvents) => void): void => {
    for (const user of run.users) if (user.isReady) guard(each)(user.on);
  };
  return {
    frame: (bytes, from) => {
      // Each user owns what it is given; the only one gets the bytes themselves.
      const isShared = run.users.size > 1;
      if (run.state === 'up') tell((on) => on.frame(isShared ? copyBytes(bytes) : bytes, from));
    },
    peer: (address, change) => {
      if (run.state !== 'up' || run.peers.has(address) === (change === 'here')) return;
      if (change === 'here') run.peers.add(address);
      else run.peers.delete(address);
      tell((on) => on.peer(address, change));
    },
    state: (state) => {
      if (run.state === state) return;
      run.state = state;
      run.peers.clear();
      if (state === 'up') run.errors.length = 0;
      tell((on) => on.state(state));
    },
    error: (error) => {
      if (run.errors.some(({ message }) => message === error.message)) return;
      run.errors.push(error);
      tell((on) => on.error?.(error));
    },
  };
}

/** Tells a new user, after its `open` has returned, what the others know. */
function catchUp(run: Run, user: User): void {
  if (user.isClosed) return;
  user.isReady = true;
  const { on } = user;
  const { state, errors, peers } = run;
  if (state !== 'down') guard(on.state)(state);
  for (const address of peers) if (run.state === 'up') guard(on.peer)(address, 'here');
  for (const error of errors) guard((told: TransportError) => on.error?.(told))(error);
}
