import type { Bytes } from '../../src/core/base/index.js';

/** A stream of chance that is the same for the same seed. */
export interface Chance {
  /** At least 0, less than 1. */
  readonly next: () => number;
  /** An integer from 0 to `below` - 1. */
  readonly int: (below: number) => number;
  /** A number from `from` to `to`. */
  readonly between: (from: number, to: number) => number;
  readonly is: (probability: number) => boolean;
  readonly pick: <T>(items: readonly T[]) => T;
  readonly bytes: (length: number) => Bytes;
  /** A stream of its own: what is drawn from it changes nothing here, so that one part of a run does not shift another. */
  readonly fork: (name: string) => Chance;
}

/** The stream of a seed (sfc32: small, fast, and good enough for choosing faults; nothing secret hangs on it). */
export function createChance(seed: string): Chance {
  const next = generator(seed);
  const int = (below: number): number => Math.floor(next() * below);
  return {
    next,
    int,
    between: (from, to) => from + next() * (to - from),
    is: (probability) => next() < probability,
    pick: (items) => {
      const item = items[int(items.length)];
      if (item === undefined) throw new RangeError('pick: expected at least one item');
      return item;
    },
    bytes: (length) => Uint8Array.from({ length }, () => int(256)),
    fork: (name) => createChance(`${seed}/${name}`),
  };
}

function generator(seed: string): () => number {
  let [a, b, c, d] = hash4(seed);
  const step = (): number => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 12; i++) step();
  return step;
}

/** Four words from a text (the cyrb128 mixing). */
function hash4(text: string): [number, number, number, number] {
  let [a, b, c, d] = [1779033703, 3144134277, 1013904242, 2773480762];
  for (let i = 0; i < text.length; i++) {
    const k = text.charCodeAt(i);
    a = b ^ Math.imul(a ^ k, 597399067);
    b = c ^ Math.imul(b ^ k, 2869860233);
    c = d ^ Math.imul(c ^ k, 951274213);
    d = a ^ Math.imul(d ^ k, 2716044179);
  }
  return [a | 0, b | 0, c | 0, d | 0];
}
