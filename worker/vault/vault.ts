import type { Bytes, Result } from '../../src/core/base/index.js';
import { ok } from '../../src/core/base/index.js';
import { nonceRandomBytes, openAtRest, sealAtRest } from '../../src/core/crypto/index.js';
import type { Random, Vault } from '../../src/ports/index.js';
import type { AtRestRow } from './data-key.js';
import { createDataKey, openDataKey } from './data-key.js';
import type { LoadCurves } from './curves.js';
import type { KeySupport } from './device-keys.js';
import { createDeviceKeyring, probeKeySupport } from './device-keys.js';
import type { SelfTestVerdict } from './self-test.js';
import { createLargeSealer } from './large.js';
import { runSelfTest } from './self-test.js';
import { createVerifier, webCryptoVerify } from './verifier.js';

/** A vault, and what its maker has to store or log. */
export interface OpenedVault {
  readonly vault: Vault;
  /** To be stored, with strict durability, before the vault seals anything; null when the given row opened. */
  readonly newRow: AtRestRow | null;
  readonly selfTest: SelfTestVerdict;
  /** Which private keys the platform holds itself. */
  readonly support: KeySupport;
}

/**
 * The Vault of this origin. `atRest` is the stored row (X10), null or undefined only where none was ever stored.
 * Code store/corrupt: the row does not open; nothing sealed under it can be read again, and whoever decides to give it
 * up calls again with null. TypeError outside a secure context, where the platform has no cryptography. Rejects where the
 * platform lacks a curve and `loadCurves` does.
 */
export async function createVault(o: {
  readonly atRest: unknown;
  readonly random: Random;
  readonly loadCurves: LoadCurves;
}): Promise<Result<OpenedVault>> {
  requireSecureContext();
  const opened = await openOrCreate(o.atRest ?? null, o.random);
  if (!opened.ok) return opened;
  const { dataKey, newRow } = opened.value;
  const [selfTest, support] = await Promise.all([runSelfTest(webCryptoVerify), probeKeySupport()]);
  // What cannot be had is known now, and not in the middle of a room's work.
  if (!(selfTest.fastPath && support.ed25519 && support.x25519)) await o.loadCurves();
  return ok({ vault: assemble({ ...o, dataKey, selfTest, support }), newRow, selfTest, support });
}

function assemble(o: {
  readonly dataKey: Bytes;
  readonly selfTest: SelfTestVerdict;
  readonly support: KeySupport;
  readonly random: Random;
  readonly loadCurves: LoadCurves;
}): Vault {
  const { dataKey, random, loadCurves } = o;
  const seal: Vault['sealAtRest'] = (use, plaintext) =>
    sealAtRest({ dataKey, use, random32: random.bytes(nonceRandomBytes), plaintext });
  const open: Vault['openAtRest'] = (use, sealed) => openAtRest({ dataKey, use, sealed });
  const { verify } = createVerifier(o.selfTest.fastPath ? webCryptoVerify : null, loadCurves);
  const keyring = createDeviceKeyring({
    support: o.support,
    random,
    verify,
    loadCurves,
    seeds: { seal: (seed) => seal('device-seed', seed), open: (sealed) => open('device-seed', sealed) },
  });
  return { ...keyring, verify, sealAtRest: seal, openAtRest: open, ...createLargeSealer({ dataKey, random, open }) };
}

async function openOrCreate(
  atRest: unknown,
  random: Random,
): Promise<Result<{ dataKey: Bytes; newRow: AtRestRow | null }>> {
  if (atRest === null) {
    const { dataKey, row } = await createDataKey(random);
    return ok({ dataKey, newRow: row });
  }
  const opened = await openDataKey(atRest);
  return opened.ok ? ok({ dataKey: opened.value, newRow: null }) : opened;
}

function requireSecureContext(): void {
  // Not exposed elsewhere, whatever the types say.
  if (!('subtle' in crypto)) {
    throw new TypeError('crypto.subtle: expected a secure context (https or localhost), got none');
  }
}
