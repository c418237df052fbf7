import type { Bytes } from '../../src/core/base/index.js';
import { copyBytes, toHex } from '../../src/core/base/index.js';
import { hasStrictSignatureForm, isAdmissiblePublicKey } from '../../src/core/crypto/index.js';
import type { VerifyJob } from '../../src/ports/index.js';
import type { Curves } from './curves.js';

/** The cofactorless check of the platform for one admitted key; rejects when the platform cannot do it. */
export type EngineVerify = (publicKey: CryptoKey, message: Bytes, signature: Bytes) => Promise<boolean>;

/** Checks signatures by profile ED25519-STRICT-1. */
export interface Verifier {
  /** One verdict per job, in order; rejects only where the reference is needed and cannot be had. Copies its input first. */
  readonly verify: (jobs: readonly VerifyJob[]) => Promise<readonly boolean[]>;
}

/** More keys than a room has devices, at about 200 bytes each; the dear half of admission is paid again after that. */
const maxKnownKeys = 4_096;

/** What is known of a public key: refused, or admitted with the platform's handle (null: the platform will not take it). */
type KnownKey = { readonly admitted: false } | { readonly admitted: true; readonly handle: CryptoKey | null };

/** The part of {@link Curves} that checks, loaded when first asked. */
export type LoadReference = () => Promise<Pick<Curves, 'verifyAdmitted'>>;

/** `engine` null means the reference checks everything. `maxKnown` bounds the memory of keys. */
export function createVerifier(
  engine: EngineVerify | null,
  loadReference: LoadReference,
  maxKnown: number = maxKnownKeys,
): Verifier {
  const knownKeys = new Map<string, Promise<KnownKey>>();

  function know(publicKey: Bytes): Promise<KnownKey> {
    const id = toHex(publicKey);
    const known = knownKeys.get(id) ?? admit(publicKey, engine !== null);
    // Re-inserted: the map's order is then the order of last use.
    knownKeys.delete(id);
    knownKeys.set(id, known);
    if (knownKeys.size > maxKnown) {
      const [oldest] = knownKeys.keys();
      if (oldest !== undefined) knownKeys.delete(oldest);
    }
    return known;
  }

  async function check(job: VerifyJob): Promise<boolean> {
    if (!hasStrictSignatureForm(job.signature)) return false;
    const known = await know(job.publicKey);
    if (!known.admitted) return false;
    if (engine !== null && known.handle !== null) {
      try {
        return await engine(known.handle, job.message, job.signature);
      } catch {
        // the platform failed, which says nothing about the signature
      }
    }
    return (await loadReference()).verifyAdmitted(job.publicKey, job.message, job.signature);
  }

  return { verify: (jobs) => Promise.all(jobs.map(copyJob).map(check)) };
}

/** The platform's Ed25519. */
export const webCryptoVerify: EngineVerify = (publicKey, message, signature) =>
  crypto.subtle.verify('Ed25519', publicKey, signature, message);

async function admit(publicKey: Bytes, wantsHandle: boolean): Promise<KnownKey> {
  if (!isAdmissiblePublicKey(publicKey)) return { admitted: false };
  if (!wantsHandle) return { admitted: true, handle: null };
  try {
    return { admitted: true, handle: await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']) };
  } catch {
    return { admitted: true, handle: null };
  }
}

function copyJob(job: VerifyJob): VerifyJob {
  return {
    publicKey: copyBytes(job.publicKey),
    message: copyBytes(job.message),
    signature: copyBytes(job.signature),
  };
}
