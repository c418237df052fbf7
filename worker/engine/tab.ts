import type { FromEngine } from '../../src/bridge/index.js';

/** One page as the engine knows it. */
export interface Tab {
  readonly id: string;
  readonly send: (message: FromEngine) => void;
  /** Rooms it shows, by id in hex. */
  readonly rooms: Set<string>;
  /** Calls that have no answer yet, by id. */
  readonly calls: Map<number, TabCall>;
}

/** A call under way. Once it is over, what it leads to is for nobody. */
export interface TabCall {
  /** Holds what is opened for it, until it has its answer. */
  readonly holder: string;
  isOver: boolean;
  /** Told when it is. `isGone`: with the page, which may come back for what was begun. */
  ended: (o: { readonly isGone: boolean }) => void;
}

/** The page waits for the answer no longer. */
export function endCall(call: TabCall, isGone: boolean): void {
  call.isOver = true;
  call.ended({ isGone });
}
