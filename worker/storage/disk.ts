import type { Store, StoreTable } from '../../src/ports/index.js';

/** Every table, in the order of the schema. */
export const storeTables: readonly StoreTable[] = ['client', 'rooms', 'keys', 'packs', 'drafts', 'marks', 'state'];

/** The storage of one namespace, before anybody may write to it. Failures reject with `StoreError`. */
export interface Disk {
  /**
   * Takes over: raises the generation row by one in a strict transaction and gives it. From then on every store of a
   * lower generation is refused as `fenced` (tabs.md rule 4). `above`: the highest generation the caller has heard of,
   * so that erasing the database cannot bring an old number back.
   */
  readonly raiseGeneration: (above?: number) => Promise<number>;
  /** A store whose commits hold only while `generation` is the one on the disk. */
  readonly open: (generation: number) => Store;
  /** Lets go of what is open, where something is: an idle connection of a sleeping tab makes others wait (tabs.md T5). */
  readonly close: () => void;
  /**
   * Everything is gone and every open store is fenced when this resolves. An empty database stays: deleting it would make
   * whoever opens it next wait for every tab that sleeps with a connection.
   */
  readonly erase: () => Promise<void>;
}
