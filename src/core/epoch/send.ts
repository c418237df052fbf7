import { toHex, type Bytes } from '../base/index.js';
import type { AccessState, EpochState } from '../access/index.js';

/**
 * The send rule (security.md §2.5, F5): content goes out only under an epoch whose recipients all have effect in my view, and
 * which nobody else can open by a later one. Of several the one with the most recipients, who are all of them where nobody
 * was left out; then the highest (gen, kid). Null: none such of which the key is held; a new epoch is due.
 */
export function chooseSendEpoch(access: AccessState, isHeld: (kidHex: string) => boolean): EpochState | null {
  let best: { readonly key: string; readonly epoch: EpochState } | null = null;
  for (const [key, epoch] of access.epochs) {
    if (epoch.recipients.size === 0 || leaked(access).has(key) || !isHeld(key)) continue;
    if (best === null || compareUse(epoch, best.epoch) > 0 || (compareUse(epoch, best.epoch) === 0 && key > best.key))
      best = { key, epoch };
  }
  return best?.epoch ?? null;
}

function compareUse(a: EpochState, b: EpochState): number {
  return a.recipients.size - b.recipients.size || a.gen - b.gen;
}

const known = new WeakMap<AccessState, ReadonlySet<string>>();

/** Kids (hex) of which somebody without effect was given the key, or that of an epoch with a link to it (EPO-2). */
function leaked(access: AccessState): ReadonlySet<string> {
  const before = known.get(access);
  if (before !== undefined) return before;
  const found = new Set<string>();
  for (const [kid, devices] of access.recipients)
    if ([...devices].some((device) => !access.devices.has(device))) found.add(kid);
  for (const kid of found) for (const parent of access.kids.get(kid) ?? []) found.add(parent);
  known.set(access, found);
  return found;
}

/** Epochs that no other names as a parent: what a new epoch continues. */
export function epochHeads(access: AccessState): readonly EpochState[] {
  const parents = new Set<string>();
  for (const { record } of access.epochs.values())
    if (record.payload.kind === 'epoch') for (const parent of record.payload.parents) parents.add(toHex(parent));
  return [...access.epochs.values()].filter((epoch) => !parents.has(toHex(epoch.kid)));
}

/** The generation a child of these epochs must have (F12). */
export function nextGeneration(parents: readonly EpochState[]): number {
  return 1 + Math.max(0, ...parents.map((epoch) => epoch.gen));
}

/** Kids newest first: what a HELLO names and a unicast chooses from. */
export function kidsNewestFirst(access: AccessState, isHeld: (kidHex: string) => boolean): readonly Bytes[] {
  const held = [...access.epochs].filter(([key]) => isHeld(key));
  held.sort(([a, x], [b, y]) => y.gen - x.gen || (a < b ? 1 : -1));
  return held.map(([, epoch]) => epoch.kid);
}
