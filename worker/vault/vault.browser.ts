import { describe } from 'vitest';
import { vectorFiles } from '../../src/core/crypto/vector-files.kit.js';
import { deflateSuite } from './deflate.kit.js';
import { createDeflate } from './index.js';
import { vaultSuite } from './vault.kit.js';
import { createSeedVault, createWebVault, webVaultSuite } from './web-vault.kit.js';

describe('vault over WebCrypto', () => {
  vaultSuite(createWebVault, vectorFiles);
  webVaultSuite(vectorFiles);
});

describe('vault over WebCrypto, seeds at rest', () => {
  vaultSuite(createSeedVault, vectorFiles);
});

describe('deflate', () => {
  deflateSuite(createDeflate());
});
