import type { Bytes } from '../../src/core/base/index.js';
import { concatBytes } from '../../src/core/base/index.js';
import type { Deflate } from '../../src/ports/index.js';

/**
 * Input goes in by slices, because a platform may inflate all it is given before it looks at what is read: deflate grows
 * by at most 1,032, so no more than 8 MiB arise beyond the bound. Smaller ones cost more than what is in them.
 */
const sliceBytes = 8_192;

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
  const reader = transform.readable.getReader();
  // A pipe from a stream of slices takes twice as long (measured).
  feed(transform.writable.getWriter(), bytes).catch(ignore);
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

async function feed(writer: WritableStreamDefaultWriter<BufferSource>, bytes: Bytes): Promise<void> {
  for (let at = 0; at < bytes.length; at += sliceBytes) {
    await writer.ready;
    writer.write(bytes.slice(at, at + sliceBytes)).catch(ignore);
  }
  await writer.close();
}

/** What writing rejects with, reading does too. */
function ignore(): void {}
