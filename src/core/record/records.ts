import { toBase64Url } from '../base/index.js';
import type { Hlc, Stamp } from '../clock/index.js';
import { recordIdText, singleRecordId } from '../identity/index.js';
import type { FieldValues, Op } from '../op/index.js';
import type { Cell } from './cell.js';
import { changedIn, type ChangedRecords } from './changed.js';
import { createCell, incrementField, makeCell, writeFields } from './cell.js';
import { freezeSlots, thawBlock, visitBlock, type FrozenBlock, type SeenRecord } from './frozen.js';

/** An entry as far as records are concerned. */
export interface RecordEntry {
  /** Device id, lower-case hex. */
  readonly author: string;
  readonly hlc: Hlc;
  /** All of the entry's ops, in their order: an op's index is part of its stamp. */
  readonly ops: readonly Op[];
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
   * ops, which must not change any more. Adds the records that look different now to `changed`.
   */
  readonly apply: (entry: RecordEntry, changed: ChangedRecords) => void;
  /** The record of that base64url id; null when it was never made, or was deleted. */
  readonly get: (collection: string, id: string) => RecordState | null;
  /**
   * Every record there is, in no order that means anything. What nobody has asked for since it was restored stays as it
   * is: showing a room costs no merge state. The object may be the same each time: what of it is needed is copied.
   */
  readonly visit: (see: (record: SeenRecord) => void) => void;
  /** All records of a collection, in no order that means anything. */
  readonly entries: (collection: string) => Iterable<readonly [id: string, record: RecordState]>;
  /** Names of the collections that any op has named. */
  readonly collections: () => readonly string[];
  /** The whole state as it stands now, to be kept and given to {@link Records.restore} of records without any. */
  readonly freeze: () => readonly FrozenBlock[];
  /** Takes blocks over; each is read when something asks for one of its collections. */
  readonly restore: (blocks: readonly { readonly collections: readonly string[]; readonly text: string }[]) => void;
}

/** A deleted record keeps only its id: nothing that comes later changes it. */
const deleted = null;
type Slot = Cell | typeof deleted;

const noSlots = new Map<string, Slot>();
const noIds = new Set<string>();
const singleId = toBase64Url(singleRecordId());
/** Hex digits of the part of a device id that a record id names. */
const prefixDigits = 32;
const noCreator = '0'.repeat(prefixDigits);

/** The state of a room without entries. */
export function createRecords(): Records {
  const slotsByCollection = new Map<string, Map<string, Slot>>();
  const frozen = createFrozen();

  const ownSlots = (collection: string): Map<string, Slot> => {
    let slots = slotsByCollection.get(collection);
    if (slots === undefined) slotsByCollection.set(collection, (slots = new Map<string, Slot>()));
    return slots;
  };
  const slotsOf = (collection: string): Map<string, Slot> => {
    for (const text of frozen.take(collection)) thawBlock(text, ownSlots);
    return ownSlots(collection);
  };
  const knownSlots = (collection: string): Map<string, Slot> | undefined =>
    slotsByCollection.has(collection) ? slotsOf(collection) : undefined;

  return {
    apply: ({ author, hlc, ops }, changed) => {
      let [name, slots, ids] = ['', noSlots, noIds];
      let opIndex = -1;
      for (const op of ops) {
        opIndex++;
        if (op.kind === 'opaque') continue;
        if (op.collection !== name) {
          name = op.collection;
          [slots, ids] = [slotsOf(name), changedIn(changed, name)];
        }
        const id = recordIdText(op.id);
        const stamp: Stamp = { hlcMs: hlc.ms, hlcCtr: hlc.ctr, author, opIndex };
        if (applyToSlots(slots, op, { id, stamp })) ids.add(id);
      }
    },
    get: (collection, id) => stateOf(id, knownSlots(collection)?.get(id)),
    entries: function* (collection) {
      for (const [id, slot] of knownSlots(collection) ?? []) {
        const state = stateOf(id, slot);
        if (state !== null) yield [id, state];
      }
    },
    visit: (see) => {
      for (const [collection, slots] of slotsByCollection)
        for (const [id, slot] of slots) {
          const state = stateOf(id, slot);
          if (state === null) continue;
          const { fields, createdAtMs } = state;
          see({ collection, id, names: Object.keys(fields), values: Object.values(fields), from: 0, createdAtMs });
        }
      for (const text of frozen.left()) visitBlock(text, see);
    },
    collections: () => [...slotsByCollection.keys()],
    freeze: () => {
      for (const collection of slotsByCollection.keys()) slotsOf(collection);
      return freezeSlots(slotsByCollection);
    },
    restore: (blocks) => {
      for (const { collections } of blocks) collections.forEach(ownSlots);
      frozen.add(blocks);
    },
  };
}

/** Blocks that nobody has asked for yet. */
function createFrozen(): {
  readonly add: Records['restore'];
  /** Texts of the blocks that have a part of the collection, in their order; each block is given once. */
  readonly take: (collection: string) => string[];
  /** Texts of those that were not given yet. */
  readonly left: () => string[];
} {
  /** Numbers of blocks: what was given once is kept by nobody. */
  const waiting = new Map<string, number[]>();
  const texts = new Map<number, string>();
  let added = 0;
  return {
    add: (blocks) => {
      for (const { collections, text } of blocks) {
        texts.set(++added, text);
        for (const one of collections) waiting.set(one, [...(waiting.get(one) ?? []), added]);
      }
    },
    take: (collection) => {
      const blocks = waiting.get(collection) ?? [];
      waiting.delete(collection);
      return blocks.flatMap((block) => {
        const text = texts.get(block);
        return text !== undefined && texts.delete(block) ? [text] : [];
      });
    },
    left: () => [...texts.values()],
  };
}

/** One op on the records of its collection. Answers whether its record looks different now. */
function applyToSlots(
  slots: Map<string, Slot>,
  op: Exclude<Op, { kind: 'opaque' }>,
  { id, stamp }: { readonly id: string; readonly stamp: Stamp },
): boolean {
  const slot = slots.get(id);
  if (slot === deleted) return false;
  if (op.kind === 'delete') {
    slots.set(id, deleted);
    return slot !== undefined && slot.made !== null;
  }
  const cell = slot ?? createCell(stamp);
  if (slot === undefined) slots.set(id, cell);
  const isMade = (op.kind === 'insert' || id === singleId) && makeCell(cell, stamp);
  const isWritten = writeOp(cell, op, stamp);
  return cell.made !== null && (isMade || isWritten);
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
