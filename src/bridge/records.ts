import type { RecordRun, RecordUpdate } from './messages.js';

/*
 * Records on their way to a page: the cells of all records of one shape in one flat list. The platform clones a list of
 * texts and numbers faster than any text or bytes of ours are made and read again (measured in both browsers: a third of
 * the time of JSON), and a page has nothing to download for it. Nothing is signed here: both ends are ours.
 */

/** The records of one update for {@link unpackRecords}; a collection and id at most once. */
export function packRecords(records: Iterable<RecordUpdate>): readonly RecordRun[] {
  const runsByShape = new Map<string, Run>();
  let last: Run | undefined;
  for (const { collection, id, fields, createdAtMs, delivered } of records) {
    const names = fields && Object.keys(fields);
    if (last === undefined || !isOf(last, collection, names)) {
      const shape = JSON.stringify([collection, names]);
      last = runsByShape.get(shape) ?? [collection, names, []];
      runsByShape.set(shape, last);
    }
    const [, , cells] = last;
    cells.push(id, createdAtMs, delivered ? 1 : 0);
    for (const name of names ?? []) cells.push(hasBytes(fields?.[name]) ? null : fields?.[name]);
  }
  return [...runsByShape.values()];
}

type Run = readonly [collection: string, names: readonly string[] | null, cells: unknown[]];

function isOf(run: Run, collection: string, names: readonly string[] | null): boolean {
  const [runCollection, runNames] = run;
  if (collection !== runCollection || names?.length !== runNames?.length) return false;
  return names === null || names.every((name, i) => name === runNames?.[i]);
}

/** Of a kind of field that this version does not know. A page has no use for it, and cloned, it takes its whole buffer along. */
function hasBytes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return value instanceof Uint8Array || Object.values(value).some(hasBytes);
}

/** The records of {@link packRecords}, run by run. */
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
