import { equalBytes } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { encodeValue } from '../codec/index.js';
import type { CollectionDeclaration, Declaration, FieldDeclaration, Need, RoleDeclaration } from './declaration.js';
import { own } from './declaration.js';
import { declarationToValue, roleToValue } from './write.js';

/** What of a published declaration has no effect, because an earlier one says otherwise. */
export interface Conflict {
  /** Which of the given declarations. */
  readonly index: number;
  readonly part: 'collection' | 'field' | 'role';
  readonly name: string;
  /** The field of the collection `name`, or null. */
  readonly field: string | null;
  /** What the earlier one has, in words for a developer. */
  readonly detail: string;
}

/**
 * The append-only union of declarations (design.md §6), a function of their order alone: the caller puts the stronger
 * first. Added are collections, roles, and fields that an insert may leave out; limits only get wider, `oneOf` values
 * only more, and what an insert may leave out or clear only grows. So a later declaration may state less, as an older
 * app does, and narrows nothing. What it cannot be is another thing of the same name: that is a conflict, the first
 * stands. The union of nothing has an empty `app`; a union is not bounded like one declaration, and is never encoded.
 */
export function unionDeclarations(published: readonly Declaration[]): {
  readonly union: Declaration;
  readonly conflicts: readonly Conflict[];
} {
  const collections: Record<string, CollectionDeclaration> = {};
  const roles: Record<string, RoleDeclaration> = {};
  const conflicts: Conflict[] = [];
  published.forEach((declaration, index) => {
    for (const [name, later] of Object.entries(declaration.collections)) {
      const first = own(collections, name);
      const clash = (field: string | null, detail: string): void => {
        conflicts.push({ index, part: field === null ? 'collection' : 'field', name, field, detail });
      };
      collections[name] = first === undefined ? later : uniteCollections(first, later, clash);
    }
    for (const [name, role] of Object.entries(declaration.roles)) {
      const detail = addRole(roles, name, role);
      if (detail !== null) conflicts.push({ index, part: 'role', name, field: null, detail });
    }
  });
  return { union: { app: published[0]?.app ?? '', collections, roles }, conflicts };
}

/**
 * Whether everything that `mine` may write is accepted under `published` (a union, or one declaration): publishing mine
 * would change nothing. False for a conflict too; {@link unionDeclarations} tells the two apart.
 */
export function coversDeclaration(published: Declaration, mine: Declaration): boolean {
  const { union, conflicts } = unionDeclarations([published, mine]);
  return conflicts.length === 0 && isSame(declarationToValue(union), declarationToValue(published));
}

/** By their one encoding; a union is not bounded. */
function isSame(a: Value, b: Value): boolean {
  const limits = { maxBytes: Infinity, maxDepth: Infinity, maxNodes: Infinity };
  return equalBytes(encodeValue(a, limits), encodeValue(b, limits));
}

type Clash = (field: string | null, detail: string) => void;

function uniteCollections(
  first: CollectionDeclaration,
  later: CollectionDeclaration,
  clash: Clash,
): CollectionDeclaration {
  if (first.domain !== later.domain || first.owned !== later.owned || first.single !== later.single) {
    clash(null, `in domain "${first.domain}", ${first.owned ? '' : 'not '}owned, ${first.single ? '' : 'not '}single`);
    return first;
  }
  const fields: Record<string, FieldDeclaration> = { ...first.fields };
  for (const [name, field] of Object.entries(later.fields)) {
    const known = own(first.fields, name);
    const united = known === undefined ? field : uniteFields(known, field);
    if (united === null) clash(name, `another kind: ${known?.kind ?? ''}`);
    else if (known === undefined && isRequired(field)) clash(name, 'not there, so it cannot become required');
    else fields[name] = united;
  }
  for (const [name, field] of Object.entries(first.fields)) {
    if (isRequired(field) && own(later.fields, name) === undefined) clash(name, 'required');
  }
  return { ...first, fields };
}

function isRequired(field: FieldDeclaration): boolean {
  return 'need' in field && field.need === 'required';
}

/** The wider of two fields of one kind; null when there is none. */
function uniteFields(a: FieldDeclaration, b: FieldDeclaration): FieldDeclaration | null {
  if (a.kind === 'string' && b.kind === 'string') {
    return { ...a, maxLength: wider(a.maxLength, b.maxLength, Math.max), need: uniteNeeds(a.need, b.need) };
  }
  if (a.kind === 'number' && b.kind === 'number') {
    return {
      kind: 'number',
      min: wider(a.min, b.min, Math.min),
      max: wider(a.max, b.max, Math.max),
      integer: a.integer && b.integer,
      need: uniteNeeds(a.need, b.need),
    };
  }
  if (a.kind === 'oneOf' && b.kind === 'oneOf') {
    return { ...a, values: [...new Set([...a.values, ...b.values])], need: uniteNeeds(a.need, b.need) };
  }
  if (a.kind === 'ref' && b.kind === 'ref') {
    return a.collection === b.collection ? { ...a, need: uniteNeeds(a.need, b.need) } : null;
  }
  if (a.kind === 'boolean' && b.kind === 'boolean') return { ...a, need: uniteNeeds(a.need, b.need) };
  if (a.kind === 'json' && b.kind === 'json') return { ...a, need: uniteNeeds(a.need, b.need) };
  if (a.kind === 'counter' && b.kind === 'counter') return a;
  // How a kind of a later version widens is for that version to say; here either passes every value.
  return a.kind === 'opaque' && b.kind === 'opaque' && own(a.wire, 'kind') === own(b.wire, 'kind') ? a : null;
}

/** Null is no limit, the widest. */
function wider(a: number | null, b: number | null, pick: (a: number, b: number) => number): number | null {
  return a === null || b === null ? null : pick(a, b);
}

/** required < default < optional: each allows all that the one before it does. Of two defaults the first stays. */
function uniteNeeds(a: Need, b: Need): Need {
  if (a === 'optional' || b === 'optional') return 'optional';
  return a === 'required' ? b : a;
}

/** Adds a role; or says what an earlier one has. */
function addRole(roles: Record<string, RoleDeclaration>, name: string, role: RoleDeclaration): string | null {
  const first = own(roles, name);
  const holder = Object.keys(roles).find((other) => roles[other]?.rank === role.rank);
  if (first === undefined && holder === undefined) {
    roles[name] = role;
    return null;
  }
  if (first === undefined) return `rank ${String(role.rank)} is role "${holder ?? ''}"`;
  if (isSame(roleToValue(first), roleToValue(role))) return null;
  return first.rank === role.rank ? 'other permissions or domains' : `rank ${String(first.rank)}`;
}
