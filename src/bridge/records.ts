import type { Bytes } from '../core/base/index.js';
import { utf8Bytes } from '../core/codec/index.js';
import type { RecordUpdate } from './messages.js';

/**
 * Records on their way to a page: runs of one shape, [collection, field names | null, [row...]] flattened, as JSON.
 * JSON and not the codec of payloads because the platform's parser is several times faster in batches without bytes,
 * costs no download, and here nothing is signed: both ends are ours. Field values are JSON by the schema's kinds.
 */
type Run = readonly [collection: string, names: readonly string[] | null, cells: readonly unknown[]];

// On every platform we run on; this compiles without DOM types. No reading of strangers' bytes, so not the codec's.
declare const TextDecoder: new () => { readonly decode: (bytes: Uint8Array) => string };

/** id, created (ms since 1970), delivered (0 or 1); the values in the order of the names follow. */
const headCells = 3;

/** The records of one update for {@link unpackRecords}; a collection and id at most once. The bytes may be transferred. */
export function packRecords(rows: readonly RecordUpdate[]): Bytes {
  const runsByShape = new Map<string, { collection: string; names: readonly string[] | null; cells: unknown[] }>();
  for (const { collection, id, fields, createdAtMs, delivered } of rows) {
    const names = fields === null ? null : Object.keys(fields);
    const shape = JSON.stringify([collection, names]);
    let run = runsByShape.get(shape);
    if (run === undefined) runsByShape.set(shape, (run = { collection, names, cells: [] }));
    run.cells.push(id, createdAtMs, delivered ? 1 : 0);
    for (const name of names ?? []) run.cells.push(fields?.[name]);
  }
  const runs: Run[] = [];
  for (const { collection, names, cells } of runsByShape.values()) runs.push([collection, names, cells]);
  return utf8Bytes(JSON.stringify(runs));
}

/** The rows of {@link packRecords}, by runs of one shape. Throws for other bytes: they came from our own worker. */
export function unpackRecords(bytes: Bytes): readonly RecordUpdate[] {
  const rows: RecordUpdate[] = [];
  for (const [collection, names, cells] of JSON.parse(new TextDecoder().decode(bytes)) as readonly Run[]) {
    const width = headCells + (names?.length ?? 0);
    for (let at = 0; at < cells.length; at += width) {
      const [id, createdAtMs, delivered] = cells.slice(at, at + headCells) as [string, number, number];
      const fields = names && Object.fromEntries(names.map((name, i) => [name, cells[at + headCells + i]]));
      rows.push({ collection, id, fields, createdAtMs, delivered: delivered === 1 });
    }
  }
  return rows;
}
