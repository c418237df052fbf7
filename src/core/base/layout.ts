import type { Bytes } from './bytes.js';

/** Largest value of a u48: sequence numbers and milliseconds. */
export const maxU48: number = 2 ** 48 - 1;

/** A cursor over a fixed layout, big-endian. Writing past the end throws: sizes are computed by the encoder. */
export interface Writer {
  readonly u8: (value: number) => Writer;
  readonly u16: (value: number) => Writer;
  readonly u32: (value: number) => Writer;
  readonly u48: (value: number) => Writer;
  readonly bytes: (value: Uint8Array) => Writer;
  /** The whole array; throws when it is not full, which is a mistake of the encoder. */
  readonly done: () => Bytes;
}

/** A writer over `size` fresh bytes, owned by the caller after `done`. */
export function createWriter(size: number): Writer {
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  let at = 0;
  const step = (count: number): number => {
    at += count;
    return at - count;
  };
  const writer: Writer = {
    u8: (value) => (view.setUint8(step(1), value), writer),
    u16: (value) => (view.setUint16(step(2), value), writer),
    u32: (value) => (view.setUint32(step(4), value), writer),
    u48: (value) => {
      const start = step(6);
      view.setUint16(start, Math.floor(value / 2 ** 32));
      view.setUint32(start + 2, value % 2 ** 32);
      return writer;
    },
    bytes: (value) => (out.set(value, step(value.length)), writer),
    done: () => {
      if (at !== size) throw new RangeError(`layout: wrote ${String(at)} of ${String(size)} bytes`);
      return out;
    },
  };
  return writer;
}

/** Big-endian reads at an offset. The caller has checked the bounds; a read past the end gives zeros. */
export function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}

/** See {@link readU16}. */
export function readU32(bytes: Uint8Array, at: number): number {
  return readU16(bytes, at) * 65536 + readU16(bytes, at + 2);
}

/** See {@link readU16}. */
export function readU48(bytes: Uint8Array, at: number): number {
  return readU16(bytes, at) * 2 ** 32 + readU32(bytes, at + 2);
}
