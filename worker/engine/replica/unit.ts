import { equalBytes, type Bytes } from '../../../src/core/base/index.js';
import type { Entry } from '../../../src/core/entry/index.js';

/** A run of one chain with the author's signature of its last entry (F8): the unit of storage and of the wire. */
export interface Unit {
  readonly domainId: Bytes;
  readonly author: Bytes;
  readonly fromSeq: number;
  /** Id of the entry before `fromSeq`; zeros at 0. */
  readonly prevId: Bytes;
  /** At least one, contiguous. */
  readonly entries: readonly Entry[];
  readonly endSig: Bytes;
}

/** Two units of one chain as one, when the second continues the first. */
export function joinUnits(a: Unit, b: Unit): Unit {
  const last = a.entries.at(-1);
  if (last === undefined || !equalBytes(last.id, b.prevId)) throw new TypeError('joinUnits: not neighbours');
  return { ...a, entries: [...a.entries, ...b.entries], endSig: b.endSig };
}

/** The part of a unit from `seq` on; its end, and so its signature, stay. */
export function unitFrom(unit: Unit, seq: number): Unit {
  if (seq <= unit.fromSeq) return unit;
  const before = unit.entries[seq - unit.fromSeq - 1];
  if (before === undefined) throw new RangeError('unitFrom: beyond the unit');
  return { ...unit, fromSeq: seq, prevId: before.id, entries: unit.entries.slice(seq - unit.fromSeq) };
}
