import type { Bytes } from '../../src/core/base/index.js';
import { fromHex } from '../../src/core/base/index.js';
import { platformVectors } from '../../src/core/crypto/index.js';
import type { EngineVerify } from './verifier.js';
import { createVerifier } from './verifier.js';

/** What the start-up check of the platform's Ed25519 found; goes to the log. */
export interface SelfTestVerdict {
  /** Whether the platform may check signatures; else the reference does, slower by an order of magnitude. */
  readonly fastPath: boolean;
  /** How many vectors reached the platform. */
  readonly asked: number;
  /** Names of the vectors answered differently, or at which the platform failed. Empty and `asked` 0: it has no Ed25519. */
  readonly mismatches: readonly string[];
}

/** Runs every vector for platforms through the fast path as it would be used. Never rejects. */
export async function runSelfTest(engine: EngineVerify): Promise<SelfTestVerdict> {
  let asked = 0;
  const mismatches: string[] = [];
  for (const vector of platformVectors) {
    const verifier = createVerifier(
      async (publicKey, message, signature) => {
        asked++;
        const verdict = await engine(publicKey, message, signature).catch(() => null);
        // A failure would be hidden by the reference, which the verifier turns to.
        return verdict ?? !vector.isValid;
      },
      // For a key that the platform does not take: it is not asked.
      async () => Promise.resolve({ verifyAdmitted: () => vector.isValid }),
    );
    const [verdict] = await verifier.verify([
      {
        publicKey: bytesOf(vector.publicKey),
        message: bytesOf(vector.message),
        signature: bytesOf(vector.signature),
      },
    ]);
    if (verdict !== vector.isValid) mismatches.push(vector.name);
  }
  return { fastPath: asked > 0 && mismatches.length === 0, asked, mismatches };
}

function bytesOf(hex: string): Bytes {
  const bytes = fromHex(hex);
  if (bytes === null) throw new TypeError('strict vector: expected hexadecimal');
  return bytes;
}
