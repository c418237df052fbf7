import { smallRun } from '../compact-plan.js';
import { commitRows, fanInOf, type RoomCore } from '../core.js';
import { deleteRows, draftsIn, replaceRows } from './queue.js';
import { groupRows, openDrafts, sealDrafts } from './row.js';
import type { Draft, DraftRow } from './types.js';

/** Makes one row of several, where that is worth it; call between two turns. False: there is nothing to do. */
export async function mergeDrafts(core: RoomCore): Promise<boolean> {
  for (const [domain, { rows }] of core.drafts) {
    const run = planRows(rows, fanInOf(core));
    if (run === null) continue;
    const drafts: Draft[] = [];
    for (const row of run) drafts.push(...((await openDrafts(core, row)) ?? []));
    const by = await sealDrafts(core, { domain, n: run[0]?.n ?? 0, drafts });
    const count = run.reduce((sum, row) => sum + row.count, 0);
    if (by.row.count !== count) continue; // one is damaged: that is told when its turn to be signed comes
    by.row.drafts = null;
    await new Promise<void>((resolve, reject) => {
      core.loop.alone(() => replace(core, run, by).then(resolve, reject));
    });
    return true;
  }
  return false;
}

/**
 * Neighbouring rows that are worth being one, or null. From the front on as many share a row as it may hold; of those at
 * the end some, when they are a higher power of `fanIn` together: no draft is rewritten more often than there are powers,
 * and once.
 */
export function planRows(rows: readonly DraftRow[], fanIn: number): readonly DraftRow[] | null {
  const groups = groupRows(rows);
  const last = groups.pop() ?? [];
  return groups.find((group) => group.length > 1) ?? smallRun(last, fanIn);
}

/** The new row takes the place of the old ones in one commit, unless they are no longer where they were. */
async function replace(
  core: RoomCore,
  run: readonly DraftRow[],
  by: Awaited<ReturnType<typeof sealDrafts>>,
): Promise<void> {
  const queue = draftsIn(core, by.row.domain);
  const at = queue.rows.findIndex((row) => row === run[0]);
  if (!run.every((row, i) => queue.rows[at + i] === row)) return;
  await commitRows(core, [...deleteRows(run), by.op]);
  replaceRows(queue, { at, gone: run.length, by: by.row });
}
