import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('every public error code has its paragraph in docs/errors.md, and the reverse', () => {
  const union = /export type ErrorCode =([^;]*);/.exec(read('src/bridge/advice.ts'))?.[1] ?? '';
  const codes = [...union.matchAll(/'([^']+)'/g)].map((match) => match[1]);
  const described = [...read('docs/errors.md').matchAll(/^## (.+)$/gm)].map((match) => match[1]);
  expect(codes.length).toBeGreaterThan(10);
  expect([...described].sort()).toEqual([...codes].sort());
});
