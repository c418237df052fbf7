import type { Bytes } from '../base/index.js';
import { concatBytes, requireLength } from '../base/index.js';
import { labels } from '../crypto/index.js';

/**
 * What a device signs to bind its X25519 key to itself (format.md §2), so that nobody can be given another's key.
 * `context` is the room id; in a genesis, which has none yet, its nonce. Both are 32 bytes.
 */
export function bindMessage(context: Uint8Array, x25519: Uint8Array): Bytes {
  requireLength('context', context, 32);
  requireLength('x25519', x25519, 32);
  return concatBytes(labels.bind, context, x25519);
}
