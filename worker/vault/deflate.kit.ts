/** The contract of the Deflate port, for every implementation and engine. */
import { expect, test } from 'vitest';
import { concatBytes, equalBytes } from '../../src/core/base/index.js';
import type { Deflate } from '../../src/ports/index.js';

const filled = (length: number, byte: number): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(byte);

/** Bytes that do not compress: a multiplicative generator. */
function noise(length: number): Uint8Array<ArrayBuffer> {
  let state = 1;
  return Uint8Array.from({ length }, () => (state = Math.imul(state, 48_271) & 0x7fffffff) >> 16);
}

/** A matcher over 256 KiB takes seconds. */
const isSame = (a: Uint8Array | null, b: Uint8Array): boolean => a !== null && equalBytes(a, b);

export function deflateSuite(deflate: Deflate): void {
  test.each([
    ['nothing', filled(0, 0)],
    ['one byte', filled(1, 7)],
    ['zeros', filled(262_144, 0)],
    ['noise', noise(262_144)],
  ])('round trip of %s', async (_, bytes) => {
    const small = await deflate.deflate(bytes);
    expect(small.length).toBeLessThan(bytes.length * 1.01 + 32);
    expect(isSame(await deflate.inflate(small, bytes.length), bytes)).toBe(true);
  });

  test('[F24] the output bound is exact', async () => {
    for (const bytes of [filled(5_000, 1), noise(5_000), filled(200_000, 1)]) {
      const small = await deflate.deflate(bytes);
      expect(isSame(await deflate.inflate(small, bytes.length), bytes)).toBe(true);
      expect(await deflate.inflate(small, bytes.length - 1)).toBeNull();
      expect(await deflate.inflate(small, 0)).toBeNull();
    }
  });

  test('[F24] a bomb ends at the bound', async () => {
    const bomb = await deflate.deflate(filled(16 * 2 ** 20, 0));
    const before = performance.now();
    expect(await deflate.inflate(bomb, 262_144)).toBeNull();
    const ms = performance.now() - before;
    console.log(`[F24] bomb of ${String(bomb.length)} B for 16 MiB stopped at 256 KiB after ${ms.toFixed(1)} ms`);
    expect(ms).toBeLessThan(2_000);
  });

  test('bad input is null: cut, damaged, no deflate at all', async () => {
    const bytes = noise(3_000);
    const small = await deflate.deflate(bytes);
    for (const at of [0, 1, 2, small.length >> 1, small.length - 1]) {
      expect(await deflate.inflate(small.slice(0, at), 10_000), `cut at ${String(at)}`).toBeNull();
    }
    expect(await deflate.inflate(filled(100, 0xff), 10_000)).toBeNull();
    expect(await deflate.inflate(concatBytes(Uint8Array.of(0x07), filled(10, 0)), 10_000)).toBeNull();
  });

  test('[S04] 2,000 mutated inputs: an answer each, never beyond the bound', async () => {
    const bytes = new TextEncoder().encode('the quick brown fox jumps over the lazy dog '.repeat(20));
    const small = await deflate.deflate(bytes);
    let state = 7;
    const next = (below: number): number => (state = Math.imul(state, 48_271) & 0x7fffffff) % below;
    for (let i = 0; i < 2_000; i++) {
      const input = small.slice(0, next(4) === 0 ? next(small.length) : small.length);
      if (input.length > 0) input[next(input.length)] = next(256);
      const out = await deflate.inflate(input, 2_000);
      expect(out === null || out.length <= 2_000).toBe(true);
    }
  });
}
