/**
 * Largest frame a transport of ours takes, in bytes. LiveKit promises 15 KiB for reliable packets and counts its own
 * envelope in; the others keep to the same figure so that one engine cuts one size.
 */
export const maxFrameBytes: number = 15_000;

/**
 * Received frames above {@link maxFrameBytes} and up to this are handed on, so that their sender can be charged;
 * larger ones are dropped and counted unread. No network of ours carries more than this in one message.
 */
export const maxForeignFrameBytes: number = 64_000;

/** `up` carries frames; `down` is on its way back or ended; `stalled` will not come back by itself. */
export type TransportState = 'up' | 'down' | 'stalled';

/**
 * Why a transport did not do what it was asked, or ended.
 * Of `send`: `transport/down`, `transport/stalled`, `transport/closed`, `transport/full` (too much is waiting already).
 * Of `error`: `transport/identity-taken` (somebody else joined under our address: stopped), `transport/removed` (thrown
 * out, or the room was ended by its owner: stopped), `transport/unavailable` (the platform lacks what it needs: stopped;
 * no token, no SDK or no first connection: tries again), `transport/stalled`, `transport/token-refused` (or it grants
 * too little; tries again with the next token).
 */
export type TransportErrorCode =
  | 'transport/down'
  | 'transport/stalled'
  | 'transport/closed'
  | 'transport/full'
  | 'transport/identity-taken'
  | 'transport/removed'
  | 'transport/token-refused'
  | 'transport/unavailable';

/** A {@link TransportErrorCode} with words that never hold a token, a frame or a foreign error's text. */
export class TransportError extends Error {
  readonly code: TransportErrorCode;
  constructor(code: TransportErrorCode, message: string) {
    super(message);
    this.name = 'TransportError';
    this.code = code;
  }
}

/**
 * What a transport tells the one who opened it. Nothing is told before `open` has returned, nor after `close`.
 * `frame` and `peer` come only between `state('up')` and the next other state; that other state means everybody is
 * gone, and the next `up` names those present again. Handlers should not throw; a throw does not harm the transport.
 */
export interface TransportEvents {
  /** The bytes belong to the receiver. `from` is what the network says: routing, never proof of who it is. */
  readonly frame: (bytes: Uint8Array, from: string) => void;
  /**
   * Hints, late or missing at times: frames of an address may come before its `here` and after its `gone`.
   * A new session under an address already here is `gone`, then `here`.
   */
  readonly peer: (address: string, change: 'here' | 'gone') => void;
  /** Each `up`, also after the shortest `down`, may have lost frames both ways: greet and compare afresh. */
  readonly state: (state: TransportState) => void;
  /**
   * Why the state is what it is, where a person or the app can do something about it. Comes after the state it explains,
   * and once, however often it is tried again, until there was an `up`.
   */
  readonly error?: (error: TransportError) => void;
}

/** One use of a transport, from `open` to `close`. */
export interface OpenTransport {
  /** Own address there, as others see it; empty until up. */
  readonly self: string;
  readonly maxFrameBytes: number;
  /**
   * Resolves when the network has taken a copy of the frame; never means received. An empty list reaches nobody, an
   * unknown address neither. Rejects with a {@link TransportError}; with RangeError when the frame is longer than
   * `maxFrameBytes`. `lossy` allows a network to lose the frame rather than delay others behind it.
   */
  readonly send: (frame: Uint8Array, to: readonly string[] | 'all', o: { lossy: boolean }) => Promise<void>;
  /** Leaves the network. Safe to call twice. */
  readonly close: () => void;
  /** How many messages from outside were dropped because they were no frames, since `open`; for diagnostics. */
  readonly ignored?: () => number;
}

/**
 * A way to reach others: an unreliable bus of addresses, in order per sender while it is up. It neither keeps frames
 * for later nor retries them, and what it says about others is a hint.
 */
export interface Transport {
  /** 'livekit', 'broadcast', 'memory', … */
  readonly type: string;
  /** Each open is a use of its own; closing one leaves the others as they are. */
  readonly open: (on: TransportEvents) => OpenTransport;
}
