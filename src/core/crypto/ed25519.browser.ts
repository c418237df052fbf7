import { expect, test } from 'vitest';
import { verifyStrict } from './index.js';
import { vectorFiles } from './vector-files.kit.js';
import { expectHkdf, expectVerdicts, expectX25519, expectXChaCha, signatureCases } from './vectors.kit.js';

test('[S04] the reference gives every verdict of the vectors in this browser', async () => {
  const cases = signatureCases(vectorFiles);
  await expectVerdicts(cases, async (jobs) =>
    Promise.resolve(jobs.map((job) => verifyStrict(job.publicKey, job.message, job.signature))),
  );
  console.log(`[S04] signatures: ${String(cases.length)} vectors on the reference in a browser`);
});

test('the other primitives too', () => {
  const isHere = vectorFiles.size > 0;
  expect(expectX25519(vectorFiles)).toBe(isHere ? 520 : 2);
  expect(expectHkdf(vectorFiles)).toBe(isHere ? 86 : 0);
  expect(expectXChaCha(vectorFiles)).toBe(isHere ? 306 : 0);
});
