import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { createRecordId } from '../identity/index.js';
import { arbitraryDeclaration, arbitraryInsert } from './declaration.kit.js';
import type { CollectionDeclaration, Conflict, Declaration, FieldDeclaration } from './index.js';
import { checkOps, coversDeclaration, unionDeclarations } from './index.js';

// Thousands of generated cases on a machine that may be busy: a hang is found anyway.
vi.setConfig({ testTimeout: 60_000 });

const base: CollectionDeclaration = { domain: 'main', owned: false, single: false, fields: {} };
const withCollection = (c: Partial<CollectionDeclaration>): Declaration => ({
  app: 'a',
  collections: { c: { ...base, ...c } },
  roles: {},
});
const withField = (f: FieldDeclaration): Declaration => withCollection({ fields: { f } });
const text = (maxLength: number | null): Extract<FieldDeclaration, { kind: 'string' }> => ({
  kind: 'string',
  maxLength,
  need: 'required',
});
const number: Extract<FieldDeclaration, { kind: 'number' }> = {
  kind: 'number',
  min: 0,
  max: 5,
  integer: true,
  need: 'required',
};
const later = (kind: string): FieldDeclaration => ({ kind: 'opaque', wire: { kind } });

describe('[F23] the append-only union', () => {
  const merges: Record<string, readonly [FieldDeclaration, FieldDeclaration, FieldDeclaration]> = {
    'a wider text': [text(5), text(9), text(9)],
    'a narrower text narrows nothing': [text(9), text(5), text(9)],
    'a text without limit': [text(9), text(null), text(null)],
    'a limit after none': [text(null), text(5), text(null)],
    'wider numbers': [
      number,
      { ...number, min: -1, max: 4, integer: false },
      { ...number, min: -1, max: 5, integer: false },
    ],
    'numbers without bounds': [number, { ...number, min: null, max: null }, { ...number, min: null, max: null }],
    'more values': [
      { kind: 'oneOf', values: ['b', 'a'], need: 'required' },
      { kind: 'oneOf', values: ['a', 'c'], need: 'required' },
      { kind: 'oneOf', values: ['b', 'a', 'c'], need: 'required' },
    ],
    'required → optional': [text(1), { ...text(1), need: 'optional' }, { ...text(1), need: 'optional' }],
    'optional → required narrows nothing': [
      { ...text(1), need: 'optional' },
      text(1),
      { ...text(1), need: 'optional' },
    ],
    'required → default': [text(1), { ...text(1), need: { default: 'x' } }, { ...text(1), need: { default: 'x' } }],
    'of two defaults the first': [
      { ...text(1), need: { default: 'x' } },
      { ...text(1), need: { default: 'y' } },
      { ...text(1), need: { default: 'x' } },
    ],
    'default → optional': [
      { ...text(1), need: { default: 'x' } },
      { ...text(1), need: 'optional' },
      { ...text(1), need: 'optional' },
    ],
    'a flag': [
      { kind: 'boolean', need: 'required' },
      { kind: 'boolean', need: 'optional' },
      { kind: 'boolean', need: 'optional' },
    ],
    JSON: [
      { kind: 'json', need: 'required' },
      { kind: 'json', need: 'optional' },
      { kind: 'json', need: 'optional' },
    ],
    'a ref': [
      { kind: 'ref', collection: 'c', need: 'required' },
      { kind: 'ref', collection: 'c', need: 'optional' },
      { kind: 'ref', collection: 'c', need: 'optional' },
    ],
    'a counter': [{ kind: 'counter' }, { kind: 'counter' }, { kind: 'counter' }],
    'a kind of a later version stays as first seen': [
      later('blob'),
      { kind: 'opaque', wire: { kind: 'blob', more: 1 } },
      later('blob'),
    ],
  };
  test.each(Object.entries(merges))('[F23] %s', (_, [first, second, expected]) => {
    const { union, conflicts } = unionDeclarations([withField(first), withField(second)]);
    expect(conflicts).toEqual([]);
    expect(union).toEqual(withField(expected));
  });

  const clashes: Record<string, readonly [Declaration, Declaration, Omit<Conflict, 'index' | 'detail'>]> = {
    'another kind': [withField(text(5)), withField(number), { part: 'field', name: 'c', field: 'f' }],
    'another kind of a later version': [
      withField(later('blob')),
      withField(later('text')),
      { part: 'field', name: 'c', field: 'f' },
    ],
    'a kind we know for one we do not': [
      withField(later('blob')),
      withField(text(5)),
      { part: 'field', name: 'c', field: 'f' },
    ],
    'a ref elsewhere': [
      withField({ kind: 'ref', collection: 'c', need: 'optional' }),
      withField({ kind: 'ref', collection: 'd', need: 'optional' }),
      { part: 'field', name: 'c', field: 'f' },
    ],
    'a new required field': [withCollection({}), withField(text(5)), { part: 'field', name: 'c', field: 'f' }],
    'a required field left out': [withField(text(5)), withCollection({}), { part: 'field', name: 'c', field: 'f' }],
    'another domain': [
      withCollection({}),
      withCollection({ domain: 'chat' }),
      { part: 'collection', name: 'c', field: null },
    ],
    'another owner rule': [
      withCollection({}),
      withCollection({ owned: true }),
      { part: 'collection', name: 'c', field: null },
    ],
    'a single of many': [
      withCollection({}),
      withCollection({ single: true }),
      { part: 'collection', name: 'c', field: null },
    ],
    'another rank': [
      { app: 'a', collections: {}, roles: { guest: { rank: 40, write: 'all', can: [] } } },
      { app: 'a', collections: {}, roles: { guest: { rank: 41, write: 'all', can: [] } } },
      { part: 'role', name: 'guest', field: null },
    ],
    'a rank that is taken': [
      { app: 'a', collections: {}, roles: { guest: { rank: 40, write: 'all', can: [] } } },
      { app: 'a', collections: {}, roles: { visitor: { rank: 40, write: 'all', can: [] } } },
      { part: 'role', name: 'visitor', field: null },
    ],
    'other permissions': [
      { app: 'a', collections: {}, roles: { guest: { rank: 40, write: 'all', can: [] } } },
      { app: 'a', collections: {}, roles: { guest: { rank: 40, write: 'all', can: ['invite'] } } },
      { part: 'role', name: 'guest', field: null },
    ],
  };
  test.each(Object.entries(clashes))('[F23] conflict: %s; the first stands', (_, [first, second, expected]) => {
    const { union, conflicts } = unionDeclarations([first, second]);
    expect(conflicts).toEqual([{ index: 1, ...expected, detail: expect.stringMatching(/./) }]);
    expect(union).toEqual(first);
    expect(coversDeclaration(first, second)).toBe(false);
  });

  test('[F23] a conflict takes nothing else with it', () => {
    const more: Declaration = {
      app: 'b',
      collections: { c: { ...base, fields: { f: number, g: later('list') } }, d: base },
      roles: { guest: { rank: 40, write: 'none', can: [] } },
    };
    const { union, conflicts } = unionDeclarations([withField(text(5)), more]);
    expect(conflicts.map(({ name, field }) => [name, field])).toEqual([['c', 'f']]);
    expect(union).toEqual({
      app: 'a',
      collections: { c: { ...base, fields: { f: text(5), g: later('list') } }, d: base },
      roles: more.roles,
    });
  });

  test('[F23] of nothing', () => {
    expect(unionDeclarations([])).toEqual({ union: { app: '', collections: {}, roles: {} }, conflicts: [] });
  });
});

