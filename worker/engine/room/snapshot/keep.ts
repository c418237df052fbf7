import { StoreError } from '../../../../src/ports/index.js';
import { bump, commitRows, type RoomCore } from '../core.js';
import { canFreeze, changesOf, dropOps, freezeRoom, snapshotOps, type FrozenRoom } from './write.js';

/** Changes that are not worth a snapshot: reading them takes less than a moment. */
const minChanges = 128;
/** And for each block of records, so that what is written stays in proportion to what has changed. */
const minChangesPerBlock = 32;
/** Rest after a change before a snapshot is thought of, and between two. */
const waitMs = 5_000;
/** When a room closes, others wait for it: larger ones have what was written in idle time. */
const maxBlocksAtEnd = 8;

/** What keeps a room's snapshot up to date: in idle time, and when the room closes. */
export interface Snapshots {
  /** Something was committed. */
  readonly committed: () => void;
  /** Call with nothing uncommitted and nothing else running; nothing is written after it. */
  readonly stop: () => Promise<void>;
}

export function createSnapshots(core: RoomCore): Snapshots {
  const pace = core.ports.snapshots ?? { minChanges, waitMs };
  let cancel: (() => void) | null = null;
  let writing: Promise<void> | null = null;
  let stopped = false;

  const isDue = (): boolean => {
    const { changes, blocks, isBad } = core.snapshot ?? { changes: 0, blocks: 0, isBad: false };
    return isBad || Math.abs(changesOf(core) - changes) >= Math.max(pace.minChanges, minChangesPerBlock * (blocks - 1));
  };
  const freeze = (maxBlocks = Infinity): void => {
    if (stopped || writing !== null || !isDue()) return;
    const frozen = canFreeze(core) ? freezeRoom(core) : null;
    if (frozen !== null && frozen.blocks.length > maxBlocks) return;
    writing = write(core, frozen).finally(() => (writing = null));
  };
  const wait = (): void => {
    const { draftsLeft } = core;
    cancel = core.ports.time.after(pace.waitMs, () => {
      cancel = null;
      if (core.draftsLeft !== draftsLeft) return wait(); // what is written while they are signed is in vain
      // When the step is stored: then memory and disk are the same.
      core.loop.enqueue((step) => {
        step.effects.push(() => {
          freeze();
        });
      });
    });
  };
  return {
    committed: () => {
      if (!stopped && cancel === null && isDue()) wait();
    },
    stop: async () => {
      cancel?.();
      await writing;
      freeze(maxBlocksAtEnd);
      stopped = true;
      await writing;
    },
  };
}

/**
 * In a transaction of its own: it fails alone, and what is committed meanwhile is not in it and is read beside it. Null:
 * nothing can be told in short, and what is there goes if it is of no use.
 */
async function write(core: RoomCore, frozen: FrozenRoom | null): Promise<void> {
  if (frozen === null && core.snapshot?.isBad !== true) return;
  try {
    const ops = frozen === null ? dropOps(core) : await snapshotOps(core, frozen);
    if (frozen?.isCurrent() === false) return; // drafts were signed since: they would count twice
    await commitRows(core, ops);
    if (frozen?.isCurrent() === false) return; // and it is gone again
    core.snapshot = frozen && { changes: frozen.head.changes, blocks: frozen.blocks.length, isBad: false };
    bump(core, frozen === null ? 'snapshotsDropped' : 'snapshotsWritten');
  } catch (error) {
    bump(core, 'snapshotsFailed');
    if (!(error instanceof StoreError)) core.ports.report?.(error);
  }
}
