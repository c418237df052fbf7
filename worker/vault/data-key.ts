import type { Bytes, Result } from '../../src/core/base/index.js';
import { concatBytes, copyBytes, fail, ok } from '../../src/core/base/index.js';
import { keyBytes, labels } from '../../src/core/crypto/index.js';
import type { Random } from '../../src/ports/index.js';

/**
 * What the host stores, with strict durability, under table 'client', key ['at-rest'] (X10): a key that the platform
 * never gives out, and the data key it wraps as iv 12 | AES-256-GCM.
 */
export interface AtRestRow {
  readonly wrapKey: CryptoKey;
  readonly wrapped: Bytes;
}

const ivBytes = 12;

/** A new data key and its row. */
export async function createDataKey(random: Random): Promise<{ dataKey: Bytes; row: AtRestRow }> {
  const wrapKey = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  const dataKey = random.bytes(keyBytes);
  const iv = random.bytes(ivBytes);
  const sealed = await crypto.subtle.encrypt(gcm(iv), wrapKey, dataKey);
  return { dataKey, row: { wrapKey, wrapped: concatBytes(iv, new Uint8Array(sealed)) } };
}

/** The data key of a stored row. A row that does not open is never replaced here: secrets sealed under it would be lost. */
export async function openDataKey(row: unknown): Promise<Result<Bytes>> {
  if (!isRow(row)) return fail('store/corrupt', 'the at-rest row has another form');
  const iv = copyBytes(row.wrapped.subarray(0, ivBytes));
  try {
    const opened = await crypto.subtle.decrypt(gcm(iv), row.wrapKey, copyBytes(row.wrapped.subarray(ivBytes)));
    if (opened.byteLength !== keyBytes) return fail('store/corrupt', 'the data key has another length');
    return ok(new Uint8Array(opened));
  } catch {
    return fail('store/corrupt', 'the data key does not open');
  }
}

function gcm(iv: Bytes): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: labels.rest };
}

function isRow(row: unknown): row is AtRestRow {
  if (typeof row !== 'object' || row === null || !('wrapKey' in row) || !('wrapped' in row)) return false;
  return row.wrapKey instanceof CryptoKey && row.wrapped instanceof Uint8Array && row.wrapped.length > ivBytes;
}
