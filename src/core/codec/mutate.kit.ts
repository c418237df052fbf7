/**
 * Seeded mutations of byte strings for the fuzz of any decoder: flips, cuts, insertions, repeats, splices of two inputs,
 * and the numbers that lengths lie with.
 */

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function createSeededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const lies = [
  0, 1, 0x7f, 0x80, 0x81, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc4, 0xc6, 0xcb, 0xcf, 0xd3, 0xdb, 0xdd, 0xdf, 0xff,
];

/** One input derived from one or two of the corpus, by one to four mutations. */
export function mutate(corpus: readonly Uint8Array[], next: () => number): Uint8Array<ArrayBuffer> {
  const pick = (below: number): number => Math.floor(next() * below);
  const source = (): Uint8Array => corpus[pick(corpus.length)] ?? new Uint8Array();
  let out = [...source()];
  for (let steps = 1 + pick(4); steps > 0; steps--) {
    const at = pick(out.length + 1);
    const lie = lies[pick(lies.length)] ?? 0;
    switch (pick(8)) {
      case 0:
        out[at] = (out[at] ?? 0) ^ (1 << pick(8));
        break;
      case 1:
        out[at] = lie;
        break;
      case 2:
        out = out.slice(0, at);
        break;
      case 3:
        out.splice(at, 0, lie);
        break;
      case 4:
        out.splice(at, 1 + pick(8));
        break;
      case 5:
        out.splice(at, 0, ...out.slice(at, at + pick(24)));
        break;
      case 6: {
        const other = source();
        out = [...out.slice(0, at), ...other.subarray(pick(other.length + 1))];
        break;
      }
      default:
        out.splice(at, 4, lie, pick(256), pick(256), pick(256));
    }
  }
  return Uint8Array.from(out.slice(0, 4096));
}
