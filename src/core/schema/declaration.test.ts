import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Bytes } from '../base/index.js';
import { toHex } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { encodeValue, valueLimits } from '../codec/index.js';
import { arbitraryDeclaration } from './declaration.kit.js';
import type { CollectionDeclaration, Declaration, FieldDeclaration, RoleDeclaration } from './index.js';
import {
  decodeDeclaration,
  encodeDeclaration,
  maxCollections,
  maxDeclarationBytes,
  maxOneOfLength,
  maxOneOfValues,
  maxRoles,
  metaDeclaration,
  metaPrefix,
  schemaPrefix,
} from './index.js';
import { encodeChecked } from './write.js';

// Thousands of generated cases on a machine that may be busy: a hang is found anyway.
vi.setConfig({ testTimeout: 60_000 });

const shapes: CollectionDeclaration = {
  domain: 'main',
  owned: false,
  single: false,
  fields: {
    x: { kind: 'number', min: null, max: null, integer: false, need: 'required' },
    label: { kind: 'string', maxLength: 200, need: { default: '' } },
    parent: { kind: 'ref', collection: 'shapes', need: 'optional' },
    votes: { kind: 'counter' },
  },
};
const guest: RoleDeclaration = { rank: 40, write: ['chat', 'main'], can: ['invite', 'manageRecords'] };
const app: Declaration = {
  app: 'standup',
  collections: { shapes, chat: { domain: 'chat', owned: true, single: false, fields: {} } },
  roles: { guest },
};
const wire = {
  format: 1,
  app: 'standup',
  collections: {
    shapes: {
      domain: 'main',
      fields: {
        x: { kind: 'number' },
        label: { kind: 'string', maxLength: 200, default: '' },
        parent: { kind: 'ref', collection: 'shapes', optional: true },
        votes: { kind: 'counter' },
      },
    },
    chat: { domain: 'chat', owned: true, fields: {} },
  },
  roles: { guest: { rank: 40, write: ['chat', 'main'], can: ['invite', 'manageRecords'] } },
};
const wide = { ...valueLimits, maxBytes: 2 ** 22 };
const codeOf = (value: Value): string => {
  const read = decodeDeclaration(encodeValue(value, wide));
  return read.ok ? 'ok' : read.fault.code;
};

