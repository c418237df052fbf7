import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Bytes } from '../base/index.js';
import { fromHex, toBase64Url, toHex } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { createRecordId, singleRecordId } from '../identity/index.js';
import type { FieldValues, Op } from '../op/index.js';
import type { CollectionDeclaration } from '../schema/index.js';
import type { ChangedRecords, RecordEntry, Records } from './index.js';
import { applyToView, createRecords } from './index.js';
import { referenceRecord } from './reference.kit.js';

// Thousands of generated cases on a machine that may be busy: a hang is found anyway.
vi.setConfig({ testTimeout: 60_000 });

const authors = ['0a', 'a0', 'ff'].map((digits) => digits.repeat(32));
const deviceOf = (author: string): Bytes => fromHex(author) ?? new Uint8Array();
const recordIds = authors.flatMap((author) =>
  [1, 2].map((n) => createRecordId(new Uint8Array(12).fill(n), deviceOf(author))),
);
const singleId = singleRecordId();
const collections = ['shapes', 'constructor'];
const safe = Number.MAX_SAFE_INTEGER;

const fieldName = fc.constantFrom('x', 'y', 'toString', 'votes', '7');
const fieldValue = fc.constantFrom<Value>(null, 0, 1, 'a', 'b', [1], { a: true }, Uint8Array.of(7), [
  { b: Uint8Array.of(1, 2) },
]);
const fields = fc.dictionary(fieldName, fieldValue, { maxKeys: 3, noNullPrototype: true });
const delta = fc
  .oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(safe, -safe, safe - 1))
  .filter((by) => by !== 0);

/** Ops that admission lets through: only creators insert, singles are neither inserted nor deleted. */
const opOf = (author: string): fc.Arbitrary<Op> => {
  const own = recordIds.filter((id) => toHex(id).slice(24) === author.slice(0, 32));
  const collection = fc.constantFrom(...collections);
  const anyId = fc.constantFrom(...recordIds, singleId);
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('insert'), collection, id: fc.constantFrom(...own), fields }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('update'), collection, id: anyId, fields }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete'), collection, id: fc.constantFrom(...recordIds) }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('increment'), collection, id: anyId, field: fieldName, by: delta }),
    },
    { weight: 1, arbitrary: fc.constant<Op>({ kind: 'opaque', code: 9, rest: ['shapes'] }) },
  );
};

/** Entries as chains make them, and a liar's: one HLC for two, in two domains of one name. */
const entrySet: fc.Arbitrary<readonly RecordEntry[]> = fc.array(
  fc.constantFrom(...authors).chain((author) =>
    fc.record({
      author: fc.constant(author),
      hlc: fc.record({ ms: fc.integer({ min: 1, max: 4 }), ctr: fc.integer({ min: 0, max: 2 }) }),
      ops: fc.array(opOf(author), { minLength: 1, maxLength: 4 }),
    }),
  ),
  { maxLength: 14 },
);

const shuffled = (entries: readonly RecordEntry[]): fc.Arbitrary<readonly RecordEntry[]> =>
  fc.shuffledSubarray([...entries], { minLength: entries.length });

const targets = collections.flatMap((collection) => [...recordIds, singleId].map((id) => ({ collection, id })));

/** Everything that shows, without order. */
function contentOf(records: Records): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const collection of records.collections()) {
    for (const [id, state] of records.entries(collection)) out[`${collection} ${id}`] = state;
  }
  return out;
}

/** What a visit sees of each record; what holds bytes counts as null. */
function seenOf(records: Records): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  const hasBytes = (value: unknown): boolean =>
    value instanceof Uint8Array || (typeof value === 'object' && Object.values(value ?? {}).some(hasBytes));
  records.visit(({ collection, id, names, values, from, createdAtMs }) => {
    const shown = names.map((name, i) => [name, hasBytes(values[from + i]) ? null : values[from + i]]);
    expect(out).not.toHaveProperty([`${collection} ${id}`]);
    out[`${collection} ${id}`] = [Object.fromEntries(shown), createdAtMs];
  });
  return out;
}

