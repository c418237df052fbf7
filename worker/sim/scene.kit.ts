import type { Backup, Person } from './person.kit.js';
import type { FaultName } from './plan.js';
import type { Mischief } from './mischief.kit.js';
import type { World } from './world.kit.js';

/** Everything that takes part in one run. */
export interface Scene {
  readonly world: World;
  readonly people: readonly Person[];
  readonly faults: ReadonlySet<FaultName>;
  readonly incidents: Map<string, number>;
  readonly backups: Map<Person, Backup>;
  readonly mischief: Mischief;
  /** What restarts a person whose process died: joining goes on where it was. */
  readonly revive: (person: Person) => void;
}
