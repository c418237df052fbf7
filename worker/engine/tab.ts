import type { FromEngine } from '../../src/bridge/index.js';

/** One page as the engine knows it. */
export interface Tab {
  readonly id: string;
  readonly send: (message: FromEngine) => void;
  /** Rooms it shows, by id in hex. */
  readonly rooms: Set<string>;
  /** Its calls to open a room that are not answered yet; none of them rejects. */
  readonly opening: Set<Promise<void>>;
  /** Joins it waits for, with their cancellation. */
  readonly joins: Map<string, () => void>;
}
