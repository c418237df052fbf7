import { toBase64Url } from '../base/index.js';
import type { Hlc, Stamp } from '../clock/index.js';
import { recordIdText, singleRecordId } from '../identity/index.js';
import type { FieldValues, Op } from '../op/index.js';
import type { Cell } from './cell.js';
import { createCell, incrementField, makeCell, writeFields } from './cell.js';

/** An entry as far as records are concerned. */
export interface RecordEntry {
  /** Device id, lower-case hex. */
  readonly author: string;
  readonly hlc: Hlc;
  /** All of the entry's ops, in their order: an op's index is part of its stamp. */
  readonly ops: readonly Op[];
}

/** Where something can be seen to have changed. */
export interface ChangedRecord {
  readonly collection: string;
  /** base64url. */
  readonly id: string;
}

/** A record that exists. */
export interface RecordState {
  /** What was written, without defaults; counters as their sum. The same object until the record changes. */
  readonly fields: FieldValues;
  /** Time of the insert that made it; of a single's first update. A claim of its author. */
  readonly createdAtMs: number;
  /** First half of the creator's device id, hex; zeros for a single. */
  readonly creatorPrefix: string;
}

/** The merge state of one room. */
export interface Records {
  /**
   * Applies an entry once: the caller sees to that, a counter would count a second time. Takes over the values of the
   * ops, which must not change any more. Answers the records that look different now, each once.
   */
  readonly apply: (entry: RecordEntry) => readonly ChangedRecord[];
  /** The record of that base64url id; null when it was never made, or was deleted. */
  readonly get: (collection: string, id: string) => RecordState | null;
  /** All records of a collection, in no order that means anything. */
  readonly entries: (collection: string) => Iterable<readonly [id: string, record: RecordState]>;
  /** Names of the collections that any op has named. */
  readonly collections: () => readonly string[];
}

/** A deleted record keeps only its id: nothing that comes later changes it. */
const deleted = null;
type Slot = Cell | typeof deleted;

const noSlots = new Map<string, Slot>();
const singleId = toBase64Url(singleRecordId());
/** Hex digits of the part of a device id that a record id names. */
const prefixDigits = 32;
const noCreator = '0'.repeat(prefixDigits);

/** The state of a room without entries. */
export function createRecords(): Records {
  const slotsByCollection = new Map<string, Map<string, Slot>>();
  let applied = 0;

  const slotsOf = (collection: string): Map<string, Slot> => {
    let slots = slotsByCollection.get(collection);
    if (slots === undefined) slotsByCollection.set(collection, (slots = new Map<string, Slot>()));
    return slots;
  };

  return {
    apply: ({ author, hlc, ops }) => {
      const changed: ChangedRecord[] = [];
      applied++;
      let [name, slots] = ['', noSlots];
      for (const [opIndex, op] of ops.entries()) {
        if (op.kind === 'opaque') continue;
        if (op.collection !== name) [name, slots] = [op.collection, slotsOf(op.collection)];
        const id = recordIdText(op.id);
        const stamp: Stamp = { hlcMs: hlc.ms, hlcCtr: hlc.ctr, author, opIndex };
        if (applyToSlots(slots, { op, id, stamp, applied })) changed.push({ collection: name, id });
      }
      return changed;
    },
    get: (collection, id) => stateOf(id, slotsByCollection.get(collection)?.get(id)),
    entries: function* (collection) {
      for (const [id, slot] of slotsByCollection.get(collection) ?? []) {
        const state = stateOf(id, slot);
        if (state !== null) yield [id, state];
      }
    },
    collections: () => [...slotsByCollection.keys()],
  };
}

interface Change {
  readonly op: Exclude<Op, { kind: 'opaque' }>;
  readonly id: string;
  readonly stamp: Stamp;
  /** Number of the entry among those that were applied. */
  readonly applied: number;
}

/** One op on the records of its collection. Answers whether its record looks different now, once for an entry. */
function applyToSlots(slots: Map<string, Slot>, { op, id, stamp, applied }: Change): boolean {
  const slot = slots.get(id);
  if (slot === deleted) return false;
  if (op.kind === 'delete') {
    slots.set(id, deleted);
    return slot !== undefined && slot.made !== null && slot.shownBy !== applied;
  }
  const cell = slot ?? createCell(stamp);
  if (slot === undefined) slots.set(id, cell);
  const isMade = (op.kind === 'insert' || id === singleId) && makeCell(cell, stamp);
  const isWritten = writeOp(cell, op, stamp);
  if (cell.made === null || (!isMade && !isWritten) || cell.shownBy === applied) return false;
  cell.shownBy = applied;
  return true;
}

function writeOp(cell: Cell, op: Exclude<Op, { kind: 'opaque' | 'delete' }>, stamp: Stamp): boolean {
  if (op.kind !== 'increment') return writeFields(cell, op.fields, stamp);
  incrementField(cell, op.field, op.by);
  return true;
}

function stateOf(id: string, slot: Slot | undefined): RecordState | null {
  if (slot === undefined || slot === deleted || slot.made === null) return null;
  const { fields, made } = slot;
  // The author of an admitted insert is the one its id names (X1).
  const creatorPrefix = id === singleId ? noCreator : made.author.slice(0, prefixDigits);
  return { fields, createdAtMs: made.hlcMs, creatorPrefix };
}
