import { equalBytes, isZero } from '../../../src/core/base/index.js';
import { maxContentBytes, maxUnitEntries } from '../../../src/core/pack/index.js';
import { joinUnits, type Unit } from '../replica/index.js';
import { unitColumns } from './units.js';

/** Columns at which a joined unit is full, before they are deflated: under the bounds of a pack and of its body (F8, F24). */
const joinedBytes: number = 160 * 1024;

/** What is known of units that were looked at: what their columns take at most, and what those stand for. */
const weights = new WeakMap<Unit, { readonly columns: number; readonly contents: number }>();

/**
 * Two units of one chain as one, the second right after the first; null where they may not be: never across a common cut
 * point, never in control, never beyond the bounds of a unit and of its body, and never where the epoch changes: who lacks
 * a key lacks no more than what is under it (F8).
 */
export function tryJoin(a: Unit, b: Unit): Unit | null {
  const [end, start] = [a.entries.at(-1), b.entries[0]];
  if (end === undefined || start === undefined) return null;
  if (isZero(a.domainId) || b.fromSeq % maxUnitEntries === 0 || !equalBytes(end.kid, start.kid)) return null;
  if (a.entries.length + b.entries.length > maxUnitEntries) return null;
  const [first, second] = [weigh(a), weigh(b)];
  // Together their columns take less: tables are shared.
  const [columns, contents] = [first.columns + second.columns, first.contents + second.contents];
  if (columns > joinedBytes || contents > maxContentBytes) return null;
  const joined = joinUnits(a, b);
  weights.set(joined, { columns, contents });
  return joined;
}

function weigh(unit: Unit): { readonly columns: number; readonly contents: number } {
  let weight = weights.get(unit);
  if (weight === undefined) {
    const contents = unit.entries.reduce((sum, { payload }) => sum + (payload?.length ?? 0), 0);
    weights.set(unit, (weight = { columns: unitColumns(unit).length, contents }));
  }
  return weight;
}
