import type { Bytes } from '../base/index.js';
import type { Exclusions } from './exclusion.js';

/** A claim that may still be granted. */
export interface OpenClaim {
  readonly claimer: Bytes;
  readonly coverage: number;
  readonly load: number;
  readonly untilMs: number;
}

/** Where a request stands, and what ends the wait. One source serves at a time. */
export type RequestPhase =
  /** Nothing is asked. */
  | { readonly is: 'idle' }
  /** Waits for any claim. */
  | { readonly is: 'asking'; readonly untilMs: number }
  /** Has a partial claim and waits a moment for better ones. */
  | { readonly is: 'collecting'; readonly untilMs: number }
  /** Granted: waits for bytes of `transfer`. */
  | { readonly is: 'served'; readonly by: Bytes; readonly transfer: number; readonly untilMs: number }
  /** Nobody could serve: waits before the next attempt, and takes a late claim at once. */
  | { readonly is: 'pausing'; readonly untilMs: number };

/** One requester of a room. Immutable; what is held against sources stays over its requests. */
export interface Requester {
  readonly phase: RequestPhase;
  /** Of the newest request; 16 bytes. */
  readonly reqId: Bytes;
  readonly attempt: number;
  /** Attempts in a row that led to nothing, over requests. */
  readonly failures: number;
  readonly claims: readonly OpenClaim[];
  readonly exclusions: Exclusions;
  readonly nextTransfer: number;
  readonly peers: number;
  readonly rttMs: number | null;
  /** Only the preferred device is asked: when it does not serve, the request is over and counts for nothing. */
  readonly alone: boolean;
}

/** What happens to a requester. */
export type RequestEvent =
  | {
      readonly is: 'start';
      /** 16 fresh random bytes. */
      readonly reqId: Bytes;
      /** Who certainly has what I lack: granted with the request itself. */
      readonly prefer: Bytes | null;
      /** Devices that serve, besides me. */
      readonly peers: number;
      readonly rttMs: number | null;
      /** Nobody but the preferred device is to hear of it: a stranger that may know the room better than I do. */
      readonly alone?: boolean;
    }
  | { readonly is: 'claim'; readonly claimer: Bytes; readonly coverage: number; readonly load: number }
  /** Useful bytes came. */
  | { readonly is: 'progress'; readonly transfer: number }
  /** The source said that was all; useful: it brought what it had promised. */
  | { readonly is: 'done'; readonly transfer: number; readonly complete: boolean; readonly useful: boolean }
  /** The source sent a bad copy; `sealer`: who has signed for it (F2), when that is somebody else. */
  | { readonly is: 'bad'; readonly transfer: number; readonly sealer?: Bytes }
  | { readonly is: 'timer' }
  | { readonly is: 'peer-gone'; readonly device: Bytes }
  | { readonly is: 'cancel' };

/** What the engine has to do, in order. */
export type RequestAction =
  | {
      readonly do: 'send-req';
      readonly reqId: Bytes;
      readonly attempt: number;
      readonly want: number;
      readonly prefer: Bytes | null;
      readonly exclude: readonly Bytes[];
      readonly transfer: number;
    }
  | { readonly do: 'send-grant'; readonly reqId: Bytes; readonly claimer: Bytes; readonly transfer: number }
  /** The transfer is over, well or not: nothing of it is expected any more. */
  | { readonly do: 'end-transfer'; readonly source: Bytes; readonly transfer: number }
  /** The one timer of the requester; replaces the one before. */
  | { readonly do: 'arm-timer'; readonly atMs: number }
  | { readonly do: 'stop-timer' }
  | { readonly do: 'finished'; readonly by: Bytes; readonly complete: boolean }
  /** Nobody serves. Start again then, or when something new is heard. */
  | { readonly do: 'gave-up'; readonly untilMs: number };

/** When something happens, and a number in [0, 1) for delays. */
export interface Moment {
  readonly now: number;
  readonly random: number;
}

/** A requester and what to do for it. */
export interface RequestStep {
  readonly state: Requester;
  readonly actions: readonly RequestAction[];
}
