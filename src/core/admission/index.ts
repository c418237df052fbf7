/**
 * The one ordered list of checks that everything goes through (docs/protocol.md §Admission), from any source, live or
 * from history, local or remote. Two halves: may the entry join the set (REJECT or HOLD), and has it an effect (VOID,
 * recomputed when authority changes). Whether a *copy* is good is decided before, in `pack`; quotas are decided by the
 * engine. Validity never depends on arrival order, clock, viewer or configuration.
 */
export type { ControlCandidate, ControlContext } from './control.js';
export { bindOf, judgeCandidate, maxFoldsInRow, prepareControl } from './control.js';
export type { DataContext } from './data.js';
export { admitData, judgeEffect } from './data.js';
