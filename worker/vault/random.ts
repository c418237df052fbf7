import type { Random } from '../../src/ports/index.js';

/** The platform answers at most this many bytes at once. */
const maxDrawBytes = 65_536;

/** The platform's cryptographic randomness. */
export function createRandom(): Random {
  return {
    bytes: (length) => {
      const out = new Uint8Array(length);
      for (let at = 0; at < length; at += maxDrawBytes) crypto.getRandomValues(out.subarray(at, at + maxDrawBytes));
      return out;
    },
  };
}
