import type { Stamp } from '../clock/index.js';
import type { FieldValues } from '../op/index.js';
import { fromBase64Url, toBase64Url } from '../base/index.js';
import { decodeValue, encodeValue, type Value } from '../codec/index.js';
import type { Cell } from './cell.js';
import type { Sum } from './counter.js';

/** The merge state of a part of the records as text, for a disk of one's own: never for the wire. */
export interface FrozenBlock {
  /** Collections it has slots of; of one that lies in several blocks, in their order. */
  readonly collections: readonly string[];
  /** Made when it is asked for, from what stood when the records were frozen. */
  readonly text: () => string;
}

/** A record as it is seen on a visit: its values lie in a list, one for each name, from a place on. */
export interface SeenRecord {
  collection: string;
  id: string;
  names: readonly string[];
  values: readonly unknown[];
  from: number;
  createdAtMs: number;
}

/** A record's cell, or null for a deleted one. */
type Slot = Cell | null;
type Slots = ReadonlyMap<string, Slot>;

/**
 * JSON, because the platform's parser is several times faster than any of ours. Values are JSON but for those of kinds
 * that this version does not know: where they hold bytes, `encoded` says at which cells lies an encoded value.
 */
type Block = readonly [authors: readonly string[], runs: readonly Run[]];
type Run = readonly [
  collection: string,
  shapes: readonly (readonly string[])[],
  cells: unknown[],
  encoded: readonly number[],
];

/** Slots of one block: few enough that none takes long, many enough that its head costs nothing. */
const blockSlots = 1024;

/** What a cell has beside its fields and the stamp that made it. */
const flags = { otherMade: 1, stamps: 2, sums: 4 } as const;
const isDeleted = -1;
/** A stamp in cells: milliseconds since the one before it, counter, author, index of the op. */
const stampCells = 4;

/** Copies what can change, in one go and without looking at values; the texts come later. */
export function freezeSlots(slotsByCollection: ReadonlyMap<string, Slots>): FrozenBlock[] {
  const blocks: FrozenBlock[] = [];
  let open: { collection: string; slots: (readonly [string, Slot])[] }[] = [];
  let count = 0;
  const close = (): void => {
    const parts = open;
    if (parts.length > 0)
      blocks.push({ collections: parts.map(({ collection }) => collection), text: () => textOf(parts) });
    [open, count] = [[], 0];
  };
  let wasOwn = true;
  const ownFirst = [...slotsByCollection].sort(([a], [b]) => Number(isOwn(b)) - Number(isOwn(a)));
  for (const [collection, slots] of ownFirst) {
    let part: (readonly [string, Slot])[] = [];
    if (isOwn(collection) !== wasOwn) close();
    wasOwn = isOwn(collection);
    open.push({ collection, slots: part });
    for (const [id, slot] of slots) {
      if (count === blockSlots) {
        close();
        open.push({ collection, slots: (part = []) });
      }
      part.push([
        id,
        slot && { ...slot, stamps: slot.stamps && { ...slot.stamps }, sums: slot.sums && { ...slot.sums } },
      ]);
      count++;
    }
  }
  close();
  return blocks;
}

/** The room's own collections are read at once, those of apps not before somebody asks for them: never in one block. */
function isOwn(collection: string): boolean {
  return collection.startsWith('$');
}

function textOf(parts: readonly { collection: string; slots: readonly (readonly [string, Slot])[] }[]): string {
  const authors = new Map<string, number>();
  let lastMs = 0;
  const stampOf = ({ hlcMs, hlcCtr, author, opIndex }: Stamp): number[] => {
    const delta = hlcMs - lastMs;
    lastMs = hlcMs;
    return [delta, hlcCtr, indexIn(authors, author), opIndex];
  };
  const runs = parts.map(({ collection, slots }): Run => {
    const shapes = new Map<string, number>();
    const [cells, encoded]: [unknown[], number[]] = [[], []];
    for (const [id, slot] of slots) {
      if (slot === null) cells.push(id, isDeleted);
      else writeCell(cells, id, slot, { shapes, stampOf, encoded });
    }
    return [collection, [...shapes.keys()].map((shape) => JSON.parse(shape) as string[]), cells, encoded];
  });
  const block: Block = [[...authors.keys()], runs];
  return JSON.stringify(block);
}