describe('[F23] the one encoding', () => {
  test('[F23] a declaration comes back, and its bytes are its only encoding', () => {
    fc.assert(
      fc.property(arbitraryDeclaration, (declaration) => {
        const bytes = encodeDeclaration(declaration);
        const read = decodeDeclaration(bytes);
        expect(read.ok).toBe(true);
        if (!read.ok) return;
        expect(read.value.collections).toEqual(declaration.collections);
        expect(toHex(encodeDeclaration(read.value))).toBe(toHex(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  test('[F23] the wire form, and the prefix that names it', () => {
    expect(toHex(encodeDeclaration(app))).toBe(toHex(encodeValue(wire)));
    expect(decodeDeclaration(encodeValue(wire))).toEqual({ ok: true, value: app });
    const digest = createHash('sha256').update(encodeValue(wire)).digest('hex');
    expect(toHex(schemaPrefix(encodeDeclaration(app)))).toBe(digest.slice(0, 16));
    expect(digest.slice(0, 16)).toBe('cc76cde589d07824');
  });

  test('[F23] the order in which things are named makes no difference, that of oneOf values does', () => {
    const reversed: Declaration = {
      app: 'standup',
      collections: { chat: app.collections['chat'] ?? shapes, shapes },
      roles: { guest: { ...guest, write: ['main', 'chat'], can: ['manageRecords', 'invite'] } },
    };
    expect(toHex(encodeDeclaration(reversed))).toBe(toHex(encodeDeclaration(app)));
    const choice = (values: readonly string[]): Bytes =>
      encodeDeclaration(withField({ kind: 'oneOf', values, need: 'required' }));
    expect(toHex(choice(['a', 'b']))).not.toBe(toHex(choice(['b', 'a'])));
  });

  test('[F19] a field of a kind of a later version is kept in its wire form', () => {
    const later = { kind: 'blob', maxBytes: 5, optional: true, parts: [{ a: null }] };
    const value = { ...wire, collections: { files: { domain: 'main', fields: { file: later } } }, roles: {} };
    const read = decodeDeclaration(encodeValue(value));
    expect(read).toMatchObject({
      ok: true,
      value: { collections: { files: { fields: { file: { kind: 'opaque', wire: later } } } } },
    });
    if (read.ok) expect(toHex(encodeDeclaration(read.value))).toBe(toHex(encodeValue(value)));
  });

  test('[X3] our own schema has a fixed prefix, and is none that an app may publish', () => {
    expect(toHex(metaPrefix())).toBe('302938cb462c8b65');
    expect(Object.keys(metaDeclaration.collections)).toEqual([
      '$profiles',
      '$schema',
      '$domains',
      '$roles',
      '$room',
      '$invites',
    ]);
    expect(decodeDeclaration(encodeChecked(metaDeclaration, true))).toMatchObject({
      ok: false,
      fault: { code: 'value/malformed' },
    });
    expect(() => encodeDeclaration(metaDeclaration)).toThrow(/no name that begins with "\$"/);
  });
});

describe('[F23] malformed declarations', () => {
  const withFields = (fields: Value): Value => ({
    ...wire,
    roles: {},
    collections: { shapes: { domain: 'main', fields } },
  });
  const withRole = (role: Value): Value => ({ ...wire, roles: { guest: role } });
  const withCollection = (collection: Value): Value => ({ ...wire, roles: {}, collections: { c: collection } });
  const many = (count: number, value: Value): Value =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${String(i)}`, value]));
  const cases: Record<string, Value> = {
    'not a map': [1],
    'no format': { app: 'a', collections: {}, roles: {} },
    'format as text': { ...wire, format: '1' },
    'no app': { format: 1, collections: {}, roles: {} },
    'empty app': { ...wire, app: '' },
    'an attribute too much': { ...wire, extra: 1 },
    'no collections': { format: 1, app: 'a', roles: {} },
    'collections as list': { ...wire, collections: [] },
    'no roles': { format: 1, app: 'a', collections: {} },
    'too many collections': { ...wire, roles: {}, collections: many(maxCollections + 1, { domain: 'd', fields: {} }) },
    'reserved collection': { ...wire, roles: {}, collections: { $profiles: { domain: 'main', fields: {} } } },
    'long collection name': { ...wire, roles: {}, collections: { ['c'.repeat(65)]: { domain: 'main', fields: {} } } },
    'collection not a map': withCollection('c'),
    'collection without domain': withCollection({ fields: {} }),
    'collection without fields': withCollection({ domain: 'main' }),
    'collection with more': withCollection({ domain: 'main', fields: {}, ttl: 5 }),
    'domain meta': withCollection({ domain: 'meta', fields: {} }),
    'domain control': withCollection({ domain: 'control', fields: {} }),
    'domain with $': withCollection({ domain: '$d', fields: {} }),
    'owned: false is absent': withCollection({ domain: 'main', fields: {}, owned: false }),
    'single: 1': withCollection({ domain: 'main', fields: {}, single: 1 }),
    'owned and single': withCollection({ domain: 'main', fields: {}, owned: true, single: true }),
    'required in a single': withCollection({ domain: 'main', single: true, fields: { a: { kind: 'boolean' } } }),
    'too many fields': withFields(many(129, { kind: 'boolean' })),
    'field "id"': withFields({ id: { kind: 'string' } }),
    'field with $': withFields({ $a: { kind: 'string' } }),
    'field not a map': withFields({ a: 'string' }),
    'field without kind': withFields({ a: {} }),
    'kind not a name': withFields({ a: { kind: 5 } }),
    'unknown attribute of a known kind': withFields({ a: { kind: 'string', pattern: 'x' } }),
    'attribute of another kind': withFields({ a: { kind: 'boolean', maxLength: 5 } }),
    'counter with a default': withFields({ a: { kind: 'counter', default: 0 } }),
    'optional: false is absent': withFields({ a: { kind: 'string', optional: false } }),
    'optional and a default': withFields({ a: { kind: 'string', optional: true, default: '' } }),
    'maxLength null is absent': withFields({ a: { kind: 'string', maxLength: null } }),
    'negative maxLength': withFields({ a: { kind: 'string', maxLength: -1 } }),
    'fractional maxLength': withFields({ a: { kind: 'string', maxLength: 1.5 } }),
    'min null is absent': withFields({ a: { kind: 'number', min: null } }),
    'max as text': withFields({ a: { kind: 'number', max: '5' } }),
    'min above max': withFields({ a: { kind: 'number', min: 2, max: 1 } }),
    'integer: false is absent': withFields({ a: { kind: 'number', integer: false } }),
    'oneOf without values': withFields({ a: { kind: 'oneOf' } }),
    'oneOf of nothing': withFields({ a: { kind: 'oneOf', values: [] } }),
    'oneOf twice the same': withFields({ a: { kind: 'oneOf', values: ['a', 'a'] } }),
    'oneOf of numbers': withFields({ a: { kind: 'oneOf', values: ['a', 1] } }),
    'oneOf of a long text': withFields({ a: { kind: 'oneOf', values: ['a'.repeat(maxOneOfLength + 1)] } }),
    'oneOf of too many': withFields({
      a: { kind: 'oneOf', values: Array.from({ length: maxOneOfValues + 1 }, (_, i) => String(i)) },
    }),
    'ref to nothing': withFields({ a: { kind: 'ref' } }),
    'ref to an unknown collection': withFields({ a: { kind: 'ref', collection: 'others' } }),
    'ref to an inherited name': withFields({ a: { kind: 'ref', collection: 'constructor' } }),
    'default of another kind': withFields({ a: { kind: 'string', default: 1 } }),
    'default null': withFields({ a: { kind: 'string', default: null } }),
    'default above its limit': withFields({ a: { kind: 'string', maxLength: 1, default: 'ab' } }),
    'default that is no value of it': withFields({ a: { kind: 'oneOf', values: ['a'], default: 'b' } }),
    'default with bytes in JSON': withFields({ a: { kind: 'json', default: [Uint8Array.of(1)] } }),
    'too many roles': { ...wire, roles: many(maxRoles + 1, { rank: 50, write: 'all', can: [] }) },
    'reserved role': { ...wire, roles: { $r: { rank: 50, write: 'all', can: [] } } },
    'built-in role': { ...wire, roles: { owner: { rank: 50, write: 'all', can: [] } } },
    'built-in rank': withRole({ rank: 20, write: 'all', can: [] }),
    'rank 0': withRole({ rank: 0, write: 'all', can: [] }),
    'rank above u16': withRole({ rank: 65_536, write: 'all', can: [] }),
    'no rank': withRole({ write: 'all', can: [] }),
    'one rank, two roles': {
      ...wire,
      roles: { a: { rank: 50, write: 'all', can: [] }, b: { rank: 50, write: 'all', can: [] } },
    },
    'role with more': withRole({ rank: 50, write: 'all', can: [], color: 'red' }),
    'unknown permission': withRole({ rank: 50, write: 'all', can: ['fly'] }),
    'permission twice': withRole({ rank: 50, write: 'all', can: ['invite', 'invite'] }),
    'permissions in another order': withRole({ rank: 50, write: 'all', can: ['manageRecords', 'invite'] }),
    'write nowhere': withRole({ rank: 50, write: [], can: [] }),
    'write as a word': withRole({ rank: 50, write: 'some', can: [] }),
    'write in another order': withRole({ rank: 50, write: ['main', 'chat'], can: [] }),
    'write twice': withRole({ rank: 50, write: ['main', 'main'], can: [] }),
    'write a number': withRole({ rank: 50, write: ['main', 5], can: [] }),
    'write where nothing is': withRole({ rank: 50, write: ['elsewhere'], can: [] }),
  };
  test.each(Object.entries(cases))('[F23] %s', (_, value) => {
    expect(codeOf(value)).toBe('value/malformed');
  });

  test('[F23] a later format is held, a declaration above the limit is not', () => {
    expect(codeOf({ format: 2, anything: [] })).toBe('entry/unknown-version');
    expect(codeOf({ ...wire, app: 'x'.repeat(maxDeclarationBytes) })).toBe('value/limits');
  });
});

describe('misuse by our own caller', () => {
  const cases: Record<string, readonly [Declaration, RegExp]> = {
    'an empty app': [{ ...app, app: '' }, /^declaration\.app: expected a name/],
    'a reserved domain': [
      { ...app, collections: { c: { ...shapes, domain: 'meta', fields: {} } } },
      /^declaration\.collections\.c\.domain: expected a name that is not one of our own$/,
    ],
    'a required field of a single': [
      {
        ...app,
        roles: {},
        collections: { s: { ...shapes, single: true, fields: { a: { kind: 'boolean', need: 'required' } } } },
      },
      /^declaration\.collections\.s\.fields\.a: expected optional\(\) or default\(\)/,
    ],
    'a default beyond its limits': [
      withField({ kind: 'number', min: 1, max: null, integer: true, need: { default: 0 } }),
      /^declaration\.collections\.c\.fields\.f: expected a default that is an integer from 1$/,
    ],
    'a name that is no JavaScript-safe key': [
      { ...app, collections: Object.fromEntries([['__proto__', shapes]]) },
      /expected names of 1 to 64 bytes|not allowed/,
    ],
    'an opaque field of a kind we know': [
      withField({ kind: 'opaque', wire: { kind: 'string' } }),
      /^declaration: expected an opaque field of an unknown kind, got string$/,
    ],
    'too much of everything': [
      withField({
        kind: 'oneOf',
        values: Array.from({ length: 256 }, (_, i) => String(i).padStart(256, '0')),
        need: 'required',
      }),
      /bytes/,
    ],
  };
  test.each(Object.entries(cases))('[F23] encoding %s throws', (_, [declaration, message]) => {
    expect(() => encodeDeclaration(declaration)).toThrow(RangeError);
    expect(() => encodeDeclaration(declaration)).toThrow(message);
  });
});

function withField(f: FieldDeclaration): Declaration {
  return { app: 'a', collections: { c: { domain: 'main', owned: false, single: false, fields: { f } } }, roles: {} };
}
