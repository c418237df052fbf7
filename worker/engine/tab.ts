import type { FromEngine } from '../../src/bridge/index.js';

/** One page as the engine knows it. */
export interface Tab {
  readonly id: string;
  readonly send: (message: FromEngine) => void;
  /** Rooms it shows, by id in hex. */
  readonly rooms: Set<string>;
  /** Joins it waits for, with their cancellation. */
  readonly joins: Map<string, () => void>;
}