function writeCell(
  cells: unknown[],
  id: string,
  { fields, base, made, stamps, sums }: Cell,
  o: {
    readonly shapes: Map<string, number>;
    readonly stampOf: (stamp: Stamp) => number[];
    readonly encoded: number[];
  },
): void {
  const names = Object.keys(fields);
  cells.push(id, indexIn(o.shapes, JSON.stringify(names)));
  for (const name of names) {
    const value = fields[name] ?? null;
    if (hasBytes(value)) o.encoded.push(cells.length);
    cells.push(hasBytes(value) ? toBase64Url(encodeValue(value)) : value);
  }
  const isOtherMade = made !== base;
  cells.push(
    (isOtherMade ? flags.otherMade : 0) | (stamps === null ? 0 : flags.stamps) | (sums === null ? 0 : flags.sums),
    ...o.stampOf(base),
  );
  if (isOtherMade) cells.push(made === null ? 0 : 1, ...(made === null ? [] : o.stampOf(made)));
  if (stamps !== null) {
    cells.push(Object.keys(stamps).length);
    for (const [name, stamp] of Object.entries(stamps)) cells.push(names.indexOf(name), ...o.stampOf(stamp));
  }
  if (sums !== null) {
    cells.push(Object.keys(sums).length);
    for (const [name, sum] of Object.entries(sums)) cells.push(names.indexOf(name), String(sum));
  }
}

function hasBytes(value: Value): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return value instanceof Uint8Array || Object.values(value).some(hasBytes);
}

function indexIn(table: Map<string, number>, key: string): number {
  let index = table.get(key);
  if (index === undefined) table.set(key, (index = table.size));
  return index;
}

/** Puts the slots of a block where they belong. The text is one of {@link freezeSlots}: whoever kept it has proved that. */
export function thawBlock(text: string, slotsOf: (collection: string) => Map<string, Slot>): void {
  const [authors, runs] = JSON.parse(text) as Block;
  let lastMs = 0;
  for (const [collection, shapes, cells, encoded] of runs) {
    const slots = slotsOf(collection);
    for (const at of encoded) cells[at] = valueOf(String(cells[at]));
    let at = 0;
    const next = (): unknown => cells[at++];
    const number = (): number => Number(next());
    const stamp = (): Stamp => {
      lastMs += number();
      return { hlcMs: lastMs, hlcCtr: number(), author: authors[number()] ?? '', opIndex: number() };
    };
    while (at < cells.length) {
      const id = String(next());
      const shape = number();
      slots.set(id, shape === isDeleted ? null : readCell(shapes[shape] ?? [], { next, number, stamp }));
    }
  }
}

/** What a visit sees of a block: the records that exist. Bytes of kinds that this version does not know are null. */
export function visitBlock(text: string, see: (record: SeenRecord) => void): void {
  const [, runs] = JSON.parse(text) as Block;
  const seen: SeenRecord = { collection: '', id: '', names: [], values: [], from: 0, createdAtMs: 0 };
  let lastMs = 0;
  for (const [collection, shapes, cells, encoded] of runs) {
    for (const at of encoded) cells[at] = null;
    let at = 0;
    const number = (): number => cells[at++] as number;
    const stampMs = (): number => {
      lastMs += number();
      at += stampCells - 1;
      return lastMs;
    };
    [seen.collection, seen.values] = [collection, cells];
    while (at < cells.length) {
      seen.id = cells[at++] as string;
      const shape = number();
      if (shape === isDeleted) continue;
      seen.names = shapes[shape] ?? [];
      seen.from = at;
      at += seen.names.length;
      const has = number();
      let madeMs: number | null = stampMs();
      if ((has & flags.otherMade) !== 0) madeMs = number() === 0 ? null : stampMs();
      if ((has & flags.stamps) !== 0)
        for (let left = number(); left > 0; left--) {
          at++;
          stampMs();
        }
      const sums = (has & flags.sums) === 0 ? 0 : number();
      at += 2 * sums;
      if (madeMs === null) continue;
      seen.createdAtMs = madeMs;
      see(seen);
    }
  }
}

function readCell(
  names: readonly string[],
  read: { readonly next: () => unknown; readonly number: () => number; readonly stamp: () => Stamp },
): Cell {
  const fields: Record<string, Value> = {};
  for (const name of names) put(fields, name, read.next() as Value);
  const has = read.number();
  const base = read.stamp();
  const cell: Cell = { fields: fields satisfies FieldValues, base, stamps: null, sums: null, made: base };
  if ((has & flags.otherMade) !== 0) cell.made = read.number() === 0 ? null : read.stamp();
  if ((has & flags.stamps) !== 0) {
    cell.stamps = {};
    for (let left = read.number(); left > 0; left--) put(cell.stamps, names[read.number()] ?? '', read.stamp());
  }
  if ((has & flags.sums) !== 0) {
    cell.sums = {};
    for (let left = read.number(); left > 0; left--)
      put(cell.sums, names[read.number()] ?? '', sumOf(String(read.next())));
  }
  return cell;
}

function valueOf(text: string): Value {
  const bytes = fromBase64Url(text);
  const value = bytes && decodeValue(bytes);
  return value?.ok === true ? value.value : null;
}

function sumOf(text: string): Sum {
  const sum = Number(text);
  return Number.isSafeInteger(sum) ? sum : BigInt(text);
}

/** Of an inherited name ('constructor') assignment would fail where somebody froze Object.prototype. */
function put<T>(target: Record<string, T>, name: string, value: T): void {
  if (name in target)
    Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
  else target[name] = value;
}
