import type { Bytes, Result } from '../base/index.js';
import { fail, ok } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { asList, asMap, asUint, compareUtf8, decodeValue, valueLimits } from '../codec/index.js';
import { isName, maxOpFields } from '../op/index.js';
import type { CollectionDeclaration, Declaration, PermissionName, RoleDeclaration } from './declaration.js';
import {
  builtinRanks,
  controlDomain,
  defaultDomain,
  maxCollections,
  maxDeclarationBytes,
  maxRank,
  maxRoles,
  metaDomain,
  own,
  permissionNames,
} from './declaration.js';
import { readField } from './field.js';
import type { Place } from './place.js';
import { readFlag, refuse, refuseOthers } from './place.js';

/** The form of declarations that this version reads. Another one is held until an upgrade. */
export const declarationFormat = 1;

/**
 * Total and strict: encoding the result again gives the same bytes.
 * Codes: value/malformed, value/limits, entry/unknown-version (a later form).
 */
export function decodeDeclaration(bytes: Bytes): Result<Declaration> {
  const value = decodeValue(bytes, { ...valueLimits, maxBytes: maxDeclarationBytes });
  return value.ok ? readDeclaration(value.value, false) : value;
}

/** The same from a value. `isBuiltin`: our own schema, whose names begin with `$` and which lies in `meta`. */
export function readDeclaration(value: Value, isBuiltin: boolean): Result<Declaration> {
  const map = asMap(value);
  if (map === null) return fail('value/malformed', 'declaration: expected a map');
  if (own(map, 'format') !== declarationFormat) {
    return asUint(own(map, 'format'), Number.MAX_SAFE_INTEGER) === null
      ? fail('value/malformed', 'declaration: expected the number of a format')
      : fail('entry/unknown-version', 'declaration: a later format');
  }
  const place: Place = { path: 'declaration', isBuiltin, fault: { detail: null } };
  refuseOthers(place, map, ['app', 'collections', 'format', 'roles']);
  const app = own(map, 'app');
  if (!isName(app)) refuse(at(place, 'app'), 'a name of 1 to 64 bytes');
  const collections = readNamed(place, map, { key: 'collections', max: maxCollections, read: readCollection });
  const roles = readNamed(place, map, { key: 'roles', max: maxRoles, read: readRole });
  const declaration: Declaration = { app: isName(app) ? app : '', collections, roles };
  if (place.fault.detail === null) checkWhole(place, declaration);
  return place.fault.detail === null ? ok(declaration) : fail('value/malformed', place.fault.detail);
}

function at(place: Place, step: string): Place {
  return { ...place, path: `${place.path}.${step}` };
}

/** A map from names to things, each read by `read`. */
function readNamed<T>(
  place: Place,
  map: { readonly [name: string]: Value },
  o: { readonly key: string; readonly max: number; readonly read: (place: Place, value: Value | undefined) => T },
): Record<string, T> {
  const inner = at(place, o.key);
  const items = asMap(own(map, o.key));
  const names = Object.keys(items ?? {});
  if (items === null || names.length > o.max) refuse(inner, `a map of at most ${String(o.max)} names`);
  const out: Record<string, T> = {};
  for (const name of names.slice(0, o.max)) {
    if (!isName(name)) refuse(inner, 'names of 1 to 64 bytes');
    else if (name.startsWith('$') && !place.isBuiltin) refuse(inner, 'no name that begins with "$"');
    else out[name] = o.read(at(inner, name), items?.[name]);
  }
  return out;
}

function readCollection(place: Place, value: Value | undefined): CollectionDeclaration {
  const map = asMap(value) ?? {};
  refuseOthers(place, map, ['domain', 'fields', 'owned', 'single']);
  const domain = own(map, 'domain');
  const isOurs = domain === metaDomain || domain === controlDomain || (isName(domain) && domain.startsWith('$'));
  if (!isName(domain) || (isOurs && !place.isBuiltin)) refuse(at(place, 'domain'), 'a name that is not one of our own');
  const owned = readFlag(place, map, 'owned');
  const single = readFlag(place, map, 'single');
  if (owned && single) refuse(place, 'owned or single, not both: a single has no owner');
  const fields = readNamed(place, map, { key: 'fields', max: maxOpFields, read: readField });
  for (const [name, field] of Object.entries(fields)) {
    if (name === 'id') refuse(at(place, 'fields'), 'no field "id": a record has one');
    if (single && 'need' in field && field.need === 'required') {
      refuse(at(place, `fields.${name}`), 'optional() or default(): a single is read before anybody wrote it');
    }
  }
  return { domain: isName(domain) ? domain : '', owned, single, fields };
}

function readRole(place: Place, value: Value | undefined): RoleDeclaration {
  const map = asMap(value) ?? {};
  refuseOthers(place, map, ['can', 'rank', 'write']);
  const rank = asUint(own(map, 'rank'), maxRank) ?? 0;
  if (rank === 0) refuse(at(place, 'rank'), `an integer from 1 to ${String(maxRank)}`);
  const can = asList(own(map, 'can'), permissionNames.length) ?? [];
  const named = permissionNames.filter((name) => can.includes(name));
  if (asList(own(map, 'can'), named.length) === null || named.some((name, index) => name !== can[index])) {
    refuse(at(place, 'can'), `some of ${permissionNames.join(', ')}, each once`);
  }
  return { rank, write: readWrite(place, own(map, 'write')), can: named satisfies readonly PermissionName[] };
}

function readWrite(place: Place, value: Value | undefined): RoleDeclaration['write'] {
  if (value === 'all' || value === 'none') return value;
  const domains = (asList(value, maxCollections) ?? []).filter(isName);
  const isSorted = domains.every((name, index) => index === 0 || compareUtf8(domains[index - 1] ?? '', name) < 0);
  if (domains.length === 0 || asList(value, domains.length) === null || !isSorted) {
    refuse(at(place, 'write'), '"all", "none" or names of domains, each once');
  }
  return domains;
}

/** What one part says about another. */
function checkWhole(place: Place, { collections, roles }: Declaration): void {
  const domains = new Set([defaultDomain]);
  for (const [name, collection] of Object.entries(collections)) {
    domains.add(collection.domain);
    for (const [fieldName, field] of Object.entries(collection.fields)) {
      if (field.kind === 'ref' && own(collections, field.collection) === undefined) {
        refuse(at(place, `collections.${name}.fields.${fieldName}`), 'a ref to a collection of this declaration');
      }
    }
  }
  const ranks = new Set<number>(Object.values(builtinRanks));
  for (const [name, role] of Object.entries(roles)) {
    const inner = at(place, `roles.${name}`);
    if (Object.hasOwn(builtinRanks, name)) refuse(inner, 'a name that is not one of the built-in roles');
    if (ranks.has(role.rank)) refuse(inner, 'a rank that no other role has (0, 10, 20 and 30 are built in)');
    ranks.add(role.rank);
    if (typeof role.write !== 'string' && !role.write.every((domain) => domains.has(domain))) {
      refuse(inner, 'write: domains that a collection of this declaration names');
    }
  }
}
