import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Bytes } from '../base/index.js';
import { toBase64Url } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { createRecordId, profileRecordId, singleRecordId } from '../identity/index.js';
import type { FieldValues, Op } from '../op/index.js';
import { arbitraryDeclaration, arbitraryInsert, refusedBy } from './declaration.kit.js';
import type { CollectionDeclaration, Declaration, FieldDeclaration } from './index.js';
import {
  checkOps,
  creatorFault,
  expectationOf,
  isAllowed,
  maxJsonDepth,
  maxProfileNameLength,
  metaDeclaration,
  projectFields,
} from './index.js';

// Thousands of generated cases on a machine that may be busy: a hang is found anyway.
vi.setConfig({ testTimeout: 60_000 });

const author = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const id = createRecordId(new Uint8Array(12).fill(7), author);
const zeroId = singleRecordId();
const declaration: Declaration = {
  app: 'standup',
  collections: {
    shapes: {
      domain: 'main',
      owned: false,
      single: false,
      fields: {
        x: { kind: 'number', min: null, max: null, integer: false, need: 'required' },
        label: { kind: 'string', maxLength: 4, need: { default: '' } },
        parent: { kind: 'ref', collection: 'shapes', need: 'optional' },
        votes: { kind: 'counter' },
        file: { kind: 'opaque', wire: { kind: 'blob' } },
      },
    },
    chat: { domain: 'chat', owned: true, single: false, fields: {} },
    settings: {
      domain: 'main',
      owned: false,
      single: true,
      fields: { locked: { kind: 'boolean', need: { default: false } }, visits: { kind: 'counter' } },
    },
  },
  roles: {},
};
const check = (op: Op, domainName = 'main'): string => {
  const result = checkOps({ declaration, domainName, ops: [op] });
  if (!result.ok) expect(result.fault.code).toBe('entry/schema');
  return result.ok ? 'ok' : result.fault.detail;
};
const insert = (fields: FieldValues): Op => ({ kind: 'insert', collection: 'shapes', id, fields });
const update = (fields: FieldValues): Op => ({ kind: 'update', collection: 'shapes', id, fields });

