import type { CollectionDeclaration, Declaration, RoleDeclaration } from '../core/schema/index.js';
import { defaultDomain } from '../core/schema/index.js';
import { expect, expectObject } from './expect.js';
import type { FieldSpec } from './fields.js';
import { isMade } from './fields.js';
import type { Def, Fields, RoleDef, Schema } from './types.js';

/** What defineSchema adds to the public type. */
export interface Model {
  readonly declaration: Declaration;
  readonly checks: (collection: string, field: string) => FieldSpec['checks'];
}

/** A collection of any number of records. `owned`: only the record's creator, and who manages records, changes it. */
export function collection<const F extends Fields>(
  fields: F,
  o: { owned?: boolean; domain?: string } = {},
): Def<F, false> {
  return { fields, single: false, domain: o.domain ?? defaultDomain, owned: o.owned ?? false };
}

/** A collection of exactly one record, always there; its fields are optional, have a default or count. */
export function single<const F extends Fields>(fields: F, o: { domain?: string } = {}): Def<F, true> {
  return { fields, single: true, domain: o.domain ?? defaultDomain, owned: false };
}

/**
 * An app's schema. It can grow from version to version (collections, fields that an insert may leave out, wider
 * limits, roles), never change its mind. Throws a TypeError for what is no schema at all; limits, defaults, names and
 * ranks that make no sense are refused, by their place, where a room is created, opened or joined.
 */
export function defineSchema<
  const C extends { readonly [name: string]: Def },
  const R extends Record<string, RoleDef> = Record<never, RoleDef>,
>(definition: {
  app: string;
  data: C;
  roles?: R;
}): Schema<C, Record<string, never>, 'owner' | 'admin' | 'editor' | 'viewer' | Extract<keyof R, string>> {
  expectObject('defineSchema', definition);
  const { app, data, roles = {} } = definition;
  expect(typeof app === 'string', 'app', 'a text', app);
  const declaration: Declaration = {
    app,
    collections: mapValues(data, 'data', declareCollection),
    roles: mapValues(roles, 'roles', declareRole),
  };
  const schema: Schema<C, Record<string, never>> & Model = {
    app,
    data,
    declaration,
    checks: (name, field) => {
      const spec = data[name]?.fields[field];
      return isMade<FieldSpec>(spec) ? spec.checks : [];
    },
  };
  return schema;
}

/** The model of a schema; TypeError when this is none. */
export function modelOf(schema: unknown): Model {
  expect(isMade<Model>(schema), 'schema', 'the result of defineSchema()', schema);
  return schema;
}

function declareCollection({ fields, domain, owned, single: isSingle }: Def, path: string): CollectionDeclaration {
  return {
    domain,
    owned,
    single: isSingle,
    fields: mapValues(fields, path, (field, fieldPath) => {
      expect(fieldPath !== `${path}.id`, fieldPath, 'another name than id', field);
      expect(isMade<FieldSpec>(field), fieldPath, 'a field made by s', field);
      return field.declaration;
    }),
  };
}

function declareRole({ rank, write, can = [] }: RoleDef): RoleDeclaration {
  return { rank, write, can };
}

function mapValues<T, U>(
  map: { readonly [name: string]: T },
  path: string,
  f: (item: T, path: string) => U,
): Record<string, U> {
  expectObject(path, map);
  const out: Record<string, U> = {};
  for (const [name, item] of Object.entries(map)) {
    const itemPath = `${path}.${name}`;
    expectObject(itemPath, item);
    out[name] = f(item, itemPath);
  }
  return out;
}
