/**
 * What an engine holds of one room, and the one way into it: admitUnit. State in memory, owned by the room's step loop;
 * everything is rebuilt from stored packs at start. Nothing here waits, stores or sends.
 */
export { admitUnit, applyPayload, dataContext, keepBranch } from './admit.js';
export type { AdmitOptions } from './admit.js';
export type { Fork, PackPlace } from './branches.js';
export { planForks } from './fork.js';
export { learnDeclaration, learnMetaSchema } from './meta.js';
export { codeOf } from './outcome.js';
export type { UnitOutcome } from './outcome.js';
export type { Chain, DomainReplica, ReplicaState } from './state.js';
export type { Unit } from './unit.js';
export { awaitedBy, createWaits, freedBy, schemaCount } from './waits.js';
export { joinUnits, unitFrom } from './unit.js';
export {
  chainKey,
  controlId,
  controlKey,
  countOf,
  createReplicaState,
  domainName,
  domainOf,
  domainsInOrder,
  headOf,
  idAt,
  prependEntries,
  restoreChain,
} from './state.js';
