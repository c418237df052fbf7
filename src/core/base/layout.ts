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

/** A writer over `size` fresh bytes, owned by the caller after `done`; or over `into`, from its start, to be filled again. */
export function createWriter(size: number, into: Bytes = new Uint8Array(size)): Writer {
  return new LayoutWriter(into);
}

/** A class, for there are several in every entry: one object each, whose methods are shared. */
class LayoutWriter implements Writer {
  readonly #out: Bytes;
  #at = 0;

  constructor(out: Bytes) {
    this.#out = out;
  }

  u8(value: number): Writer {
    return this.#write(value, 1);
  }

  u16(value: number): Writer {
    return this.#write(value, 2);
  }

  u32(value: number): Writer {
    return this.#write(value, 4);
  }

  u48(value: number): Writer {
    return this.#write(Math.floor(value / 2 ** 32), 2).#write(value % 2 ** 32, 4);
  }

  bytes(value: Uint8Array): Writer {
    this.#out.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  done(): Bytes {
    if (this.#at !== this.#out.length)
      throw new RangeError(`layout: wrote ${String(this.#at)} of ${String(this.#out.length)} bytes`);
    return this.#out;
  }

  #write(value: number, count: number): this {
    if (this.#at + count > this.#out.length) throw new RangeError('layout: wrote past the end');
    for (let shift = 8 * (count - 1); shift >= 0; shift -= 8) this.#out[this.#at++] = value >>> shift;
    return this;
  }
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
