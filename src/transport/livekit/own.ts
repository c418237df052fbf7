import type { Room, RoomConnectOptions, RoomOptions } from 'livekit-client';
import { TransportError } from '../index.js';
import { finalError } from './borrow.js';
import { after } from './guard.js';
import { watchPageLife } from './page-life.js';
import { retryDelayMs } from './retry.js';
import type { Connection, Source } from './share.js';
import { watchCall, type WatchedCall } from './watch.js';

/** Where and as whom to connect. */
export interface CallAddress {
  readonly url: string;
  /** Asked before each try; a token need not outlive the try. */
  readonly token: () => Promise<string>;
}

/** As much of the SDK's module as is used; loaded when the first connection is made. */
export type LoadSdk = () => Promise<{ readonly Room: new (options: RoomOptions) => Room }>;

/** Longest wait for the app's token. */
const tokenPatienceMs = 30_000;

/** Longest wait for a connection: more than the socket and the SDK's own 15 s for the peer connection may take. */
const connectPatienceMs = 30_000;

/** Longest wait for the socket: one that hangs is better tried again than waited for, as the SDK would for 15 s. */
const socketPatienceMs = 8_000;

/** Longest wait for the goodbye to an old connection before the next is made. */
const goodbyePatienceMs = 1_000;

/** From the loss of the connection to its end, should the SDK not say that it has ended (it can hang: livekit.md V1). */
const lossPatienceMs = 3_000;

/** A connection that lasted this long was a good one: the next try after it comes at once. */
const settledMs = 5_000;

/** How often the data channel is looked at. */
const channelCheckMs = 2_000;

/** The SDK's own reconnecting is off: it hangs in Firefox, and a new connection is faster in all browsers (V1-V3). */
const roomOptions: RoomOptions = {
  reconnectPolicy: { nextRetryDelayInMs: () => null },
  // Done here, with the way back (see watchPageLife); the SDK's would also act on a question before leaving.
  disconnectOnPageLeave: false,
};

const connectOptions: RoomConnectOptions = {
  autoSubscribe: false,
  maxRetries: 0,
  websocketTimeout: socketPatienceMs,
};

/** How one try ended. */
type TryEnd = 'failed' | 'lost' | 'over';

/**
 * A data-only connection of our own, made again with a new `Room` and a new token whenever it is lost, until it is
 * closed or the call is over for this identity. `down` between tries; the reason, where somebody can act on it, as `error`.
 */
