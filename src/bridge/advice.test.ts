import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { adviceOf, adviceOnPage } from './advice.js';

test('[X11] each error of a network has its own advice, on both sides of the thread', () => {
  const advice = (code: Parameters<typeof adviceOf>[0]): unknown => {
    expect(adviceOf(code)).toEqual(adviceOnPage(code));
    const { action, retryable } = adviceOnPage(code);
    return [action, retryable];
  };
  expect(advice('transport/identity-taken')).toEqual(['Give each device an identity of its own.', false]);
  expect(advice('transport/removed')).toEqual(['Ask to be let in again.', false]);
  expect(advice('transport/stalled')).toEqual(['Connect again.', true]);
  expect(advice('transport/token-refused')).toEqual(['Wait for the next try.', true]);
  expect(advice('transport/unavailable')).toEqual(['Check the connection, or use another browser.', true]);
  expect(advice('aborted')).toEqual(['Try again.', true]);
});

test('[X11] docs/errors.md says the same of who is sent away', () => {
  const docs = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  for (const code of ['transport/identity-taken', 'transport/removed'] as const) {
    const [, row = ''] = docs.split(`## ${code}\n`);
    expect(row.split('\n## ')[0]).toContain(adviceOnPage(code).action);
  }
});
