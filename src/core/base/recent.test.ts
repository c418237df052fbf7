import { expect, test } from 'vitest';
import { createMemo, createRecent } from './index.js';

test('what came last is there up to half of the weight, and never more than all of it', () => {
  const recent = createRecent<object, number>(100);
  const keys = Array.from({ length: 1_000 }, () => ({}));
  keys.forEach((key, i) => {
    recent.set(key, i, 1);
    const held = keys.slice(0, i + 1).filter((one) => recent.get(one) !== undefined).length;
    expect(held).toBeLessThanOrEqual(100);
    for (let n = Math.max(0, i - 49); n <= i; n++) expect(recent.get(keys[n] ?? {})).toBe(n);
  });
});

test('a memo makes a value once for the same object, and again for another that is equal', () => {
  let made = 0;
  const memo = createMemo(8, ({ n }: { readonly n: number }) => (made++, n * 2));
  const key = { n: 21 };
  expect([memo(key), memo(key), made]).toEqual([42, 42, 1]);
  expect([memo({ n: 21 }), made]).toEqual([42, 2]);
});
