import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RecordUpdate } from './messages.js';
import { packRecords } from './records.kit.js';
import { unpackRecords } from './records.js';

const update: fc.Arbitrary<RecordUpdate> = fc.record({
  collection: fc.constantFrom('cards', '$room'),
  id: fc.string({ unit: 'grapheme', minLength: 1 }),
  fields: fc.option(
    fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__'),
      fc.jsonValue({ noUnicodeString: false }),
    ),
  ),
  createdAtMs: fc.nat(2 ** 48),
  delivered: fc.boolean(),
});

function byKey(rows: readonly RecordUpdate[]): Map<string, RecordUpdate> {
  return new Map(rows.map((row) => [`${row.collection}/${row.id}`, row]));
}

test('what is packed and cloned comes out again, whatever the order and shapes', () => {
  fc.assert(
    fc.property(fc.uniqueArray(update, { selector: ({ collection, id }) => `${collection}/${id}` }), (rows) => {
      const back = unpackRecords(structuredClone(packRecords(rows)));
      expect(back).toHaveLength(rows.length);
      expect(byKey(back)).toEqual(byKey(structuredClone(rows)));
    }),
  );
});

test('records of one shape are one run, whichever others stand between them', () => {
  const one = (id: string, fields: RecordUpdate['fields']): RecordUpdate => ({
    collection: 'cards',
    id,
    fields,
    createdAtMs: 7,
    delivered: id === 'a',
  });
  expect(packRecords([one('a', { x: 1 }), one('b', null), one('c', { x: 2 }), one('d', { x: 3, y: 4 })])).toEqual([
    ['cards', ['x'], ['a', 7, 1, 1, 'c', 7, 0, 2]],
    ['cards', null, ['b', 7, 0]],
    ['cards', ['x', 'y'], ['d', 7, 0, 3, 4]],
  ]);
});

test('bytes, of a kind of field that only a later version knows, stay in the worker with all that lies beside them', () => {
  const bytes = new Uint8Array(1_000_000).subarray(7, 9);
  const fields = { later: bytes, within: { list: [bytes] }, json: { a: [1, null] } };
  const packed = packRecords([{ collection: 'cards', id: 'a', fields, createdAtMs: 0, delivered: true }]);
  expect(unpackRecords(packed)[0]?.fields).toEqual({ later: null, within: null, json: { a: [1, null] } });
});