describe('[X1] ops against their schema', () => {
  const fits: Record<string, Op> = {
    'an insert of what is required': insert({ x: 1 }),
    'an insert with the rest': insert({ x: 1.5, label: 'abcd', parent: toBase64Url(id), file: [null, author] }),
    'an insert that clears': insert({ x: 1, parent: null }),
    'an update of one field': update({ label: '' }),
    'an update of nothing': update({}),
    'an update that clears': update({ parent: null }),
    'a delete': { kind: 'delete', collection: 'shapes', id },
    'an increment': { kind: 'increment', collection: 'shapes', id, field: 'votes', by: -2 },
    'a single': { kind: 'update', collection: 'settings', id: zeroId, fields: { locked: true } },
    'a counter of a single': { kind: 'increment', collection: 'settings', id: zeroId, field: 'visits', by: 1 },
    'an op of a later version': { kind: 'opaque', code: 77, rest: ['nowhere'] },
  };
  test.each(Object.entries(fits))('[X1] %s fits', (_, op) => {
    expect(check(op)).toBe('ok');
  });

  const misfits: Record<string, readonly [Op, string]> = {
    'an unknown collection': [
      { kind: 'delete', collection: 'shapez', id },
      'expected a declared collection, got "shapez"',
    ],
    'an inherited name': [{ kind: 'delete', collection: 'constructor', id }, 'expected a declared collection'],
    'a collection of another domain': [
      { kind: 'delete', collection: 'chat', id },
      'expected a collection of domain "main", got "chat" of "chat"',
    ],
    'a record of the zero id': [
      { kind: 'delete', collection: 'shapes', id: zeroId },
      'expected an id that is not zero',
    ],
    'a single of another id': [
      { kind: 'update', collection: 'settings', id, fields: {} },
      '"settings": expected the zero id',
    ],
    'an insert of a single': [
      { kind: 'insert', collection: 'settings', id: zeroId, fields: {} },
      '"settings" is a single: expected an update',
    ],
    'a delete of a single': [
      { kind: 'delete', collection: 'settings', id: zeroId },
      '"settings" is a single: expected an update',
    ],
    'an unknown field': [update({ z: 1 }), '"shapes": expected a declared field, got "z"'],
    'an inherited field': [update({ toString: 'x' }), '"shapes": expected a declared field, got "toString"'],
    'a required field left out': [
      insert({}),
      '"shapes": field "x": expected a finite number, if integral within ±(2^53 - 1), got nothing',
    ],
    'a required field cleared': [
      update({ x: null }),
      'field "x": expected a finite number, if integral within ±(2^53 - 1), got null',
    ],
    'a defaulted field cleared': [
      update({ label: null }),
      'field "label": expected well-formed text of at most 4 UTF-16 units, got null',
    ],
    'another type': [
      update({ x: 'secret' }),
      'field "x": expected a finite number, if integral within ±(2^53 - 1), got string',
    ],
    'a text too long': [
      update({ label: 'secret' }),
      'field "label": expected well-formed text of at most 4 UTF-16 units, got another string',
    ],
    'a list': [update({ label: ['secret'] }), 'got list'],
    'no record id': [update({ parent: 'secret' }), 'field "parent": expected a record id of "shapes", got string'],
    'a counter that is set': [update({ votes: 3 }), 'field "votes": expected increments only, got number'],
    'a counter set by an insert': [insert({ x: 1, votes: 0 }), 'field "votes": expected increments only, got number'],
    'an increment of a number': [
      { kind: 'increment', collection: 'shapes', id, field: 'x', by: 1 },
      '"shapes": expected a counter, got "x" (number)',
    ],
    'an increment of nothing': [
      { kind: 'increment', collection: 'shapes', id, field: 'toString', by: 1 },
      '"shapes": expected a counter, got "toString" (not declared)',
    ],
  };
  test.each(Object.entries(misfits))('[X1] %s does not', (_, [op, detail]) => {
    const answer = check(op);
    expect(answer).toContain(detail);
    expect(answer).not.toContain('secret');
  });

  test('[X1] all ops fit, or none has effect: the first misfit is named', () => {
    const ops: readonly Op[] = [insert({ x: 1 }), update({ x: 'a' }), update({ y: 1 })];
    const result = checkOps({ declaration, domainName: 'main', ops });
    expect(result).toMatchObject({ ok: false, fault: { detail: expect.stringMatching(/^ops\[1\]: update: .*"x"/) } });
  });

  test('[X1] every generated insert fits; with one value refused by its field, or a required one gone, it does not', () => {
    let changed = 0;
    const cases = arbitraryDeclaration.chain((d) =>
      fc.tuple(
        ...Object.entries(d.collections).map(([name, c]) =>
          arbitraryInsert(c).map((fields) => ({ d, name, c, fields })),
        ),
      ),
    );
    fc.assert(
      fc.property(cases, (inserts) => {
        for (const { d, name, c, fields } of inserts) {
          const judge = (values: FieldValues): boolean => {
            const op: Op = c.single
              ? { kind: 'update', collection: name, id: zeroId, fields: values }
              : { kind: 'insert', collection: name, id, fields: values };
            return checkOps({ declaration: d, domainName: c.domain, ops: [op] }).ok;
          };
          expect(judge(fields)).toBe(true);
          for (const [fieldName, f] of Object.entries(c.fields)) {
            const bad = refusedBy(c, fieldName);
            if (bad !== undefined) {
              expect(judge({ ...fields, [fieldName]: bad })).toBe(false);
              changed++;
            }
            if (!('need' in f) || f.need !== 'required') continue;
            expect(judge(Object.fromEntries(Object.entries(fields).filter(([n]) => n !== fieldName)))).toBe(false);
          }
        }
      }),
      { numRuns: 500 },
    );
    expect(changed).toBeGreaterThan(200);
  });
});

