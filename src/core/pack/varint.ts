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
  return new GrowingSink();
}

/** Reads `input` from its start; the views it gives alias `input`. */
export function createByteSource(input: Uint8Array): ByteSource {
  return new Cursor(input);
}

// Classes, for their methods are called for every number of a body.

class GrowingSink implements ByteSink {
  #buffer = new Uint8Array(1024);
  #length = 0;

  byte(value: number): void {
    if (this.#length === this.#buffer.length) this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  uint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.byte((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#length);
  }

  #reserve(extra: number): void {
    if (this.#length + extra <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + extra));
    grown.set(this.#buffer);
    this.#buffer = grown;
  }
}

class Cursor implements ByteSource {
  readonly #input: Uint8Array;
  #at = 0;
  #broken = false;

  constructor(input: Uint8Array) {
    this.#input = input;
  }

  byte(): number | null {
    if (this.#broken || this.#at >= this.#input.length) return this.#lost();
    return this.#input[this.#at++] ?? 0;
  }

  bytes(length: number): Uint8Array | null {
    if (this.#broken || length > this.#input.length - this.#at) return this.#lost();
    this.#at += length;
    return this.#input.subarray(this.#at - length, this.#at);
  }

  uint(): number | null {
    const first = this.#broken ? undefined : this.#input[this.#at];
    if (first !== undefined && first < 128) {
      this.#at++;
      return first;
    }
    let value = 0;
    let scale = 1;
    for (;;) {
      const next = this.byte();
      if (next === null) return null;
      if (next === 0 && scale > 1) return this.#lost();
      value += (next & 127) * scale;
      if (next < 128) return value;
      if (scale === maxScale) return this.#lost();
      scale *= 128;
    }
  }

  atEnd(): boolean {
    return !this.#broken && this.#at === this.#input.length;
  }

  #lost(): null {
    this.#broken = true;
    return null;
  }
}

/** A signed integer as an unsigned one: n ≥ 0 as 2n, n < 0 as -2n - 1. */
export function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

/** The integer that {@link zigzag} made this of. */
export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
