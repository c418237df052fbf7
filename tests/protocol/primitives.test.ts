import { expect, test } from 'vitest';
import { fromHex } from '../../src/core/base/index.js';
import { strictVectors, verifyAdmitted } from '../../src/core/crypto/index.js';
import { runSelfTest } from '../../worker/vault/self-test.js';
import { createVerifier, webCryptoVerify, type EngineVerify } from '../../worker/vault/verifier.js';
import { primitiveSuite } from './primitives.suite.kit.js';

primitiveSuite();

const jobs = strictVectors.map(({ publicKey, message, signature }) => {
  const [key, text, sig] = [publicKey, message, signature].map(fromHex);
  if (!key || !text || !sig) throw new TypeError('expected hexadecimal');
  return { publicKey: key, message: text, signature: sig };
});
const reference = () => Promise.resolve({ verifyAdmitted });
const verdicts = strictVectors.map(({ isValid }) => isValid);

test('[SIG-2] a platform that errs on any vector is not asked; one that fails is stood in for', async () => {
  const yes: EngineVerify = () => Promise.resolve(true);
  const no: EngineVerify = () => Promise.resolve(false);
  const broken: EngineVerify = () => Promise.reject(new Error('no such algorithm'));
  for (const engine of [yes, no, broken]) {
    const { fastPath, asked, mismatches } = await runSelfTest(engine);
    expect(fastPath).toBe(false);
    expect(asked).toBeGreaterThan(0);
    expect(mismatches.length).toBeGreaterThan(0);
  }
  expect(await createVerifier(broken, reference).verify(jobs)).toEqual(verdicts);
  expect(await createVerifier(null, reference).verify(jobs)).toEqual(verdicts);
});

test('[SIG-2] this platform is asked, and its verdicts are the reference’s', async () => {
  expect(await runSelfTest(webCryptoVerify)).toMatchObject({ fastPath: true, mismatches: [] });
  expect(await createVerifier(webCryptoVerify, reference).verify(jobs)).toEqual(verdicts);
});
