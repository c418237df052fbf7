/**
 * The limit's pack: what no design that seals and signs can do without, and nothing else. Columns of varints (lengths per
 * entry, keys, values, names of new keys), deflated, sealed with AES-GCM under one key, one signature over the id of the
 * last entry; ids are a chain over commitments. No authors, no dependencies, no grants, no clocks, no schema.
 */
import { sha256 } from './sha256.mjs';

const IV_BYTES = 12;
const SIGNATURE_BYTES = 64;
const HASH_BYTES = 32;

/** Bytes of an entry that stand for its head: place, time, author. */
const HEAD_BYTES = 24;

/** A unit ends at either; the first keeps it well above what opening one costs. */
const OPS_PER_UNIT = 10_000;
const ENTRIES_PER_UNIT = 1_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The keys of a room and of its one author. */
export async function createKeys() {
  const seal = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt']);
  const author = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  return { seal, author };
}

/** Seals a history of map sets into units. Not timed anywhere. */
export async function sealHistory(keys, { sets, keyName, perTransaction, seen = new Set() }) {
  const units = [];
  const entriesPerUnit = Math.min(ENTRIES_PER_UNIT, Math.max(1, Math.floor(OPS_PER_UNIT / perTransaction)));
  const opsPerUnit = entriesPerUnit * perTransaction;
  const chain = new Uint8Array(HASH_BYTES);
  for (let from = 0; from < sets.keys.length; from += opsPerUnit) {
    const to = Math.min(from + opsPerUnit, sets.keys.length);
    const columns = encodeColumns(sets, from, to, { perTransaction, keyName, seen });
    decodeUnit(columns, chain, () => undefined);
    units.push(await sealUnit(keys, columns, chain));
  }
  return units;
}

/** Seals any bytes of one's own: no signature, for only this device reads them. */
export async function sealBytes(sealKey, bytes) {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const squeezed = await pipe(bytes, new CompressionStream('deflate-raw'));
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, sealKey, squeezed);
  const result = new Uint8Array(IV_BYTES + sealed.byteLength);
  result.set(iv);
  result.set(new Uint8Array(sealed), IV_BYTES);
  return result;
}

/** What `sealBytes` has sealed. */
export async function openBytes(sealKey, bytes) {
  const iv = bytes.subarray(0, IV_BYTES);
  const squeezed = await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, sealKey, bytes.subarray(IV_BYTES));
  return pipe(new Uint8Array(squeezed), new DecompressionStream('deflate-raw'));
}

async function sealUnit(keys, columns, chain) {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const squeezed = await pipe(columns, new CompressionStream('deflate-raw'));
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, keys.seal, squeezed);
  const signature = await crypto.subtle.sign('Ed25519', keys.author.privateKey, chain);
  const unit = new Uint8Array(IV_BYTES + SIGNATURE_BYTES + sealed.byteLength);
  unit.set(iv);
  unit.set(new Uint8Array(signature), IV_BYTES);
  unit.set(new Uint8Array(sealed), IV_BYTES + SIGNATURE_BYTES);
  return unit;
}

/** Opens a unit as far as its columns. */
export async function openUnit(sealKey, unit) {
  const iv = unit.subarray(0, IV_BYTES);
  const sealed = unit.subarray(IV_BYTES + SIGNATURE_BYTES);
  const squeezed = await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, sealKey, sealed);
  return pipe(new Uint8Array(squeezed), new DecompressionStream('deflate-raw'));
}

/** Whether the author signed the id that the unit's entries led to. */
export function checkUnit(publicKey, unit, chain) {
  return crypto.subtle.verify('Ed25519', publicKey, unit.subarray(IV_BYTES, IV_BYTES + SIGNATURE_BYTES), chain);
}

