import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PageOp } from '../bridge/index.js';
import { fromBase64Url } from '../core/base/index.js';
import type { Value } from '../core/codec/index.js';
import { checkOps, own } from '../core/schema/index.js';
import { misfitOf } from './fit.js';
import { singleId } from './ids.js';
import { modelOf } from './schema.js';
import { board, idOf } from './view.kit.js';

const { declaration } = modelOf(board);
const names = ['text', 'x', 'kind', 'parent', 'extra', 'votes', 'body', 'locked', 'opened', 'none'];
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom(null, true, 'box', 'note', '', 'longer than twenty characters', '\ud800', idOf('a'), 'no id'),
  fc.double(),
  fc.integer(),
  // JSON is what a value may hold, under another name.
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Value>,
);
const fields = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 5 });
const of = fc.constantFrom('cards', 'chat', 'none');
const opOf: fc.Arbitrary<PageOp> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('insert' as const, 'update' as const),
    collection: of,
    id: fc.constant(idOf('a')),
    fields,
  }),
  fc.record({
    kind: fc.constant('update' as const),
    collection: fc.constant('settings'),
    id: fc.constant(singleId),
    fields,
  }),
  fc.record({ kind: fc.constant('delete' as const), collection: of, id: fc.constant(idOf('a')) }),
  fc.record({
    kind: fc.constant('increment' as const),
    collection: of,
    id: fc.constant(idOf('a')),
    field: fc.constantFrom(...names),
    by: fc.constantFrom(1, -3),
  }),
);

test('an op fits a collection exactly when engine and peers say so', () => {
  let fits = 0;
  const run = (op: PageOp, domain: string): void => {
    const mine = misfitOf(own(declaration.collections, op.collection), domain, op);
    const id = fromBase64Url(op.id) ?? new Uint8Array();
    const judged = checkOps({ declaration, domainName: domain, ops: [{ ...op, id }] });
    expect(mine === null, mine ?? '').toBe(judged.ok);
    if (judged.ok) fits++;
  };
  fc.assert(fc.property(opOf, fc.constantFrom('main', 'chat'), run), { numRuns: 3000 });
  expect(fits).toBeGreaterThan(100);
});

test('what does not fit is named, never shown', () => {
  const cards = own(declaration.collections, 'cards');
  const op: PageOp = { kind: 'update', collection: 'cards', id: idOf('a'), fields: { x: 'a secret' } };
  expect(misfitOf(cards, 'main', op)).toMatch(/^x: expected .*"number".*, got string$/);
});
