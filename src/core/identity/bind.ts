import type { Bytes } from '../base/index.js';
import { concatBytes } from '../base/index.js';
import { labels } from '../crypto/index.js';

/**
 * What a device signs to bind its X25519 key to itself (format.md §2), so that nobody can be given another's key.
 * `context` is the room id; in a genesis, which has none yet, its nonce. Both are 32 bytes.
 */
export function bindMessage(context: Uint8Array, x25519: Uint8Array): Bytes {
  if (context.length !== 32) throw new RangeError(`context: expected 32 bytes, got ${String(context.length)}`);
  if (x25519.length !== 32) throw new RangeError(`x25519: expected 32 bytes, got ${String(x25519.length)}`);
  return concatBytes(labels.bind, context, x25519);
}