/** Applies an entry; the records that it says have changed. */
function change(records: Records, entry: RecordEntry): { collection: string; id: string }[] {
  const changed: ChangedRecords = new Map();
  records.apply(entry, changed);
  return [...changed].flatMap(([collection, ids]) => [...ids].map((id) => ({ collection, id })));
}

function applied(entries: readonly RecordEntry[]): Records {
  const records = createRecords();
  for (const entry of entries) change(records, entry);
  return records;
}

describe('[F21] convergence', () => {
  test('[F21] in any order, the state is what the reference says', () => {
    let shown = 0;
    fc.assert(
      fc.property(
        entrySet.chain((entries) => fc.tuple(fc.constant(entries), shuffled(entries))),
        ([entries, order]) => {
          const records = applied(order);
          for (const { collection, id } of targets) {
            const expected = referenceRecord(entries, { collection, idHex: toHex(id) });
            const actual = records.get(collection, toBase64Url(id));
            if (expected === null) {
              expect(actual).toBeNull();
              continue;
            }
            shown++;
            expect(actual).toEqual({
              fields: expected.fields,
              createdAtMs: expected.createdAtMs,
              creatorPrefix: expected.creator,
            });
          }
        },
      ),
      { numRuns: 2_000 },
    );
    expect(shown).toBeGreaterThan(2_000);
  });

  test('[F21] in any order, entries() shows the same records as get()', () => {
    fc.assert(
      fc.property(
        entrySet.chain((entries) => fc.tuple(shuffled(entries), shuffled(entries))),
        ([a, b]) => {
          const [left, right] = [applied(a), applied(b)];
          const content = contentOf(left);
          expect(contentOf(right)).toEqual(content);
          const byGet = targets.filter(({ collection, id }) => left.get(collection, toBase64Url(id)) !== null);
          expect(Object.keys(content).sort()).toEqual(
            byGet.map(({ collection, id }) => `${collection} ${toBase64Url(id)}`).sort(),
          );
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('[F21] the changes told are all there are; what is not told is the same object', () => {
    fc.assert(
      fc.property(entrySet.chain(shuffled), (entries) => {
        const records = createRecords();
        for (const entry of entries) {
          const before = targets.map(({ collection, id }) => records.get(collection, toBase64Url(id)));
          const frozen = structuredClone(before);
          const changed = change(records, entry);
          const told = new Set(changed.map(({ collection, id }) => `${collection} ${id}`));
          targets.forEach(({ collection, id }, i) => {
            const after = records.get(collection, toBase64Url(id));
            if (told.has(`${collection} ${toBase64Url(id)}`)) return;
            expect(after).toEqual(before[i]);
            expect(after?.fields).toBe(before[i]?.fields);
          });
          // What was handed out before stays what it was.
          expect(before).toEqual(frozen);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('[F21] fields: an entry that comes twice changes nothing; counters count it twice, so callers see to it', () => {
    const entry = (op: Op): RecordEntry => ({ author: authors[0] ?? '', hlc: { ms: 1, ctr: 0 }, ops: [op] });
    const id = recordIds[0] ?? singleId;
    const text = toBase64Url(id);
    const records = applied([entry({ kind: 'insert', collection: 'shapes', id, fields: { x: 1 } })]);
    expect(change(records, entry({ kind: 'insert', collection: 'shapes', id, fields: { x: 1 } }))).toEqual([]);
    change(records, {
      ...entry({ kind: 'increment', collection: 'shapes', id, field: 'v', by: 2 }),
      hlc: { ms: 2, ctr: 0 },
    });
    change(records, {
      ...entry({ kind: 'increment', collection: 'shapes', id, field: 'v', by: 2 }),
      hlc: { ms: 2, ctr: 0 },
    });
    expect(records.get('shapes', text)?.fields).toEqual({ x: 1, v: 4 });
  });
});

describe('[F21] one rule at a time', () => {
  const [ada = '', bob = ''] = authors;
  const id = createRecordId(new Uint8Array(12).fill(1), deviceOf(ada));
  const text = toBase64Url(id);
  const entry = (author: string, ms: number, ...ops: Op[]): RecordEntry => ({ author, hlc: { ms, ctr: 0 }, ops });
  const insert = (f: FieldValues): Op => ({ kind: 'insert', collection: 'shapes', id, fields: f });
  const update = (f: FieldValues): Op => ({ kind: 'update', collection: 'shapes', id, fields: f });
  const remove: Op = { kind: 'delete', collection: 'shapes', id };
  const increment = (by: number): Op => ({ kind: 'increment', collection: 'shapes', id, field: 'votes', by });
  const show = (...entries: RecordEntry[]): FieldValues | null => applied(entries).get('shapes', text)?.fields ?? null;

  test('[F21] the later write of a field wins, field by field', () => {
    expect(
      show(
        entry(ada, 1, insert({ x: 1, y: 1 })),
        entry(bob, 3, update({ x: 3 })),
        entry(ada, 2, update({ x: 2, y: 2 })),
      ),
    ).toEqual({ x: 3, y: 2 });
  });
  test('[F21] at one time the greater device id wins, inside an entry the later op', () => {
    expect(
      show(entry(ada, 1, insert({ x: 0 })), entry(bob, 2, update({ x: 'bob' })), entry(ada, 2, update({ x: 'ada' }))),
    ).toEqual({ x: 'bob' });
    expect(show(entry(ada, 1, insert({ x: 0 }), update({ x: 1 }), update({ x: 2 })))).toEqual({ x: 2 });
  });
  test('[F21] two writes of one stamp, which only a liar makes: the value with the greater bytes wins', () => {
    for (const order of [
      ['one', 'two', 'three'],
      ['three', 'two', 'one'],
    ]) {
      const entries = order.map((value) => entry(ada, 1, insert({ x: value, [value]: true })));
      expect(show(...entries)).toEqual({ x: 'three', one: true, two: true, three: true });
    }
  });

  test('[X1] a change that comes before its record waits for it', () => {
    const records = createRecords();
    expect(change(records, entry(bob, 2, update({ x: 2 }), increment(5)))).toEqual([]);
    expect([records.get('shapes', text), [...records.entries('shapes')]]).toEqual([null, []]);
    expect(change(records, entry(ada, 1, insert({ x: 1, y: 1 })))).toEqual([{ collection: 'shapes', id: text }]);
    expect(records.get('shapes', text)).toEqual({
      fields: { x: 2, y: 1, votes: 5 },
      createdAtMs: 1,
      creatorPrefix: ada.slice(0, 32),
    });
  });
  test('[X1] a delete beats every other write, earlier and later, and is for ever', () => {
    const records = applied([entry(ada, 1, insert({ x: 1 }))]);
    expect(change(records, entry(bob, 2, remove))).toEqual([{ collection: 'shapes', id: text }]);
    expect(change(records, entry(ada, 9, update({ x: 9 }), increment(1), insert({ x: 9 }), remove))).toEqual([]);
    expect(records.get('shapes', text)).toBeNull();
    expect(show(entry(bob, 1, remove), entry(ada, 2, insert({ x: 1 })))).toBeNull();
  });
  test('[X1] a write to what never was has no effect that shows', () => {
    const records = createRecords();
    expect(change(records, entry(ada, 1, update({ x: 1 })))).toEqual([]);
    expect(change(records, entry(ada, 2, remove))).toEqual([]);
    expect(records.get('shapes', text)).toBeNull();
    expect(records.get('nowhere', text)).toBeNull();
    expect([...records.entries('nowhere')]).toEqual([]);
  });
  test('[X1] a single is made by its first update, whoever comes first', () => {
    const title = (name: string): Op => ({
      kind: 'update',
      collection: '$room',
      id: singleId,
      fields: { title: name },
    });
    const records = applied([entry(bob, 5, title('b')), entry(ada, 4, title('a'))]);
    expect(records.get('$room', toBase64Url(singleId))).toEqual({
      fields: { title: 'b' },
      createdAtMs: 4,
      creatorPrefix: '0'.repeat(32),
    });
  });
  test('[F21] counters are exact sums, shown within the safe range', () => {
    const sum = (...deltas: number[]): Value | undefined =>
      show(entry(ada, 1, insert({})), ...deltas.map((by, i) => entry(bob, i + 2, increment(by))))?.['votes'];
    expect(sum(1, 2, -5)).toBe(-2);
    expect(sum(safe)).toBe(safe);
    expect(sum(safe, 1)).toBe(safe);
    expect(sum(safe, safe, safe, -safe, -safe, -7)).toBe(safe - 7);
    expect(sum(-safe, -safe)).toBe(-safe);
    expect(sum(-safe, -1, safe)).toBe(-1);
  });
  test('[F19] an opaque op changes nothing but keeps its index', () => {
    const records = createRecords();
    expect(change(records, entry(ada, 1, { kind: 'opaque', code: 8, rest: ['shapes', id] }))).toEqual([]);
    expect(records.collections()).toEqual([]);
  });
  test('[X1] the same id in two collections names two records', () => {
    const other: Op = { kind: 'insert', collection: 'notes', id, fields: { x: 'n' } };
    const records = applied([entry(ada, 1, insert({ x: 's' }), other)]);
    expect(records.get('shapes', text)?.fields).toEqual({ x: 's' });
    expect(records.get('notes', text)?.fields).toEqual({ x: 'n' });
    expect([...records.collections()].sort()).toEqual(['notes', 'shapes']);
  });
  test('[X1] an update without fields changes nothing', () => {
    const records = applied([entry(ada, 1, insert({ x: 1 }))]);
    expect(change(records, entry(ada, 2, update({})))).toEqual([]);
  });
});

describe('the overlay of a page', () => {
  const shapes: CollectionDeclaration = { domain: 'main', owned: false, single: false, fields: {} };
  const [ada = ''] = authors;
  const id = createRecordId(new Uint8Array(12).fill(1), deviceOf(ada));

  /** What one page writes to one record: at most one insert, and first. */
  const ownWrites = (target: Bytes, isSingle: boolean): fc.Arbitrary<readonly Op[]> =>
    fc
      .tuple(
        fields,
        fc.array(
          fc.oneof(
            {
              weight: 4,
              arbitrary: fc.record({
                kind: fc.constant('update'),
                collection: fc.constant('c'),
                id: fc.constant(target),
                fields: fc.dictionary(fc.constantFrom('x', 'y', 'toString'), fieldValue, { noNullPrototype: true }),
              }),
            },
            {
              weight: 4,
              arbitrary: fc.record({
                kind: fc.constant('increment'),
                collection: fc.constant('c'),
                id: fc.constant(target),
                field: fc.constantFrom('v', 'w'),
                by: fc.integer({ min: 1, max: 9 }),
              }),
            },
            { weight: isSingle ? 0 : 1, arbitrary: fc.constant<Op>({ kind: 'delete', collection: 'c', id: target }) },
            { weight: 1, arbitrary: fc.constant<Op>({ kind: 'opaque', code: 9, rest: [] }) },
          ),
          { maxLength: 8 },
        ),
      )
      .map(([first, rest]) =>
        isSingle ? rest : [{ kind: 'insert', collection: 'c', id: target, fields: first }, ...rest],
      );

  test.each([
    ['a record', id, shapes],
    ['a single', singleId, { ...shapes, single: true }],
  ])('[F21] %s shows unconfirmed writes as they will be once confirmed', (_, target, collection) => {
    fc.assert(
      fc.property(ownWrites(target, collection.single), (ops) => {
        const records = createRecords();
        let view: FieldValues | null = null;
        ops.forEach((op, i) => {
          const before: FieldValues | null = view === null ? null : structuredClone(view);
          const next = applyToView(view, op, collection);
          expect(view).toEqual(before);
          view = next;
          change(records, { author: ada, hlc: { ms: i + 1, ctr: 0 }, ops: [op] });
          expect(view).toEqual(records.get('c', toBase64Url(target))?.fields ?? null);
        });
      }),
      { numRuns: 1_000 },
    );
  });

  test('[X1] a change of nothing is nothing, except for a single', () => {
    const update: Op = { kind: 'update', collection: 'c', id, fields: { x: 1 } };
    const count: Op = { kind: 'increment', collection: 'c', id, field: 'v', by: 2 };
    expect([applyToView(null, update, shapes), applyToView(null, count, shapes)]).toEqual([null, null]);
    const single = { ...shapes, single: true };
    expect([applyToView(null, update, single), applyToView(null, count, single)]).toEqual([{ x: 1 }, { v: 2 }]);
    const fieldsNow = { x: 1 };
    expect(applyToView(fieldsNow, { kind: 'opaque', code: 5, rest: [] }, shapes)).toBe(fieldsNow);
    expect(applyToView({ v: 'no number' }, count, shapes)).toEqual({ v: 2 });
    expect(applyToView({ v: safe }, count, shapes)).toEqual({ v: safe });
  });
});

describe('frozen records', () => {
  test('[B03] what was frozen is there again, in whatever part, and goes on as if it had never been away', () => {
    fc.assert(
      fc.property(entrySet, entrySet, fc.constantFrom(...collections), (before, after, first) => {
        const records = applied(before);
        const blocks = records.freeze();
        for (const entry of after) change(records, entry); // what comes later is not in what was frozen
        const again = createRecords();
        again.restore(blocks.map(({ collections: names, text }) => ({ collections: names, text: text() })));
        for (const [id, state] of again.entries(first)) expect(applied(before).get(first, id)).toEqual(state);
        expect(again.collections()).toEqual(applied(before).collections());
        for (const entry of after) change(again, entry);
        expect(contentOf(again)).toEqual(contentOf(records));
        expect(again.freeze().map(({ text }) => text())).toEqual(records.freeze().map(({ text }) => text()));
      }),
      { numRuns: 2_000 },
    );
  });

  test('[B03] a visit sees what is there, whether anybody has asked for it since it was frozen or not', () => {
    fc.assert(
      fc.property(entrySet, entrySet, fc.constantFrom(...collections), (before, after, first) => {
        const records = applied(before);
        const again = createRecords();
        again.restore(records.freeze().map(({ collections: names, text }) => ({ collections: names, text: text() })));
        expect(seenOf(again)).toEqual(seenOf(records));
        expect(Object.keys(seenOf(records)).sort()).toEqual(Object.keys(contentOf(records)).sort());
        expect([...again.entries(first)].length).toBeLessThanOrEqual(Object.keys(seenOf(again)).length);
        expect(seenOf(again)).toEqual(seenOf(records));
        for (const entry of after) [records, again].forEach((one) => change(one, entry));
        expect(seenOf(again)).toEqual(seenOf(records));
      }),
      { numRuns: 1_000 },
    );
  });

  test('[B03] large collections lie in several blocks, small ones share one, and each is read when it is asked for', () => {
    const [author = ''] = authors;
    const records = createRecords();
    const insert = (collection: string, n: number): void => {
      const id = createRecordId(fromHex(n.toString(16).padStart(24, '0')) ?? new Uint8Array(12), deviceOf(author));
      const ops: Op[] = [{ kind: 'insert', collection, id, fields: { n, text: `card ${String(n)}` } }];
      change(records, { author, hlc: { ms: 1000 + n, ctr: 0 }, ops });
    };
    for (let n = 0; n < 3; n++) for (const name of ['a', 'b', 'c']) insert(name, n);
    for (let n = 0; n < 3000; n++) insert('large', n);
    const blocks = records.freeze().map(({ collections: names, text }) => ({ collections: names, text: text() }));
    expect(blocks.map((block) => block.collections.join())).toEqual(['a,b,c,large', 'large', 'large']);
    const parse = vi.spyOn(JSON, 'parse');
    const again = createRecords();
    again.restore(blocks);
    expect(parse).toHaveBeenCalledTimes(0);
    expect([...again.entries('b')]).toHaveLength(3);
    expect(parse).toHaveBeenCalledTimes(1);
    expect([...again.entries('large')]).toHaveLength(3000);
    expect(parse).toHaveBeenCalledTimes(3);
    again.visit(() => undefined);
    expect(parse).toHaveBeenCalledTimes(3);
    parse.mockRestore();
    expect(contentOf(again)).toEqual(contentOf(records));
    for (const name of ['$room', 'lists', '$invites']) insert(name, 1);
    expect(records.freeze().map((block) => block.collections.join())).toEqual([
      '$room,$invites',
      'a,b,c,large',
      'large',
      'large,lists',
    ]);
  });
});
