import { describe, expect, test } from 'vitest';
import { vectorFiles as files } from '../../src/core/crypto/vector-files.kit.js';
import type { Random } from '../../src/ports/index.js';
import { deflateSuite } from './deflate.kit.js';
import { createDeflate } from './index.js';
import { createReferenceVault } from './reference.js';
import { vaultSuite } from './vault.kit.js';
import { createReference, createSeedVault, createWebVault, webVaultSuite } from './web-vault.kit.js';

describe('vault over WebCrypto', () => {
  vaultSuite(createWebVault, files);
  webVaultSuite(files);
});

describe('vault over WebCrypto, seeds at rest', () => {
  vaultSuite(createSeedVault, files);
});

describe('reference vault', () => {
  vaultSuite(createReference, files);

  test('one seed gives one run', async () => {
    const seeded = (): Random => {
      let count = 0;
      return { bytes: (length) => new Uint8Array(length).fill(++count) };
    };
    const run = async (): Promise<unknown> => {
      const vault = createReferenceVault({ dataKey: new Uint8Array(32), random: seeded() });
      const keys = await vault.createDeviceKeys();
      return [keys, await vault.sign(keys, new Uint8Array(3)), vault.sealAtRest('draft', new Uint8Array(4))];
    };
    expect(await run()).toEqual(await run());
  });
});

describe('deflate', () => {
  deflateSuite(createDeflate());
});
