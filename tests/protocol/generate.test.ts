import { expect, test } from 'vitest';
import document from '../../docs/protocol.md?raw';
import { fillExamples, vectorFile } from './document.kit.js';

// `npx vitest run --project node tests/protocol/generate.test.ts -u` writes both files anew.
test('[S03] document and vector file are what the generator writes', async () => {
  await expect(vectorFile()).toMatchFileSnapshot('../../docs/vectors/v1.json');
  await expect(fillExamples(document)).toMatchFileSnapshot('../../docs/protocol.md');
});