function encodeColumns(sets, from, to, { perTransaction, keyName, seen }) {
  const keys = createWriter();
  const values = createWriter();
  const names = [];
  for (let i = from; i < to; i++) {
    const key = sets.keys[i];
    if (!seen.has(key)) {
      seen.add(key);
      names.push(keyName(key));
    }
    keys.varint(key);
    values.varint(sets.values[i]);
  }
  const head = createWriter();
  const text = encoder.encode(names.join('\n'));
  for (const n of [to - from, perTransaction, keys.length(), values.length(), names.length, text.length])
    head.varint(n);
  const parts = [head.bytes(), keys.bytes(), values.bytes(), text];
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/**
 * Decodes columns, calls `apply(keys, values, names)`, and moves `chain` over every entry: a commitment to its bytes, then
 * an id over the id before, a head and the commitment.
 */
export function decodeUnit(bytes, chain, apply) {
  let at = 0;
  const varint = () => {
    let result = 0;
    let factor = 1;
    for (;;) {
      const byte = bytes[at++];
      result += (byte & 0x7f) * factor;
      if (byte < 0x80) return result;
      factor *= 128;
    }
  };
  const ops = varint();
  const perEntry = varint();
  const keysLength = varint();
  const valuesLength = varint();
  const nameCount = varint();
  const textLength = varint();
  const keysAt = at;
  const valuesAt = keysAt + keysLength;
  const textAt = valuesAt + valuesLength;
  const entries = Math.ceil(ops / perEntry);
  const keys = new Uint32Array(ops);
  const values = new Uint32Array(ops);
  const keyEnds = new Uint32Array(entries + 1);
  const valueEnds = new Uint32Array(entries + 1);
  keyEnds[0] = keysAt;
  valueEnds[0] = valuesAt;
  for (let i = 0; i < ops; i++) {
    keys[i] = varint();
    if ((i + 1) % perEntry === 0 || i === ops - 1) keyEnds[Math.floor(i / perEntry) + 1] = at;
  }
  for (let i = 0; i < ops; i++) {
    values[i] = varint();
    if ((i + 1) % perEntry === 0 || i === ops - 1) valueEnds[Math.floor(i / perEntry) + 1] = at;
  }
  const names = nameCount === 0 ? [] : decoder.decode(bytes.subarray(textAt, textAt + textLength)).split('\n');

  const body = new Uint8Array(16 * perEntry);
  const idInput = new Uint8Array(HASH_BYTES + HEAD_BYTES + HASH_BYTES);
  for (let entry = 0; entry < entries; entry++) {
    let length = 0;
    for (let i = keyEnds[entry]; i < keyEnds[entry + 1]; i++) body[length++] = bytes[i];
    for (let i = valueEnds[entry]; i < valueEnds[entry + 1]; i++) body[length++] = bytes[i];
    idInput.set(chain);
    idInput[HASH_BYTES] = entry;
    idInput[HASH_BYTES + 1] = entry >>> 8;
    sha256(body, 0, length, idInput, HASH_BYTES + HEAD_BYTES);
    sha256(idInput, 0, idInput.length, chain, 0);
  }
  apply(keys, values, names);
}

/** All of `bytes` through a compression stream; one write, and chunks as they come. */
async function pipe(bytes, stream) {
  const writer = stream.writable.getWriter();
  const written = writer.write(bytes).then(() => writer.close());
  const chunks = [];
  let length = 0;
  const reader = stream.readable.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.length;
  }
  await written;
  if (chunks.length === 1) return chunks[0];
  const result = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    result.set(chunk, at);
    at += chunk.length;
  }
  return result;
}

function createWriter() {
  let bytes = new Uint8Array(1024);
  let length = 0;
  return {
    varint: (n) => {
      if (length + 8 > bytes.length) {
        const bigger = new Uint8Array(bytes.length * 2);
        bigger.set(bytes);
        bytes = bigger;
      }
      for (; n >= 0x80; n = Math.floor(n / 128)) bytes[length++] = (n & 0x7f) | 0x80;
      bytes[length++] = n;
    },
    length: () => length,
    bytes: () => bytes.subarray(0, length),
  };
}
