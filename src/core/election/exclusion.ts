import type { Bytes } from '../base/index.js';
import { toHex } from '../base/index.js';
import { firstExclusionMs, maxExclusionMs } from './timing.js';

/** Why a source stands back: too slow ones are the last resort, those that sent bad copies none at all. */
export type ExclusionKind = 'slow' | 'bad';

/** One source that failed. Kept after its end, so that the next failure counts double. */
export interface Exclusion {
  readonly device: Bytes;
  readonly kind: ExclusionKind;
  readonly untilMs: number;
  readonly times: number;
}

/** By device in hex, the newest last. */
export type Exclusions = ReadonlyMap<string, Exclusion>;

const maxExclusions = 256;

/** With one more failure of a device. */
export function exclude(
  all: Exclusions,
  failed: { readonly device: Bytes; readonly kind: ExclusionKind },
  now: number,
): Exclusions {
  const key = toHex(failed.device);
  const times = (all.get(key)?.times ?? 0) + 1;
  const lengthMs = Math.min(maxExclusionMs, firstExclusionMs * 2 ** (times - 1));
  const next = new Map(all);
  next.delete(key);
  next.set(key, { ...failed, untilMs: now + lengthMs, times });
  for (const oldest of next.keys()) {
    if (next.size <= maxExclusions) break;
    next.delete(oldest);
  }
  return next;
}

/** Without a device: it has served. */
export function forgive(all: Exclusions, device: Bytes): Exclusions {
  const next = new Map(all);
  next.delete(toHex(device));
  return next;
}

/** How a device stands now; null when nothing is held against it. */
export function exclusionOf(all: Exclusions, device: Bytes, now: number): ExclusionKind | null {
  const found = all.get(toHex(device));
  return found !== undefined && found.untilMs > now ? found.kind : null;
}

/** The newest `max` that stand back now. */
export function activeExclusions(all: Exclusions, max: number, now: number): Bytes[] {
  return [...all.values()]
    .filter(({ untilMs }) => untilMs > now)
    .slice(-max)
    .map(({ device }) => device);
}
