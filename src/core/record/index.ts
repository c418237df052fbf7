/**
 * What ops amount to: the records of one room as a fold over its entries that gives the same state in whatever order
 * they come (format.md F21, X1). Fields are last-writer-wins by stamp, counters are sums, a delete is for ever, and a
 * change that arrives before its record waits for it: so no op ever needs another to be there, and nothing is undone.
 * Beside it the same rules for one op on plain values, by which a page shows its own writes before they are confirmed.
 * No judgement: only ops that were admitted come here; no schema, no I/O, no history. Entries that lose their effect
 * later (a fork, a pin) are taken out by folding the rest again.
 */
export type { FrozenBlock, SeenRecord } from './frozen.js';
export type { ChangedRecords } from './changed.js';
export { addChanged, changedIn } from './changed.js';
export { applyToView } from './overlay.js';
export type { RecordEntry, Records, RecordState } from './records.js';
export { createRecords } from './records.js';
