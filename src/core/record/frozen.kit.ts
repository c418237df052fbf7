import { encodeValue } from '../codec/index.js';
import { toHex } from '../base/index.js';
import type { Cell } from './cell.js';
import { thawBlock } from './frozen.js';
import type { Records } from './index.js';

/** The whole merge state as text, the same for the same set of ops in whatever order they came. */
export function mergeText(records: Records): string {
  const slots = new Map<string, Map<string, Cell | null>>();
  const slotsOf = (collection: string): Map<string, Cell | null> => {
    const found = slots.get(collection) ?? new Map<string, Cell | null>();
    slots.set(collection, found);
    return found;
  };
  for (const { text } of records.freeze()) thawBlock(text(), slotsOf);
  const lines: string[] = [];
  for (const [collection, byId] of slots)
    for (const [id, cell] of byId) lines.push(`${collection}/${id} ${cell === null ? 'deleted' : cellText(cell)}`);
  return lines.sort().join('\n');
}

function cellText({ fields, base, stamps, sums, made }: Cell): string {
  const parts = Object.keys(fields).map((name) => {
    if (sums !== null && Object.hasOwn(sums, name)) return `${name} sums to ${String(sums[name])}`;
    const stamp = stamps !== null && Object.hasOwn(stamps, name) ? stamps[name] : base;
    return `${name} = ${toHex(encodeValue(fields[name] ?? null))} by ${JSON.stringify(stamp)}`;
  });
  return `${parts.sort().join(', ')}; made by ${JSON.stringify(made)}`;
}