export function ownCall(
  address: CallAddress,
  on: Source,
  loadSdk: LoadSdk = () => import('livekit-client'),
): Connection {
  let current: { readonly room: Room; readonly watched: WatchedCall } | null = null;
  let isClosed = false;
  let isAway = false;
  let ignoredBefore = 0;
  let wasEverUp = false;
  let interrupt = (): void => undefined;
  let wake = (): void => undefined;

  /** A try could not be made or failed. Whoever is offline knows, and a page that is put away ends its own requests. */
  const miss = (why: string): null => {
    if (!isAway && !isOffline()) on.error(new TransportError('transport/unavailable', why));
    return null;
  };

  const stopWatching = watchPageLife({
    away: () => {
      isAway = true;
      interrupt();
    },
    wake: () => {
      isAway = false;
      wake();
    },
  });

  const run = async (): Promise<void> => {
    for (let failures = 0; !isClosed;) {
      const startedMs = performance.now();
      const end = await attempt();
      on.state('down');
      if (end === 'over') break;
      failures = end === 'lost' && performance.now() - startedMs >= settledMs ? 0 : failures + 1;
      await rest(retryDelayMs(failures, Math.random));
    }
    stopWatching();
  };

  /** Ends early when something wakes it, and not before the page is back when it is away. */
  const rest = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = after(delayMs, () => {
        if (!isAway) wake();
      });
      wake = () => {
        wake = () => undefined;
        cancel();
        resolve();
      };
      if (isClosed) wake();
    });

  const attempt = async (): Promise<TryEnd> => {
    if (typeof RTCPeerConnection === 'undefined') {
      on.error(new TransportError('transport/unavailable', 'this platform has no RTCPeerConnection'));
      return 'over';
    }
    const [token, sdk] = await Promise.all([
      within(address.token(), tokenPatienceMs).catch(() => miss('token() failed, or took longer than 30 s')),
      loadSdk().catch(() => miss('livekit-client (2.22.4 or later) could not be loaded; is it installed?')),
    ]);
    if (token === null || sdk === null || isClosed || isAway) return 'failed';
    return connect(new sdk.Room(roomOptions), token);
  };

  const connect = async (room: Room, token: string): Promise<TryEnd> => {
    let stopLooking = (): void => undefined;
    let wasUp = false;
    const ending = new Promise<TryEnd>((end) => {
      interrupt = () => {
        end('lost');
      };
      const watched = watchCall(room, {
        frame: on.frame,
        peer: on.peer,
        state: (state) => {
          stopLooking();
          if (state === 'up') {
            wasUp = wasEverUp = true;
            stopLooking = every(channelCheckMs, () => {
              if (isChannelDead(room)) interrupt();
            });
          }
          on.state(state === 'up' ? 'up' : 'down');
          if (state === 'down') stopLooking = after(lossPatienceMs, interrupt);
          if (state === 'stalled') interrupt();
        },
        barred: (error) => {
          on.error(error);
          end('failed');
        },
        ended: (reason) => {
          const error = finalError(reason);
          if (error !== null) on.error(error);
          // Of a connection that was never made, connect() tells more.
          if (error !== null || wasUp) end(error === null ? 'lost' : 'over');
        },
      });
      current = { room, watched };
    });
    const connecting = within(room.connect(address.url, token, connectOptions), connectPatienceMs);
    try {
      await Promise.race([connecting, ending]);
      return await ending;
    } catch (error) {
      if (isRefusal(error)) on.error(new TransportError('transport/token-refused', 'the server refused the token'));
      else if (!wasEverUp) miss('there is no connection to the LiveKit server');
      return 'failed';
    } finally {
      stopLooking();
      await leave();
    }
  };

  const leave = async (): Promise<void> => {
    if (current === null) return;
    const { room, watched } = current;
    current = null;
    watched.detach();
    ignoredBefore += watched.ignored();
    await within(room.disconnect(), goodbyePatienceMs).catch(() => undefined);
  };

  void run();
  return {
    self: () => current?.room.localParticipant.identity ?? '',
    send: async (frame, to) => {
      if (current === null) throw new TransportError('transport/down', 'send: the call is down');
      await current.watched.send(frame, to);
    },
    ignored: () => ignoredBefore + (current?.watched.ignored() ?? 0),
    close: () => {
      isClosed = true;
      interrupt();
      wake();
    },
  };
}

/** The promise, or a rejection after `patienceMs`. A later rejection of the promise is nobody's business any more. */
function within<T>(promise: Promise<T>, patienceMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = after(patienceMs, () => {
      reject(new Error('took too long'));
    });
    promise.then(resolve, reject).finally(cancel);
  });
}

function every(periodMs: number, run: () => void): () => void {
  const timer = setInterval(run, periodMs);
  return () => {
    clearInterval(timer);
  };
}

/** Surely without a network; where the platform does not say, tries show it. */
function isOffline(): boolean {
  return typeof navigator !== 'undefined' && !navigator.onLine;
}

/** The error's text is never looked at, kept or shown: it holds the whole token (V8). */
function isRefusal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'status' in error && error.status === 401;
}

/**
 * livekit-client 2.23 resolves each send on a channel that has died, for ever; the channel itself is the only sign.
 * It is no part of the SDK's public interface: where it cannot be found, nothing is concluded.
 */
function isChannelDead(room: Room): boolean {
  try {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- RELIABLE; the SDK does not export the enum.
    const state = room.engine.dataChannelForKind(0)?.readyState;
    return state === 'closing' || state === 'closed';
  } catch {
    return false;
  }
}
