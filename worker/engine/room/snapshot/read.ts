import { storedBytes } from '../../../../src/ports/index.js';
import { bump, countFault, type RoomCore } from '../core.js';
import { openRow, snapshotVersion, type SnapshotHead } from './form.js';
import type { StoredRoom } from '../stored.js';

/** A snapshot as it lies on the disk, whole and of this device. */
export interface StoredSnapshot {
  readonly head: SnapshotHead;
  readonly blocks: readonly { readonly collections: readonly string[]; readonly text: string }[];
}

/**
 * The snapshot of the room, if there is one: every row opens, belongs to the same one, and is written by this version.
 * What is damaged is counted as 'store/corrupt' and marked, so that it goes.
 */
export async function readSnapshot(core: RoomCore, stored: StoredRoom): Promise<StoredSnapshot | null> {
  const rows = stored.state('snapshot');
  core.snapshot = { changes: 0, blocks: 0, isBad: true }; // until it has been used
  const opened = await Promise.all(
    rows.map(async ({ key, value }, index) => {
      const sealed = storedBytes(value);
      return sealed !== null && key[2] === index ? openRow(core.ports, { sealed, index }) : null;
    }),
  );
  const head = opened[0] ? parseHead(opened[0].text) : null;
  if (head !== null && head.version !== snapshotVersion) {
    bump(core, 'snapshotsStale');
    return null;
  }
  const isWhole =
    head?.room === core.room &&
    head.device === core.device &&
    opened.length === head.blocks.length + 1 &&
    opened.every((row) => row !== null && row.id === opened[0]?.id);
  if (!isWhole) {
    countFault(core, 'store/corrupt');
    return null;
  }
  return {
    head,
    blocks: head.blocks.map((collections, i) => ({ collections, text: opened[i + 1]?.text ?? '' })),
  };
}

/** Sealed by this device: of its own version it has the form that was written. */
function parseHead(text: string): SnapshotHead | null {
  try {
    return JSON.parse(text) as SnapshotHead;
  } catch {
    return null;
  }
}
