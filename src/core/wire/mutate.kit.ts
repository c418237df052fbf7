/**
 * Seeded mutations of frames for millions of inputs: as codec/mutate.kit.ts, but in place in one buffer, because frames
 * are long and there are many decoders.
 */
import type { Bytes } from '../base/index.js';

const maxLength = 4096;
const lies = [0, 1, 2, 0x7f, 0x80, 0x90, 0x9f, 0xa0, 0xc0, 0xc1, 0xc4, 0xc5, 0xce, 0xcf, 0xdc, 0xdd, 0xff];

/** A function that derives one input from one or two of the corpus; `next` gives numbers in [0, 1). */
export function createMutator(corpus: readonly Bytes[], next: () => number): () => Bytes {
  const buffer = new Uint8Array(2 * maxLength);
  const pick = (below: number): number => Math.floor(next() * below);
  const source = (): Bytes => corpus[pick(corpus.length)] ?? new Uint8Array();
  const lie = (): number => lies[pick(lies.length)] ?? 0;
  const insert = (at: number, length: number, count: number): number => {
    buffer.copyWithin(at + count, at, length);
    return Math.min(maxLength, length + count);
  };
  const step = (length: number): number => {
    const at = pick(length + 1);
    switch (pick(8)) {
      case 0:
        buffer[at] = (buffer[at] ?? 0) ^ (1 << pick(8));
        return length;
      case 1:
        buffer[at] = lie();
        return length;
      case 2:
        return at;
      case 3: {
        const longer = insert(at, length, 1);
        buffer[at] = lie();
        return longer;
      }
      case 4: {
        const count = Math.min(length - at, 1 + pick(8));
        buffer.copyWithin(at, at + count, length);
        return length - count;
      }
      case 5:
        return insert(at, length, Math.min(length - at, pick(24)));
      case 6: {
        const other = source();
        const rest = other.subarray(pick(other.length + 1));
        buffer.set(rest.subarray(0, maxLength - at), at);
        return Math.min(maxLength, at + rest.length);
      }
      default:
        buffer.set([lie(), pick(256), pick(256), pick(256)], at);
        return length;
    }
  };
  return () => {
    const start = source();
    buffer.set(start);
    let length = start.length;
    for (let steps = 1 + pick(4); steps > 0; steps--) length = step(length);
    return buffer.slice(0, length);
  };
}
