import type { RecordRun, RecordUpdate } from './messages.js';
import { createRecordPacker } from './records.js';

/** The records of one update. */
export function packRecords(records: Iterable<RecordUpdate>): readonly RecordRun[] {
  const packer = createRecordPacker();
  for (const { fields, ...record } of records)
    packer.add({ ...record, names: fields && Object.keys(fields), values: Object.values(fields ?? {}), from: 0 });
  return packer.take();
}
