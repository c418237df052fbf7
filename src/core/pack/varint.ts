/**
 * Longest number: 7 groups of 7 bits, which is what a zigzag delta of two u48 needs. A longer run of groups would leave
 * the integers that a double holds.
 */
const maxScale: number = 128 ** 6;

/** Bytes being gathered for a body: grows, then is read once. */
export interface ByteSink {
  readonly byte: (value: number) => void;
  readonly bytes: (value: Uint8Array) => void;
  /** Unsigned LEB128 of an integer up to 2^49 - 1. */
  readonly uint: (value: number) => void;
}

/** A cursor that gives null past the end or on a non-minimal number; after one null every read gives null. */
export interface ByteSource {
  readonly byte: () => number | null;
  readonly bytes: (length: number) => Uint8Array | null;
  readonly uint: () => number | null;
  readonly atEnd: () => boolean;
}

/** A sink and the function that takes its content (a fresh array of the caller's). */
export function createByteSink(): ByteSink & { readonly take: () => Uint8Array<ArrayBuffer> } {
  let buffer = new Uint8Array(1024);
  let length = 0;
  const reserve = (extra: number): void => {
    if (length + extra <= buffer.length) return;
    const grown = new Uint8Array(Math.max(buffer.length * 2, length + extra));
    grown.set(buffer);
    buffer = grown;
  };
  const byte = (value: number): void => {
    reserve(1);
    buffer[length++] = value;
  };
  return {
    byte,
    bytes: (value) => {
      reserve(value.length);
      buffer.set(value, length);
      length += value.length;
    },
    uint: (value) => {
      let rest = value;
      while (rest >= 128) {
        byte((rest % 128) + 128);
        rest = Math.floor(rest / 128);
      }
      byte(rest);
    },
    take: () => buffer.slice(0, length),
  };
}

/** Reads `input` from its start; the views it gives alias `input`. */
export function createByteSource(input: Uint8Array): ByteSource {
  let at = 0;
  let broken = false;
  const lost = (): null => {
    broken = true;
    return null;
  };
  const byte = (): number | null => (broken || at >= input.length ? lost() : (input[at++] ?? 0));
  return {
    byte,
    bytes: (length) => {
      if (broken || length > input.length - at) return lost();
      at += length;
      return input.subarray(at - length, at);
    },
    uint: () => {
      let value = 0;
      let scale = 1;
      for (;;) {
        const next = byte();
        if (next === null) return null;
        if (next === 0 && scale > 1) return lost();
        value += (next & 127) * scale;
        if (next < 128) return value;
        if (scale === maxScale) return lost();
        scale *= 128;
      }
    },
    atEnd: () => !broken && at === input.length,
  };
}
