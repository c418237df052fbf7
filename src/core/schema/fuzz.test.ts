import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Bytes } from '../base/index.js';
import { equalBytes } from '../base/index.js';
import type { Value } from '../codec/index.js';
import { asMap, decodeValue, encodeValue } from '../codec/index.js';
import { createSeededNumbers, mutate } from '../codec/mutate.kit.js';
import { arbitraryDeclaration } from './declaration.kit.js';
import { decodeDeclaration, encodeDeclaration, unionDeclarations } from './index.js';

const inputs = 100_000;
const treeInputs = 20_000;
const seed = 20_260_103;
const corpus = fc
  .sample(arbitraryDeclaration, { seed, numRuns: 400 })
  .map((declaration) => encodeDeclaration(declaration))
  .filter((bytes) => bytes.length <= 300);

/** Decodes every input; answers how many were accepted, each of which is written back byte-equal. */
function run(name: string, count: number, make: () => Bytes): number {
  const started = performance.now();
  let accepted = 0;
  let slowestMs = 0;
  const codes = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const input = make();
    const read = decodeDeclaration(input);
    slowestMs = Math.max(slowestMs, decodeMs(input));
    if (!read.ok) {
      codes.set(read.fault.code, (codes.get(read.fault.code) ?? 0) + 1);
      continue;
    }
    accepted++;
    if (!equalBytes(encodeDeclaration(read.value), input)) expect.fail(`input ${String(i)} of seed ${String(seed)}`);
    expect(unionDeclarations([read.value, read.value]).conflicts).toEqual([]);
  }
  console.log(
    `[S04] declarations, ${name}: ${String(count)} inputs from ${String(corpus.length)} in ` +
      `${(performance.now() - started).toFixed(0)} ms, slowest ${slowestMs.toFixed(1)} ms, ` +
      `${String(accepted)} accepted, ${JSON.stringify(Object.fromEntries(codes))}`,
  );
  expect([...codes.keys()].sort()).toEqual(['entry/unknown-version', 'value/malformed']);
  expect(slowestMs).toBeLessThan(50);
  return accepted;
}

test('[S04] 100,000 mutated declarations: no throw, what is accepted is written back byte-equal, time bounded', () => {
  const next = createSeededNumbers(seed);
  expect(run('bytes', inputs, () => mutate(corpus, next))).toBeGreaterThan(400);
}, 120_000);

test('[S04] 20,000 declarations with parts of others in the wrong place: the same', () => {
  const next = createSeededNumbers(seed);
  const trees = corpus.map((bytes) => {
    const read = decodeValue(bytes);
    return read.ok ? read.value : null;
  });
  const parts = [...trees.flatMap(partsOf), null, true, -1, 0.5, 70_000, '', '$x', 'id', 'meta', [], {}];
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)]!;
  const replaceIn = (value: Value): Value => {
    const map = asMap(value);
    if (next() < 0.15 || (map === null && !Array.isArray(value))) return pick(parts);
    if (map === null) {
      const items = [...(value as readonly Value[])];
      const at = Math.floor(next() * (items.length + 1));
      items.splice(at, 1, ...(at < items.length ? [replaceIn(items[at] ?? null)] : [pick(parts)]));
      return items;
    }
    const entries = Object.entries(map);
    const at = Math.floor(next() * (entries.length + 1));
    const [name, inner] = entries[at] ?? [pick(['optional', 'default', 'single', 'owned', 'x', 'rank']), pick(parts)];
    if (next() < 0.1) return Object.fromEntries(entries.filter(([other]) => other !== name));
    return { ...map, [name]: replaceIn(inner) };
  };
  expect(run('trees', treeInputs, () => encodeValue(replaceIn(pick(trees))))).toBeGreaterThan(1_000);
}, 120_000);

function partsOf(value: Value): readonly Value[] {
  const inner = Array.isArray(value) ? (value as readonly Value[]) : Object.values(asMap(value) ?? {});
  return [value, ...inner.flatMap(partsOf)];
}

/** A second look where the first was slow: this machine has other things to do, and an input that is dear stays dear. */
function decodeMs(input: Bytes): number {
  let bestMs = Infinity;
  for (let tries = 0; tries < 4 && bestMs > 10; tries++) {
    const before = performance.now();
    decodeDeclaration(input);
    bestMs = Math.min(bestMs, performance.now() - before);
  }
  return bestMs;
}
