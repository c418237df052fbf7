import { describe, expect, test } from 'vitest';
import { faultOutcomes } from '../../src/core/base/index.js';
import { entryKinds } from '../../src/core/entry/index.js';
import { frameTypes, isSealedType, isSignedType } from '../../src/core/wire/index.js';
import { checkRules, compareRules, rulesOf, titlesOf } from '../../scripts/rule-check.mjs';
import document from '../../docs/protocol.md?raw';
import { tableOf } from './document.kit.js';

test('[ADM-1] every fault has one code, and every code the outcome of the table', () => {
  const rows = tableOf(document, 'code | outcome | charged');
  expect(rows.map(([code, outcome]) => [code, outcome])).toEqual(Object.entries(faultOutcomes));
  for (const [code, , charged] of rows) expect(['source', 'bringer', 'author', 'nobody'], code).toContain(charged);
});

test('[X6] frame types are those of the table, and so is what is sealed and signed', () => {
  const rows = tableOf(document, 'type | frame | form');
  const byNumber = new Map(rows.map(([type, , form]) => [Number(type), form ?? '']));
  expect([...byNumber.keys()].sort()).toEqual(Object.values(frameTypes).sort());
  for (const [type, form] of byNumber) {
    expect(isSealedType(type), form).toBe(form.startsWith('envelope'));
    expect(isSignedType(type), form).toBe(form === 'envelope, signed');
  }
});

test('[F19] the kinds of entries are those of the list', () => {
  const list = /Kinds: (?<list>.+?)\. A data domain/.exec(document)?.groups?.['list'] ?? '';
  const named = list
    .split(' · ')
    .map((item) => item.split(' '))
    .filter(([, name]) => name !== 'free');
  expect(Object.fromEntries(named.map(([number, name]) => [name, Number(number)]))).toEqual(entryKinds);
});

describe('[S03] the rule check', () => {
  test('[S03] every rule of the document is in some test’s title, and the reverse', () => {
    const { rules, untested, unknown } = checkRules();
    console.log(
      `[S03] ${String(rules)} rules, ${String(untested.length)} without a test, ${String(unknown.length)} unknown`,
    );
    expect({ untested, unknown }).toEqual({ untested: [], unknown: [] });
    expect(rules).toBeGreaterThan(50);
  });

  test('[S03] it sees what it is to see', () => {
    const text = '- **AB-1** one\n**F2** two, unlike **AB-3** here\n  **AB-4** nor this\n';
    expect([...rulesOf(text)]).toEqual(['AB-1', 'F2']);
    expect(() => rulesOf('**F2** a\n**F2** b')).toThrow(/defines F2 twice/);
    const source = [
      "test('[AB-1] a', () => {});",
      "describe('[AB-2] b', () => { it(`[AB-3] ${name}`, () => {}); });",
      "test.each([1])('[AB-4] %s', () => {});",
      "test.skip('[AB-5] c', () => {}); describe.skip('[AB-6]', () => {}); it.todo('[AB-7]');",
      "test.each`a`('[AB-8]', () => {});",
      "console.log('[AB-9] no title'); const title = '[AB-10]';",
    ].join('\n');
    expect(titlesOf(source)).toEqual(['[AB-1] a', '[AB-2] b', '[AB-3] ', '[AB-4] %s', '[AB-8]']);
    expect(compareRules(text, ['[AB-1] x', '[S03] y', '[X9][F2] z', 'no [id here'])).toEqual({
      rules: 2,
      untested: [],
      unknown: ['X9'],
    });
    expect(compareRules(text, ['[S03]']).untested).toEqual(['AB-1', 'F2']);
  });
});