describe('[F23] laws of the union', () => {
  const several = fc.array(arbitraryDeclaration, { minLength: 1, maxLength: 4 });

  test('[F23] it covers each part without conflict, leaves its arguments alone, and taken again it stays', () => {
    fc.assert(
      fc.property(several, (published) => {
        const before = structuredClone(published);
        const { union, conflicts } = unionDeclarations(published);
        expect(published).toEqual(before);
        published.forEach((declaration, index) => {
          const isFree = conflicts.every((conflict) => conflict.index !== index);
          if (isFree && conflicts.length === 0) expect(coversDeclaration(union, declaration)).toBe(true);
        });
        const again = unionDeclarations([union, ...published]);
        expect(again.union).toEqual(union);
        expect(unionDeclarations([union, union])).toEqual({ union, conflicts: [] });
        expect(coversDeclaration(union, union)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test('[F23] what a declaration lets an app write, every union that covers it lets it write too', () => {
    let covered = 0;
    const id = createRecordId(new Uint8Array(12).fill(1), new Uint8Array(32).fill(2));
    fc.assert(
      fc.property(
        several.chain((published) =>
          fc.record({
            published: fc.constant(published),
            inserts: fc.tuple(
              ...Object.entries(published.at(-1)?.collections ?? {}).map(([collection, c]) =>
                arbitraryInsert(c).map((fields) => ({ collection, c, fields })),
              ),
            ),
          }),
        ),
        ({ published, inserts }) => {
          const mine = published.at(-1);
          const { union } = unionDeclarations(published);
          if (mine === undefined || !coversDeclaration(union, mine)) return;
          for (const { collection, c, fields } of inserts) {
            const op = c.single
              ? ({ kind: 'update', collection, id: new Uint8Array(28), fields } as const)
              : ({ kind: 'insert', collection, id, fields } as const);
            const o = { domainName: c.domain, ops: [op] };
            expect(checkOps({ declaration: mine, ...o })).toEqual({ ok: true, value: undefined });
            expect(checkOps({ declaration: union, ...o })).toEqual({ ok: true, value: undefined });
            covered++;
          }
        },
      ),
      { numRuns: 1_000 },
    );
    expect(covered).toBeGreaterThan(200);
  });
});
