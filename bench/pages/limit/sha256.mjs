/**
 * SHA-256 for many short messages: one call per message, no object, no copy but into the block. The platform's digest
 * costs some microseconds per call whatever the length; this costs about half a microsecond per block.
 */

const K = new Int32Array(64);
const initial = new Int32Array(8);
{
  // The fractional parts of the roots of the first primes.
  let found = 0;
  for (let n = 2; found < 64; n++) {
    let isPrime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) isPrime = false;
    if (!isPrime) continue;
    if (found < 8) initial[found] = ((Math.sqrt(n) % 1) * 2 ** 32) | 0;
    K[found++] = ((Math.cbrt(n) % 1) * 2 ** 32) | 0;
  }
}

const w = new Int32Array(64);
const block = new Uint8Array(64);
const state = new Int32Array(8);

function compress(bytes, at) {
  for (let i = 0; i < 16; i++, at += 4) {
    w[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
  for (let i = 16; i < 64; i++) {
    const a = w[i - 15];
    const b = w[i - 2];
    const s0 = ((a >>> 7) | (a << 25)) ^ ((a >>> 18) | (a << 14)) ^ (a >>> 3);
    const s1 = ((b >>> 17) | (b << 15)) ^ ((b >>> 19) | (b << 13)) ^ (b >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
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
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

/** Writes the digest of `bytes[from, to)` into `out` at `outAt`. */
export function sha256(bytes, from, to, out, outAt) {
  state.set(initial);
  let at = from;
  for (; at + 64 <= to; at += 64) compress(bytes, at);
  const rest = to - at;
  for (let i = 0; i < rest; i++) block[i] = bytes[at + i];
  block[rest] = 0x80;
  block.fill(0, rest + 1);
  if (rest >= 56) {
    compress(block, 0);
    block.fill(0, 0, 56);
  }
  const bits = (to - from) * 8;
  block[59] = Math.floor(bits / 2 ** 32);
  block[60] = bits >>> 24;
  block[61] = bits >>> 16;
  block[62] = bits >>> 8;
  block[63] = bits;
  compress(block, 0);
  for (let i = 0; i < 8; i++) {
    const word = state[i];
    out[outAt + 4 * i] = word >>> 24;
    out[outAt + 4 * i + 1] = word >>> 16;
    out[outAt + 4 * i + 2] = word >>> 8;
    out[outAt + 4 * i + 3] = word;
  }
}
