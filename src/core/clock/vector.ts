/** The newest sequence number held per chain, by device id in lower-case hex. Chains have no holes, so this names a set. */
export type VectorClock = ReadonlyMap<string, number>;

/** How two clocks stand: `before` = everything in the first is in the second, and not the reverse. */
export type ClockOrder = 'equal' | 'before' | 'after' | 'concurrent';

/** Sequence numbers begin at 0: this is the answer for a chain of which nothing is held. */
export const noSeq = -1;

/** Newest sequence number of a device, {@link noSeq} for none. */
export function seqOf(clock: VectorClock, device: string): number {
  return clock.get(device) ?? noSeq;
}

/** A new clock that covers both. */
export function mergeClocks(a: VectorClock, b: VectorClock): Map<string, number> {
  const out = new Map(a);
  for (const [device, seq] of b) if (seq > seqOf(out, device)) out.set(device, seq);
  return out;
}

/** Whether everything `other` names is held. */
export function coversClock(clock: VectorClock, other: VectorClock): boolean {
  for (const [device, seq] of other) if (seqOf(clock, device) < seq) return false;
  return true;
}

/** The partial order of clocks. */
export function compareClocks(a: VectorClock, b: VectorClock): ClockOrder {
  const isAfterOrEqual = coversClock(a, b);
  const isBeforeOrEqual = coversClock(b, a);
  if (isAfterOrEqual) return isBeforeOrEqual ? 'equal' : 'after';
  return isBeforeOrEqual ? 'before' : 'concurrent';
}
