import type { StoreOp } from '../../../../src/ports/index.js';
import type { RoomCore } from '../core.js';
import type { Step } from '../step.js';
import { groupRows, sealDrafts, weightOf } from './row.js';
import type { Draft, DraftQueue, DraftRow } from './types.js';

/** Rows of so few stay in memory as they were written: they are soon rewritten, or signed. */
const maxKept = 8;

/** The queue of a domain, made where there is none. */
export function draftsIn({ drafts }: Pick<RoomCore, 'drafts'>, domain: string): DraftQueue {
  let queue = drafts.get(domain);
  if (queue === undefined) drafts.set(domain, (queue = { rows: [], count: 0, next: 0 }));
  return queue;
}

/** All drafts of the room. */
export function draftCount({ drafts }: Pick<RoomCore, 'drafts'>): number {
  let count = 0;
  for (const queue of drafts.values()) count += queue.count;
  return count;
}

/** Drafts join the step, as rows of their own; what they do is in the state already. The number of the first. */
export async function keepDrafts(
  core: RoomCore,
  step: Step,
  { domain, drafts }: { readonly domain: string; readonly drafts: readonly Draft[] },
): Promise<number> {
  const first = draftsIn(core, domain).next;
  const items = drafts.map((draft, i) => ({ n: first + i, count: 1, weight: weightOf(draft), draft }));
  for (const group of groupRows(items)) {
    const n = group[0]?.n ?? first;
    const { row, op } = await sealDrafts(core, { domain, n, drafts: group.map(({ draft }) => draft) });
    step.ops.push(op);
    addRow(core, row);
    if (row.count > maxKept) step.effects.push(() => (row.drafts = null));
  }
  return first;
}

/** A row joins the end of its queue, in memory. */
export function addRow(core: RoomCore, row: DraftRow): void {
  const queue = draftsIn(core, row.domain);
  queue.next = Math.max(queue.next, row.n + row.count);
  queue.count += row.count;
  queue.rows.push(row);
}

/** A row, or none, in the place of others, in memory. */
export function replaceRows(
  queue: DraftQueue,
  o: { readonly at: number; readonly gone: number; readonly by: DraftRow | undefined },
): void {
  const gone = queue.rows.splice(o.at, o.gone, ...(o.by ? [o.by] : []));
  for (const { count } of gone) queue.count -= count;
  queue.count += o.by?.count ?? 0;
}

/** Takes rows off the disk. */
export function deleteRows(rows: readonly DraftRow[]): StoreOp[] {
  return rows.map(({ key }) => ({ do: 'delete', table: 'drafts', key }));
}
