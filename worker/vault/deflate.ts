import type { Bytes } from '../../src/core/base/index.js';
import { concatBytes } from '../../src/core/base/index.js';
import type { Deflate } from '../../src/ports/index.js';

/**
 * Input goes in by slices, because a platform may inflate all it is given before it looks at what is read: deflate grows
 * by at most 1,032, so no more than 2 MiB arise beyond the bound.
 */
const sliceBytes = 2_048;

/** deflate-raw over the platform's streams; both directions stop as soon as nobody wants the rest. */
export function createDeflate(): Deflate {
  return {
    deflate: async (bytes) => {
      const out = await collect(bytes, new CompressionStream('deflate-raw'), Infinity);
      if (out === null) throw new Error('deflate: the platform refused to compress');
      return out;
    },
    inflate: (bytes, maxBytes) => collect(bytes, new DecompressionStream('deflate-raw'), maxBytes),
  };
}

type Transform = CompressionStream | DecompressionStream;

/** Everything that comes out, or null on bad input or more than `maxBytes`. */
async function collect(bytes: Bytes, transform: Transform, maxBytes: number): Promise<Bytes | null> {
  // pipeThrough takes care of its own rejection; a pair of writer promises would have to be caught one by one.
  const reader = slices(bytes).pipeThrough(transform).getReader();
  const parts: Bytes[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return concatBytes(...parts);
      length += value.length;
      if (length > maxBytes) {
        await reader.cancel();
        return null;
      }
      parts.push(value);
    }
  } catch {
    return null;
  }
}

function slices(bytes: Bytes): ReadableStream<Bytes> {
  let at = 0;
  return new ReadableStream<Bytes>({
    pull: (controller) => {
      if (at >= bytes.length) {
        controller.close();
        return;
      }
      controller.enqueue(bytes.slice(at, at + sliceBytes));
      at += sliceBytes;
    },
  });
}
