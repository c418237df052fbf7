import type { FromEngine, ToEngine } from '../../src/bridge/index.js';

/** How much of a session has been sent; what comes after it in the channel was sent after it. */
export interface Sent {
  readonly session: string;
  readonly count: number;
}

/**
 * What the workers of one namespace say to each other. A session is one attachment of one tab to one engine: its
 * messages are numbered from 0 in both directions, and a gap ends it. To a follower everything carries the generation.
 */
export type TabMessage =
  /** The leader lives; `sent` tells each attached tab what it must have received. */
  | {
      readonly m: 'beat';
      readonly from: string;
      readonly generation: number;
      readonly blocked: boolean;
      readonly sent: Readonly<Record<string, Sent>>;
    }
  /** The lock has a new holder whose engine is not up yet; `blocked`: the database makes it wait. */
  | { readonly m: 'taking'; readonly from: string; readonly blocked: boolean }
  /** The leader gives up; a worker that is frozen while it does so keeps the lock. */
  | { readonly m: 'leaving'; readonly from: string; readonly generation: number }
  /** Whoever leads, show yourself. */
  | { readonly m: 'ask'; readonly from: string }
  /** A follower wants to be attached; `life` names the lock that shows when it is gone. */
  | { readonly m: 'hello'; readonly from: string; readonly session: string; readonly life: string }
  | { readonly m: 'welcome'; readonly to: string; readonly generation: number; readonly session: string }
  | {
      readonly m: 'up';
      readonly from: string;
      readonly generation: number;
      readonly session: string;
      readonly seq: number;
      readonly body: ToEngine;
    }
  | {
      readonly m: 'down';
      readonly to: string;
      readonly generation: number;
      readonly session: string;
      readonly seq: number;
      readonly body: FromEngine;
    }
  /** The follower's side of `sent`, after each beat before which it sent something. */
  | { readonly m: 'count'; readonly from: string; readonly sent: Sent }
  /** The leader missed something of this session, or does not know it: say hello again. */
  | { readonly m: 'again'; readonly to: string; readonly session: string }
  /** This tab rests or stops. */
  | { readonly m: 'bye'; readonly from: string; readonly life: string };

/** The form in the channel. */
export interface Envelope {
  readonly v: number;
  readonly body: TabMessage;
}

/** Other code of the same origin may use the channel too: what is no envelope is nothing to us. */
export function isEnvelope(value: unknown): value is Envelope {
  if (typeof value !== 'object' || value === null || !('v' in value) || !('body' in value)) return false;
  return typeof value.v === 'number' && typeof value.body === 'object' && value.body !== null && 'm' in value.body;
}
