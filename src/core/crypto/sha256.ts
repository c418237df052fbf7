/**
 * SHA-256 (FIPS 180-4) with states that can be kept: entries of one run share their first blocks, and so do the
 * commitments under one key. Our own because the library's objects cost more than the two to four blocks that an entry
 * has; every vector is checked against it and against the platform.
 */
import type { Bytes } from '../base/index.js';

/** Bytes of a digest. */
export const hashBytes = 32;
/** Bytes of one block; {@link absorb} wants whole ones. */
export const hashBlockBytes = 64;

const rounds = 64;
/** Bytes of the message length at the end of the last block. */
const lengthBytes = 8;

/** The chaining value after some whole blocks. */
export interface HashState {
  readonly words: Int32Array;
  /** Bytes so far, a multiple of {@link hashBlockBytes}. */
  readonly length: number;
}

const [initial, constants] = fractionsOfPrimeRoots();
const schedule = new Int32Array(rounds);
// Work space of one hash: nothing here waits, so no two are under way at once.
const words = new Int32Array(initial.length);
const block = new Uint8Array(hashBlockBytes);

/** Before the first block. */
export const hashStart: HashState = { words: initial, length: 0 };

/** The state after the parts, which together must be whole blocks. */
export function absorb(from: HashState, ...parts: readonly Uint8Array[]): HashState {
  const length = fill(from, parts);
  if (length % hashBlockBytes !== 0) throw new RangeError(`absorb: expected whole blocks, got ${String(length)} bytes`);
  return { words: words.slice(), length };
}

/** The digest of what `from` has absorbed and the parts after it. */
export function digestFrom(from: HashState, parts: readonly Uint8Array[]): Bytes {
  const length = fill(from, parts);
  let at = length % hashBlockBytes;
  block[at++] = 0x80;
  block.fill(0, at);
  if (at > hashBlockBytes - lengthBytes) {
    compress(block, 0);
    block.fill(0);
  }
  writeWord(block, hashBlockBytes - lengthBytes, Math.floor(length / 2 ** 29));
  writeWord(block, hashBlockBytes - lengthBytes / 2, length << 3);
  compress(block, 0);
  const digest = new Uint8Array(hashBytes);
  for (let i = 0; i < words.length; i++) writeWord(digest, 4 * i, words[i] ?? 0);
  return digest;
}

/** Takes the parts into `words`, and the rest of them into `block`. Answers the bytes in all. */
function fill(from: HashState, parts: readonly Uint8Array[]): number {
  words.set(from.words);
  let length = from.length;
  for (const part of parts) {
    let at = 0;
    const filled = length % hashBlockBytes;
    if (filled > 0) {
      at = Math.min(hashBlockBytes - filled, part.length);
      for (let i = 0; i < at; i++) block[filled + i] = part[i] ?? 0;
      if (filled + at === hashBlockBytes) compress(block, 0);
    }
    for (; at + hashBlockBytes <= part.length; at += hashBlockBytes) compress(part, at);
    for (let i = 0; at < part.length; i++) block[i] = part[at++] ?? 0;
    length += part.length;
  }
  return length;
}

/** FIPS 180-4 §6.2.2 on the block at `at`, into `words`. Rotations are written out: this is the hottest loop there is. */
function compress(bytes: Uint8Array, at: number): void {
  const w = schedule;
  for (let i = 0; i < 16; i++, at += 4) {
    w[i] = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
  }
  for (let i = 16; i < rounds; i++) {
    const [x, y] = [w[i - 15] ?? 0, w[i - 2] ?? 0];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = ((w[i - 16] ?? 0) + s0 + (w[i - 7] ?? 0) + s1) | 0;
  }
  let a = words[0] ?? 0;
  let b = words[1] ?? 0;
  let c = words[2] ?? 0;
  let d = words[3] ?? 0;
  let e = words[4] ?? 0;
  let f = words[5] ?? 0;
  let g = words[6] ?? 0;
  let h = words[7] ?? 0;
  for (let i = 0; i < rounds; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (constants[i] ?? 0) + (w[i] ?? 0)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  words[0] = (words[0] ?? 0) + a;
  words[1] = (words[1] ?? 0) + b;
  words[2] = (words[2] ?? 0) + c;
  words[3] = (words[3] ?? 0) + d;
  words[4] = (words[4] ?? 0) + e;
  words[5] = (words[5] ?? 0) + f;
  words[6] = (words[6] ?? 0) + g;
  words[7] = (words[7] ?? 0) + h;
}

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}

/** FIPS 180-4 §4.2.2 and §5.3.3: 32 bits of the fractions of the square roots of 8 primes, and of the cube roots of 64. */
function fractionsOfPrimeRoots(): [Int32Array, Int32Array] {
  const fraction = (x: number): number => ((x % 1) * 2 ** 32) | 0;
  const primes: number[] = [];
  for (let n = 2; primes.length < rounds; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return [
    Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime))),
    Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime))),
  ];
}
