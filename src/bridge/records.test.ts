import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RecordUpdate } from './messages.js';
import { packRecords, unpackRecords } from './records.js';

const update: fc.Arbitrary<RecordUpdate> = fc.record({
  collection: fc.constantFrom('cards', '$room'),
  id: fc.string({ unit: 'grapheme', minLength: 1 }),
  fields: fc.option(
    fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__'),
      fc.jsonValue({ noUnicodeString: false }).filter((value) => !Object.is(value, -0)),
    ),
  ),
  createdAtMs: fc.nat(2 ** 48),
  delivered: fc.boolean(),
});

function byKey(rows: readonly RecordUpdate[]): Map<string, RecordUpdate> {
  return new Map(rows.map((row) => [`${row.collection}/${row.id}`, row]));
}

test('what is packed comes out again, whatever the order and shapes', () => {
  fc.assert(
    fc.property(fc.uniqueArray(update, { selector: ({ collection, id }) => `${collection}/${id}` }), (rows) => {
      const back = unpackRecords(packRecords(rows));
      const json = JSON.parse(JSON.stringify(rows)) as RecordUpdate[];
      expect(back).toHaveLength(rows.length);
      expect(byKey(back)).toEqual(byKey(json));
    }),
  );
});

test('10,000 records of one shape cost few bytes beside their values', () => {
  const rows = Array.from({ length: 10_000 }, (_, i) => ({
    collection: 'cards',
    id: `${i}`.padStart(38, 'a'),
    fields: { x: i % 10, y: 1, text: 'note' },
    createdAtMs: 1_700_000_000_000 + i,
    delivered: true,
  }));
  const bytes = packRecords(rows);
  expect(bytes.length / rows.length).toBeLessThan(75);
  expect(unpackRecords(bytes)).toEqual(rows);
});
