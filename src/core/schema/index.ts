/**
 * What an app's records look like, as it is published in `meta` and enforced by every peer (design.md §6, F23): the
 * declaration and its one encoding, the append-only union of several, our own schema, and the check that ops fit.
 * An append-only union instead of migrations: versions of an app that never meet must read each other's records.
 * No authority (who may write, who owns: access), no validators of the app (they run on local writes, in the client),
 * and no decision about which declaration applies: a payload names it.
 */
export { checkOps, creatorFault } from './check.js';
export type {
  CollectionDeclaration,
  Declaration,
  FieldDeclaration,
  Need,
  PermissionName,
  RoleDeclaration,
} from './declaration.js';
export {
  builtinRanks,
  defaultDomain,
  maxCollections,
  maxDeclarationBytes,
  maxOneOfLength,
  maxOneOfValues,
  maxRoles,
  metaDomain,
  own,
  permissionNames,
} from './declaration.js';
export { maxProfileNameLength, metaDeclaration, metaPrefix } from './meta.js';
export { projectField, projectFields } from './project.js';
export { decodeDeclaration } from './read.js';
export type { Conflict } from './union.js';
export { coversDeclaration, unionDeclarations } from './union.js';
export { expectationOf, isAllowed, maxJsonDepth } from './value.js';
export { encodeDeclaration, schemaPrefix } from './write.js';
