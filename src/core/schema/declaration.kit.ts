import fc from 'fast-check';
import type { Value } from '../codec/index.js';
import type { FieldValues } from '../op/index.js';
import { isName } from '../op/index.js';
import type {
  CollectionDeclaration,
  Declaration,
  FieldDeclaration,
  Need,
  PermissionName,
  RoleDeclaration,
} from './index.js';
import { isAllowed, own, permissionNames } from './index.js';

const fieldName = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c') },
  fc.constantFrom('constructor', '7', 'größe', 'toString'),
);
const collectionName = fc.constantFrom('shapes', 'notes', 'chat', 'constructor', '10');
const domainName = fc.oneof({ weight: 3, arbitrary: fc.constant('main') }, fc.constantFrom('chat', 'constructor'));
const recordIdText = fc
  .tuple(fc.stringMatching(/^[A-Za-z0-9_-]{37}$/), fc.constantFrom('A', 'Q', 'g', 'w'))
  .map(([start, end]) => start + end);

/** A value that the field allows. */
function arbitraryFor(field: FieldDeclaration): fc.Arbitrary<Value> {
  switch (field.kind) {
    case 'string':
      return fc
        .string({ unit: 'grapheme', maxLength: 6 })
        .map((text) => text.slice(0, field.maxLength ?? 6).replace(/\p{Surrogate}/gu, ''));
    case 'number': {
      const [min, max] = [field.min ?? -1_000, field.max ?? 1_000];
      const integer = fc.integer({ min: Math.ceil(min), max: Math.floor(max) });
      return field.integer ? integer : fc.oneof(integer, fc.double({ min, max, noNaN: true }));
    }
    case 'boolean':
      return fc.boolean();
    case 'oneOf':
      return fc.constantFrom(...field.values);
    case 'ref':
      return recordIdText;
    case 'json':
    case 'opaque':
      return fc.constantFrom<Value>(null, 1, 'x', [1, { a: null }], { constructor: [] });
    case 'counter':
      throw new TypeError('field: a counter has no value to set');
  }
}

const need = (field: FieldDeclaration): fc.Arbitrary<Need> =>
  fc.oneof(
    fc.constantFrom<Need>('required', 'optional'),
    arbitraryFor(field).map((value) => ({ default: value })),
  );

const shape: fc.Arbitrary<FieldDeclaration> = fc.oneof(
  fc.option(fc.nat(8)).map((maxLength) => ({ kind: 'string', maxLength, need: 'required' }) as const),
  fc
    .tuple(fc.option(fc.integer({ min: -5, max: 0 })), fc.option(fc.integer({ min: 1, max: 5 })), fc.boolean())
    .map(([min, max, integer]) => ({ kind: 'number', min, max, integer, need: 'required' }) as const),
  fc.constant({ kind: 'boolean', need: 'required' } as const),
  fc
    .uniqueArray(fc.constantFrom('box', 'note', 'arrow', ''), { minLength: 1 })
    .map((values) => ({ kind: 'oneOf', values, need: 'required' }) as const),
  fc.constant({ kind: 'json', need: 'required' } as const),
  fc.constant({ kind: 'counter' } as const),
  fc
    .constantFrom({ kind: 'list', item: { kind: 'number' } }, { kind: 'text' })
    .map((wire) => ({ kind: 'opaque', wire }) as const),
);

const field = shape.chain((first) =>
  'need' in first ? need(first).map((chosen): FieldDeclaration => ({ ...first, need: chosen })) : fc.constant(first),
);

const collection: fc.Arbitrary<CollectionDeclaration> = fc
  .record({
    domain: domainName,
    owned: fc.boolean(),
    single: fc.boolean(),
    fields: fc.dictionary(fieldName, field, { maxKeys: 4, noNullPrototype: true }),
  })
  .map((c) => {
    if (!c.single) return c;
    const entries = Object.entries(c.fields).filter(([, f]) => !('need' in f) || f.need !== 'required');
    return { ...c, owned: false, fields: Object.fromEntries(entries) };
  });

const role: fc.Arbitrary<Omit<RoleDeclaration, 'rank'>> = fc.record({
  write: fc.constantFrom<RoleDeclaration['write']>('all', 'none', ['main']),
  can: fc.uniqueArray(fc.constantFrom<PermissionName>(...permissionNames)),
});

/** Declarations that encode; small name spaces, so that two of them meet. */
export const arbitraryDeclaration: fc.Arbitrary<Declaration> = fc
  .record({
    app: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }).filter(isName),
    collections: fc.dictionary(collectionName, collection, { maxKeys: 3, noNullPrototype: true }),
    roles: fc.dictionary(fc.constantFrom('guest', 'host', 'toString'), role, { noNullPrototype: true }),
    firstRank: fc.integer({ min: 31, max: 33 }),
    ref: fc.boolean(),
  })
  .map(({ app, collections, roles, firstRank, ref }) => {
    const ranked = Object.entries(roles).map(([name, r], i) => [name, { ...r, rank: firstRank + i }] as const);
    const withRefs = Object.entries(collections).map(([name, c]) => {
      const parent: FieldDeclaration = { kind: 'ref', collection: name, need: 'optional' };
      return [name, ref ? { ...c, fields: { ...c.fields, parent } } : c] as const;
    });
    return { app, collections: Object.fromEntries(withRefs), roles: Object.fromEntries(ranked) };
  });

/** Fields of an insert that a collection accepts: what is required, and some of the rest. */
export function arbitraryInsert(declared: CollectionDeclaration): fc.Arbitrary<FieldValues> {
  const parts: fc.Arbitrary<FieldValues>[] = [];
  for (const [name, f] of Object.entries(declared.fields)) {
    if (f.kind === 'counter') continue;
    const isOptional = 'need' in f && f.need === 'optional';
    const value = isOptional ? fc.oneof(arbitraryFor(f), fc.constant(null)) : arbitraryFor(f);
    const part = value.map((v): FieldValues => ({ [name]: v }));
    parts.push('need' in f && f.need === 'required' ? part : fc.oneof(part, fc.constant<FieldValues>({})));
  }
  return fc.tuple(...parts).map((all) => all.reduce<FieldValues>((sum, part) => ({ ...sum, ...part }), {}));
}

/** A value that the field refuses, or undefined where it refuses none of the usual ones. */
export function refusedBy(declared: CollectionDeclaration, name: string): Value | undefined {
  const f = own(declared.fields, name);
  if (f === undefined || f.kind === 'opaque') return undefined;
  return [true, 1e6 + 0.5, 'not one of these, and long', { a: 1 }].find((value) => !isAllowed(f, value));
}