describe('[X1] values of each kind', () => {
  const text = (maxLength: number | null): FieldDeclaration => ({ kind: 'string', maxLength, need: 'required' });
  const number = (limits: Partial<Extract<FieldDeclaration, { kind: 'number' }>>): FieldDeclaration => ({
    kind: 'number',
    min: null,
    max: null,
    integer: false,
    need: 'required',
    ...limits,
  });
  const json: FieldDeclaration = { kind: 'json', need: 'required' };
  const ref: FieldDeclaration = { kind: 'ref', collection: 'c', need: 'required' };
  const nested = (depth: number): Value => (depth === 0 ? 1 : [nested(depth - 1)]);
  const cycle: Value[] = [];
  cycle.push(cycle);
  const cases: readonly (readonly [string, FieldDeclaration, Value | undefined, boolean])[] = [
    ['maxLength counts UTF-16 units', text(2), '😀', true],
    ['one unit too many', text(1), '😀', false],
    ['a lone surrogate', text(null), '\ud83d', false],
    ['the empty text', text(0), '', true],
    ['at min', number({ min: 1 }), 1, true],
    ['below min', number({ min: 1 }), 0.5, false],
    ['at max', number({ max: 1 }), 1, true],
    ['above max', number({ max: 1 }), 2, false],
    ['a fraction for an integer', number({ integer: true }), 0.5, false],
    ['-0', number({ integer: true }), -0, true],
    ['NaN', number({}), NaN, false],
    ['infinity', number({}), Infinity, false],
    ['2^53', number({}), 2 ** 53, false],
    ['2^53 - 1', number({}), 2 ** 53 - 1, true],
    ['1e300', number({}), 1e300, false],
    ['5e-324', number({}), 5e-324, true],
    ['a truth', { kind: 'boolean', need: 'required' }, true, true],
    ['1 for a truth', { kind: 'boolean', need: 'required' }, 1, false],
    ['one of them', { kind: 'oneOf', values: ['a'], need: 'required' }, 'a', true],
    ['none of them', { kind: 'oneOf', values: ['a'], need: 'required' }, 'b', false],
    ['nothing', json, undefined, false],
    ['JSON null', json, null, true],
    ['JSON as deep as allowed', json, nested(maxJsonDepth), true],
    ['JSON one deeper', json, nested(maxJsonDepth + 1), false],
    ['a cycle', json, cycle, false],
    ['bytes in JSON', json, { a: [Uint8Array.of(1)] }, false],
    ['NaN in JSON', json, [NaN], false],
    ['a lone surrogate in JSON', json, { a: '\ud800' }, false],
    ['a lone surrogate as a key of JSON', json, { '\ud800': 1 }, false],
    ['a record id', ref, toBase64Url(id), true],
    ['a record id with stray bits', ref, `${'A'.repeat(37)}B`, false],
    ['a record id too long', ref, 'A'.repeat(39), false],
    ['a record id and a line break', ref, `${'A'.repeat(38)}\n`, false],
    ['a counter', { kind: 'counter' }, 1, false],
    ['a kind of a later version', { kind: 'opaque', wire: { kind: 'blob' } }, Uint8Array.of(1), true],
  ];
  test.each(cases)('[X1] %s', (_, field, value, expected) => {
    expect(isAllowed(field, value)).toBe(expected);
  });

  test('[X1] expectations are short whatever a schema declares', () => {
    const values = Array.from({ length: 256 }, (_, i) => String(i).padStart(100, '0'));
    expect(expectationOf({ kind: 'oneOf', values, need: 'required' }).length).toBeLessThan(1_000);
    const kinds = ['boolean', 'json'] as const;
    expect(kinds.map((kind) => expectationOf({ kind, need: 'required' }))).toEqual([
      'true or false',
      'JSON nested at most 16 deep',
    ]);
    expect(expectationOf(text(null))).toBe('well-formed text');
  });
});

