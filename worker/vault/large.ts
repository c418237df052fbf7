import { concatBytes, copyBytes, type Bytes } from '../../src/core/base/index.js';
import { utf8Bytes } from '../../src/core/codec/index.js';
import { deriveKey, hedgedNonce, labels, nonceBytes, nonceRandomBytes, tagBytes } from '../../src/core/crypto/index.js';
import type { AtRestUse, Random, Vault } from '../../src/ports/index.js';

const rowVersion = 2;
const headBytes = 1 + nonceBytes;
/** Each row has a key of its own, which seals once. */
const iv: Bytes = new Uint8Array(12);

/**
 * Large rows for the disk (X10): version u8 | salt 24 | AES-256-GCM of the platform, several times faster than what can
 * be downloaded and beside this thread. The key is of use and salt; the salt is made as a hedged nonce is. Smaller rows,
 * by `open`, are opened too.
 */
export function createLargeSealer(o: {
  readonly dataKey: Bytes;
  readonly random: Random;
  readonly open: Vault['openAtRest'];
}): Pick<Vault, 'sealLarge' | 'openLarge'> {
  const keyOf = async (use: AtRestUse, salt: Bytes, usage: 'encrypt' | 'decrypt'): Promise<CryptoKey> => {
    const raw = deriveKey(o.dataKey, labels.rest, concatBytes(utf8Bytes(use), salt));
    return crypto.subtle.importKey('raw', raw, 'AES-GCM', false, [usage]);
  };
  return {
    sealLarge: async (use, plaintext) => {
      const own = copyBytes(plaintext);
      const random32 = o.random.bytes(nonceRandomBytes);
      const key = deriveKey(o.dataKey, labels.nonce, utf8Bytes(use));
      const salt = hedgedNonce({ key, random32, aad: aadOf(use), plaintext: own });
      const sealed = await crypto.subtle.encrypt(gcm(use), await keyOf(use, salt, 'encrypt'), own);
      return concatBytes(Uint8Array.of(rowVersion), salt, new Uint8Array(sealed));
    },
    openLarge: async (use, sealed) => {
      if (sealed[0] !== rowVersion) return o.open(use, sealed);
      if (sealed.length < headBytes + tagBytes) return null;
      const [salt, ciphertext] = [sealed.slice(1, headBytes), sealed.slice(headBytes)];
      try {
        const key = await keyOf(use, salt, 'decrypt');
        return new Uint8Array(await crypto.subtle.decrypt(gcm(use), key, ciphertext));
      } catch {
        return null; // whatever the platform throws: the row does not open
      }
    },
  };
}

function gcm(use: AtRestUse): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: aadOf(use) };
}

function aadOf(use: AtRestUse): Bytes {
  return concatBytes(labels.rest, Uint8Array.of(rowVersion), utf8Bytes(use));
}
