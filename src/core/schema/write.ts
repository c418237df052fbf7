import type { Bytes } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { compareUtf8, encodeValue, valueLimits } from '../codec/index.js';
import { sha256 } from '../crypto/index.js';
import { schemaPrefixBytes } from '../op/index.js';
import type { CollectionDeclaration, Declaration, RoleDeclaration } from './declaration.js';
import { maxDeclarationBytes, permissionNames } from './declaration.js';
import { fieldToValue, isKnownKind } from './field.js';
import { declarationFormat, readDeclaration } from './read.js';

/**
 * The one encoding of a declaration: what is published and what {@link schemaPrefix} is taken of. The order in which
 * collections, fields, roles, permissions and domains are named makes no difference; that of `oneOf` values does.
 * Throws RangeError naming the place and what was expected there.
 */
export function encodeDeclaration(declaration: Declaration): Bytes {
  return encodeChecked(declaration, false);
}

/** The same for our own schema too. */
export function encodeChecked(declaration: Declaration, isBuiltin: boolean): Bytes {
  for (const { fields } of Object.values(declaration.collections)) {
    for (const field of Object.values(fields)) {
      const wireKind = field.kind === 'opaque' ? field.wire['kind'] : undefined;
      // It would be read back as a field of that kind, with limits its bearer does not know of.
      if (isKnownKind(wireKind)) {
        throw new RangeError(`declaration: expected an opaque field of an unknown kind, got ${wireKind}`);
      }
    }
  }
  const value = declarationToValue(declaration);
  const back = readDeclaration(value, isBuiltin);
  if (!back.ok) throw new RangeError(back.fault.detail);
  return encodeValue(value, { ...valueLimits, maxBytes: maxDeclarationBytes });
}

/** Names a schema version in every payload written under it (F23): the first 8 bytes of SHA-256 of its encoding. */
export function schemaPrefix(declarationBytes: Bytes): Bytes {
  return sha256(declarationBytes).slice(0, schemaPrefixBytes);
}

/** Wire form, not judged. */
export function declarationToValue({ app, collections, roles }: Declaration): Value {
  return {
    format: declarationFormat,
    app,
    collections: mapValues(collections, collectionToValue),
    roles: mapValues(roles, roleToValue),
  };
}

function collectionToValue({ domain, owned, single, fields }: CollectionDeclaration): Value {
  return {
    domain,
    fields: mapValues(fields, fieldToValue),
    ...(owned && { owned }),
    ...(single && { single }),
  };
}

/** Wire form, not judged. */
export function roleToValue({ rank, write, can }: RoleDeclaration): Value {
  return {
    rank,
    write: typeof write === 'string' ? write : write.toSorted(compareUtf8),
    can: can.toSorted((a, b) => permissionNames.indexOf(a) - permissionNames.indexOf(b)),
  };
}

function mapValues<T>(map: { readonly [name: string]: T }, f: (item: T) => Value): Value {
  return Object.fromEntries(Object.entries(map).map(([name, item]) => [name, f(item)]));
}
