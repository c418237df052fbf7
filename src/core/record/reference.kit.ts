import { toHex } from '../base/index.js';
import { encodeValue, type Value } from '../codec/index.js';
import type { Op } from '../op/index.js';
import type { RecordEntry } from './index.js';

type KnownOp = Exclude<Op, { kind: 'opaque' }>;

/** One op with what orders it. */
interface Placed {
  readonly op: KnownOp;
  readonly at: readonly [ms: number, ctr: number, author: string, opIndex: number];
}

/** What a record should be, said as plainly as possible: all its ops at once, no state, no shortcuts. */
export function referenceRecord(
  entries: readonly RecordEntry[],
  target: { readonly collection: string; readonly idHex: string },
): { fields: Record<string, Value>; createdAtMs: number; creator: string } | null {
  const placed = entries
    .flatMap(({ author, hlc, ops }) =>
      ops.map((op, opIndex) => ({ op, at: [hlc.ms, hlc.ctr, author, opIndex] as const })),
    )
    .filter((p): p is Placed => p.op.kind !== 'opaque')
    .filter(({ op }) => op.collection === target.collection && toHex(op.id) === target.idHex)
    .sort(byStamp);
  const isSingle = /^0*$/.test(target.idHex);
  const made = placed.find(({ op }) => op.kind === 'insert' || (isSingle && op.kind !== 'delete'));
  if (made === undefined || placed.some(({ op }) => op.kind === 'delete')) return null;
  const fields: Record<string, Value> = {};
  const writes = placed.flatMap(({ op, at }) =>
    op.kind === 'insert' || op.kind === 'update'
      ? Object.entries(op.fields).map(([name, value]) => ({ name, value, at, bytes: toHex(encodeValue(value)) }))
      : [],
  );
  writes.sort((a, b) => byStamp(a, b) || (a.bytes < b.bytes ? -1 : 1));
  for (const { name, value } of writes) fields[name] = value;
  const counted = new Set(placed.flatMap(({ op }) => (op.kind === 'increment' ? [op.field] : [])));
  for (const name of counted) {
    let sum = 0n;
    for (const { op } of placed) if (op.kind === 'increment' && op.field === name) sum += BigInt(op.by);
    const max = BigInt(Number.MAX_SAFE_INTEGER);
    fields[name] = Number(sum > max ? max : sum < -max ? -max : sum);
  }
  return { fields, createdAtMs: made.at[0], creator: isSingle ? '0'.repeat(32) : target.idHex.slice(24) };
}

function byStamp({ at: a }: Pick<Placed, 'at'>, { at: b }: Pick<Placed, 'at'>): number {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0];
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
