import type { Fault } from '../../../src/core/base/index.js';
import type { Entry } from '../../../src/core/entry/index.js';
import type { ChangedRecords } from '../../../src/core/record/index.js';
import type { Unit } from './unit.js';

/**
 * What came of a unit. `known`: nothing new in it. `branch`: its author signed something else for the same place (F6);
 * `unit` is the part that does not stand, and `changes` says that something else falls with it.
 */
export type UnitOutcome =
  | {
      readonly outcome: 'admitted';
      /** What is new in the set: a prefix of what the unit brought. */
      readonly entries: readonly Entry[];
      /** The part to store, or null when it is stored already. It may hold more than is admitted: see `rest`. */
      readonly store: Unit | null;
      /** Why the entries after `entries` wait; null when none do. */
      readonly rest: Fault | null;
      readonly changed: ChangedRecords;
      readonly voided: readonly { readonly entry: Entry; readonly fault: Fault }[];
      readonly isControl: boolean;
    }
  | { readonly outcome: 'known' }
  | { readonly outcome: 'branch'; readonly unit: Unit; readonly changes: boolean; readonly fault: Fault }
  | { readonly outcome: 'held' | 'rejected'; readonly fault: Fault };

/** What keeps a unit from having its whole effect, as a code: entries hold what people wrote, which no error's text may. */
export function codeOf(outcome: UnitOutcome): string | undefined {
  if (outcome.outcome === 'admitted') return (outcome.voided[0]?.fault ?? outcome.rest)?.code;
  return 'fault' in outcome ? outcome.fault.code : outcome.outcome;
}
