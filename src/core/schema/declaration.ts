import type { Value } from '../codec/index.js';

/** Most collections of one declaration. */
export const maxCollections = 128;
/** Most roles of one declaration. */
export const maxRoles = 32;
/** Most values of one `oneOf`. */
export const maxOneOfValues = 256;
/** Longest value of a `oneOf`, in UTF-16 units. */
export const maxOneOfLength = 256;
/** Largest declaration in its encoded form; base64url of it fits a field of `$schema`. */
export const maxDeclarationBytes = 49_152;
/** Lowest rank there is; rank 0 belongs to owners alone. */
export const maxRank = 65_535;
/** The data domain of a collection that names none. */
export const defaultDomain = 'main';
/** Domains of our own; no collection of an app lies there. */
export const metaDomain = 'meta';
/** Readable by relays, so it never holds a record. */
export const controlDomain = 'control';

/** The permissions a role can name, in the order of their bits (X2). */
export const permissionNames = ['invite', 'manageMembers', 'manageRoles', 'manageRecords', 'manageSchema'] as const;
/** One of {@link permissionNames}. */
export type PermissionName = (typeof permissionNames)[number];

/** Names and ranks that every room has (X2): a declaration may use neither. */
export const builtinRanks = { owner: 0, admin: 10, editor: 20, viewer: 30 } as const;

/**
 * What an insert may leave out. `required`: nothing. `optional`: it may be absent or null, and cleared.
 * A default is what readers see while nothing was written; it is never stored.
 */
export type Need = 'required' | 'optional' | { readonly default: Value };

/** The built-in limits that every peer enforces. Null: no limit of its own. */
export type FieldDeclaration =
  | {
      readonly kind: 'string';
      /** In UTF-16 units, as `length` of a JavaScript string counts. */
      readonly maxLength: number | null;
      readonly need: Need;
    }
  | {
      readonly kind: 'number';
      /** Inclusive. */
      readonly min: number | null;
      /** Inclusive. */
      readonly max: number | null;
      readonly integer: boolean;
      readonly need: Need;
    }
  | { readonly kind: 'boolean'; readonly need: Need }
  | { readonly kind: 'oneOf'; readonly values: readonly string[]; readonly need: Need }
  | { readonly kind: 'json'; readonly need: Need }
  | {
      readonly kind: 'ref';
      /** A collection of the same declaration; whether the record exists is not checked. */
      readonly collection: string;
      readonly need: Need;
    }
  | { readonly kind: 'counter' }
  /** A kind of a later version, in its wire form: any value passes and is kept. */
  | { readonly kind: 'opaque'; readonly wire: { readonly [attribute: string]: Value } };

/** Fields by name. Read maps of a declaration with {@link own}: a name may be 'constructor'. */
export interface CollectionDeclaration {
  /** Who may write, and what syncs together. */
  readonly domain: string;
  /** Only the record's owner, or who manages records, changes it. */
  readonly owned: boolean;
  /** Exactly one record, of the zero id; its fields are optional, have a default or count. */
  readonly single: boolean;
  readonly fields: { readonly [name: string]: FieldDeclaration };
}

/** A role is its rank; what it may do here is what a grant of it is made from. */
export interface RoleDeclaration {
  /** 1 to {@link maxRank}, unique. */
  readonly rank: number;
  /** Names of domains, each with a collection (or {@link defaultDomain}). */
  readonly write: 'all' | 'none' | readonly string[];
  readonly can: readonly PermissionName[];
}

/** An app's schema as it is published in `meta`. */
export interface Declaration {
  readonly app: string;
  readonly collections: { readonly [name: string]: CollectionDeclaration };
  readonly roles: { readonly [name: string]: RoleDeclaration };
}

/** The own property of that name. */
export function own<T>(map: { readonly [name: string]: T }, name: string): T | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}
