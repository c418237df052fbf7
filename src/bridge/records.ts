import type { RecordRun, RecordUpdate } from './messages.js';

/*
 * Records on their way to a page: the cells of all records of one shape in one flat list. The platform clones a list of
 * texts and numbers faster than any text or bytes of ours are made and read again (measured in both browsers: a third of
 * the time of JSON), and a page has nothing to download for it. Nothing is signed here: both ends are ours.
 */

/** A record whose values lie in a list: one for each name, from a place on. */
export interface ListedRecord extends Pick<RecordUpdate, 'collection' | 'id' | 'createdAtMs' | 'delivered'> {
  /** Null: it is gone. */
  readonly names: readonly string[] | null;
  readonly values: readonly unknown[];
  readonly from: number;
}

/** Records put together one by one, each collection and id at most once. */
export interface RecordPacker {
  readonly add: (record: ListedRecord) => void;
  /** What {@link unpackRecords} takes. */
  readonly take: () => readonly RecordRun[];
}

/** A packer without records. */
export function createRecordPacker(): RecordPacker {
  let runsByShape = new Map<string, Run>();
  let last: Run | undefined;
  const runOf = (collection: string, names: ListedRecord['names']): Run => {
    const shape = JSON.stringify([collection, names]);
    const run = runsByShape.get(shape) ?? [collection, names, []];
    runsByShape.set(shape, run);
    return run;
  };
  return {
    add: ({ collection, id, names, values, from, createdAtMs, delivered }) => {
      if (last === undefined || !isOf(last, collection, names)) last = runOf(collection, names);
      const [, , cells] = last;
      cells.push(id, createdAtMs, delivered ? 1 : 0);
      const end = from + (names?.length ?? 0);
      for (let i = from; i < end; i++) cells.push(hasBytes(values[i]) ? null : values[i]);
    },
    take: () => {
      const runs = [...runsByShape.values()];
      runsByShape = new Map();
      last = undefined;
      return runs;
    },
  };
}

type Run = readonly [collection: string, names: readonly string[] | null, cells: unknown[]];

function isOf([runCollection, runNames]: Run, collection: string, names: readonly string[] | null): boolean {
  if (collection !== runCollection) return false;
  if (names === runNames) return true;
  return names?.length === runNames?.length && names?.every((name, i) => name === runNames?.[i]) === true;
}

/** Of a kind of field that this version does not know. A page has no use for it, and cloned, it takes its whole buffer along. */
function hasBytes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return value instanceof Uint8Array || Object.values(value).some(hasBytes);
}

/** The records of a packer, run by run. */
export function unpackRecords(runs: readonly RecordRun[]): RecordUpdate[] {
  const records: RecordUpdate[] = [];
  for (const [collection, names, cells] of runs) {
    for (let at = 0; at < cells.length;) {
      const [id, createdAtMs, delivered] = [cells[at++], cells[at++], cells[at++]] as [string, number, number];
      const fields: Record<string, unknown> = {};
      for (const name of names ?? []) fields[name] = cells[at++];
      records.push({ collection, id, fields: names && fields, createdAtMs, delivered: delivered === 1 });
    }
  }
  return records;
}
