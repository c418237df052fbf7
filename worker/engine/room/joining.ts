import { equalBytes, isZero } from '../../../src/core/base/index.js';
import { maxUnitEntries } from '../../../src/core/pack/index.js';
import type { Unit } from '../replica/index.js';

/** Bytes at which a joined unit is full, before they are deflated: under the bounds of a pack and of its body (F8, F24). */
const joinedBytes: number = 128 * 1024;
/** What an entry without payload and dependencies may take in a body: every column at its largest (PACK-3). */
const entryWeight = 96;
const depWeight = 32;

/**
 * Whether two units of one chain, the second right after the first, may be one: never across a common cut point, never in
 * control, never beyond the bounds of a unit, and never where the epoch changes: who lacks a key lacks no more than what
 * is under it (F8).
 */
export function mayJoin(a: Unit, b: Unit): boolean {
  const [end, start] = [a.entries.at(-1), b.entries[0]];
  if (end === undefined || start === undefined) return false;
  if (isZero(a.domainId) || b.fromSeq % maxUnitEntries === 0 || !equalBytes(end.kid, start.kid)) return false;
  if (a.entries.length + b.entries.length > maxUnitEntries) return false;
  return weight(a) + weight(b) <= joinedBytes;
}

function weight(unit: Unit): number {
  const weightOf = ({ payload, deps }: Unit['entries'][number]): number =>
    (payload?.length ?? 32) + depWeight * deps.length + entryWeight;
  return unit.entries.reduce((sum, entry) => sum + weightOf(entry), 0);
}
