import type { Deflate, Random, Store, Time, Vault } from '../../src/ports/index.js';

/** Everything an engine is given. Hosts choose the parts; the engine cannot tell a browser from the simulator. */
export interface EnginePorts {
  readonly store: Store;
  readonly vault: Vault;
  readonly time: Time;
  readonly random: Random;
  readonly deflate: Deflate;
  /** Raised by one for each engine of this namespace (tabs.md rule 4). */
  readonly generation: number;
  /** How safe the disk is, as the host knows it. */
  readonly durability: 'durable' | 'evictable' | 'memory';
  /** Elections only: no beacon is sent and nobody preferred, as in a room where nobody has heard of anybody (bar S11). */
  readonly isCold?: boolean;
  /** How many small stored packs, or rows of drafts, become one (8 when absent): fewer in the simulator, whose rooms are small. */
  readonly fanIn?: number;
  /** How eagerly snapshots are written: after so many changes, so long after the first of them. The simulator and tests are. */
  readonly snapshots?: { readonly minChanges: number; readonly waitMs: number };
  /** Long work gives others their turn after so many milliseconds (8 when absent, 50 while a room is read). The simulator's takes no time. */
  readonly turnMs?: number;
  /** Told of errors that no input should be able to cause: a mistake of ours, which the room survives by reading its disk again. */
  readonly report?: (error: unknown) => void;
  /** Each check of the core that the simulator may switch off, to prove that some seed then fails. Absent in every other host. */
  readonly weaknesses?: ReadonlySet<Weakness>;
}

/** Defences that the simulator's table switches off one by one. */
export type Weakness =
  'signature' | 'prev' | 'commitment' | 'permission' | 'replay' | 'dedupe' | 'fence' | 'resume-probe';