describe('[X1] creators', () => {
  const other = new Uint8Array(32).fill(9);
  test('[X1] an insert names its author; other ops need not', () => {
    expect(creatorFault(author, insert({ x: 1 }))).toBeNull();
    expect(creatorFault(other, insert({ x: 1 }))).toMatchObject({ code: 'entry/creator' });
    expect(creatorFault(other, update({ x: 1 }))).toBeNull();
    expect(creatorFault(other, { kind: 'opaque', code: 9, rest: [] })).toBeNull();
  });
});

describe('[X3] records of meta', () => {
  const judge = (op: Op, domainName = 'meta'): string => {
    const result = checkOps({ declaration: metaDeclaration, domainName, ops: [op] });
    return result.ok ? 'ok' : result.fault.detail;
  };
  const profile = (fields: FieldValues): Op => ({
    kind: 'insert',
    collection: '$profiles',
    id: profileRecordId(author),
    fields,
  });
  const made = (collection: string, fields: FieldValues, recordId: Bytes = id): Op => ({
    kind: 'insert',
    collection,
    id: recordId,
    fields,
  });

  test('[X3] a profile is the record of its device', () => {
    const op = profile({ name: 'Ada', color: null });
    expect([judge(op), creatorFault(author, op)]).toEqual(['ok', null]);
    expect(creatorFault(new Uint8Array(32).fill(9), op)).toMatchObject({ code: 'entry/creator' });
    expect(judge(profile({ color: 'red' }))).toContain('"name"');
    expect(judge(profile({ name: 'x'.repeat(maxProfileNameLength + 1) }))).toContain('at most 100');
    expect(judge(op, 'main')).toContain('domain "main"');
  });

  test.each([
    ['$schema', { declaration: 'x'.repeat(65_536) }],
    ['$domains', { name: 'main', domain: 'ab'.repeat(32) }],
    ['$roles', { name: 'guest', rank: 40, perms: 3, write: ['chat'] }],
    ['$invites', { invite: 'ab'.repeat(32), inviteId: 'x'.repeat(22), psk: 'x'.repeat(43) }],
  ])('[X3] %s', (collection, fields) => {
    expect(judge(made(collection, fields))).toBe('ok');
    for (const name of Object.keys(fields)) {
      if (name === 'write') continue;
      const rest = Object.fromEntries(Object.entries<Value>(fields).filter(([other]) => other !== name));
      expect(judge(made(collection, rest))).toContain(`"${name}"`);
      expect(judge(made(collection, { ...fields, [name]: [1] }))).toContain(`"${name}"`);
    }
  });

  test('[X3] the title is a single', () => {
    expect(judge({ kind: 'update', collection: '$room', id: zeroId, fields: { title: 'Our call' } })).toBe('ok');
    expect(judge(made('$room', { title: 'Our call' }, zeroId))).toContain('single');
  });
});

describe('reading by a declaration', () => {
  const shapes = declaration.collections['shapes'];
  test('[F23] what was never written or has another type reads as the default, what is not declared not at all', () => {
    if (shapes === undefined) throw new Error('no shapes');
    expect(projectFields(shapes, { x: 1 })).toEqual({ x: 1, label: '', parent: null, votes: 0 });
    const odd = { x: 'text', label: null, parent: 5, votes: 'many', more: 1 };
    expect(projectFields(shapes, odd)).toEqual({ x: null, label: '', parent: null, votes: 0 });
    expect(projectFields(shapes, { label: 'longer than mine' })['label']).toBe('longer than mine');
    const words: FieldDeclaration = { kind: 'string', maxLength: null, need: 'optional' };
    const others: CollectionDeclaration = {
      ...shapes,
      fields: {
        on: { kind: 'boolean', need: 'required' },
        kind: { kind: 'oneOf', values: ['box'], need: { default: 'box' } },
        data: { kind: 'json', need: { default: {} } },
        constructor: words,
      },
    };
    expect(projectFields(others, {})).toEqual({ on: null, kind: 'box', data: {}, constructor: null });
    const stored = { on: true, kind: 'of a later app', data: null, constructor: 'c' };
    expect(projectFields(others, stored)).toEqual(stored);
    expect(projectFields(others, { on: 1, kind: 1, data: author })).toEqual(projectFields(others, {}));
  });
});
