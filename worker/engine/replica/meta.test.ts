import { expect, test } from 'vitest';
import { toBase64Url, toHex, type Bytes } from '../../../src/core/base/index.js';
import { encodeDeclaration, schemaPrefix } from '../../../src/core/schema/index.js';
import { testDeclaration } from '../rig.kit.js';
import { learnFromMeta } from './meta.js';
import { createReplicaState } from './state.js';

const bytes = encodeDeclaration(testDeclaration);
const prefix = toHex(schemaPrefix(bytes));
const published = {
  kind: 'insert',
  collection: '$schema',
  id: new Uint8Array(28),
  fields: { declaration: toBase64Url(bytes) },
} as const;

/** Another declaration that somebody found for the same prefix. */
function rival(first: number): { declaration: typeof testDeclaration; bytes: Bytes } {
  return { declaration: { ...testDeclaration, app: 'rival' }, bytes: Uint8Array.of(first) };
}

test('[F23] of two declarations with one prefix the lower counts at every peer, whichever came first', () => {
  for (const [first, app, isStale] of [
    [0x00, 'rival', false],
    [0xff, 'test', true],
  ] as const) {
    const state = createReplicaState(new Uint8Array(32));
    state.declarations.set(prefix, rival(first));
    learnFromMeta(state, [published], 'a');
    expect(state.declarations.get(prefix)?.declaration.app).toBe(app);
    expect(state.isStale).toBe(isStale);
    learnFromMeta(state, [published], 'a');
    expect(state.declarations.get(prefix)?.declaration.app).toBe(app);
  }
});

test('[X3] of two names that a domain was given in two metas that of the lower meta counts, whichever came first', () => {
  const named = (name: string) =>
    ({ kind: 'insert', collection: '$domains', id: new Uint8Array(28), fields: { name, domain: 'd' } }) as const;
  for (const metas of ['ab', 'ba']) {
    const state = createReplicaState(new Uint8Array(32));
    for (const meta of metas) learnFromMeta(state, [named(`of ${meta}`), named('later')], meta);
    expect([state.domainNames.get('d'), state.isStale]).toEqual(['of a', metas === 'ba']);
  }
});
