import { createMemo } from './recent.js';

/** Bytes over a plain ArrayBuffer: what WebCrypto, IndexedDB and postMessage all accept. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Of newer platforms (ECMAScript 2026), several times as fast as a loop. */
interface NewMethods {
  readonly toHex?: () => string;
  readonly toBase64?: (o: { readonly alphabet: 'base64url'; readonly omitPadding: boolean }) => string;
}

const hexPairs: readonly string[] = /* @__PURE__ */ Array.from({ length: 256 }, (_, byte) => hexPair(byte));
const base64UrlAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** One new array holding the parts in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A copy on its own buffer; use it wherever bytes enter from a caller or leave a larger buffer. */
export function copyBytes(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}

/** Equality of content. Not constant-time: for public values only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** Lexicographic order by unsigned byte, the shorter first on a common prefix: <0, 0 or >0. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Whether every byte is zero. */
export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** Lower-case hexadecimal; the form ids take as keys of maps. The platform's own where it has one. */
export function toHex(bytes: Uint8Array & NewMethods): string {
  if (bytes.toHex !== undefined) return bytes.toHex();
  let out = '';
  for (const byte of bytes) out += hexPairs[byte] ?? '';
  return out;
}

/** {@link toHex} in a tenth of the code and many times as slow: for a page, which names something once in a while. */
export function briefHex(bytes: Uint8Array): string {
  return Array.from(bytes, hexPair).join('');
}

function hexPair(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** {@link toHex} of an id that many name by the same array, which must not change: written once. */
export const idHex: (id: Uint8Array) => string = /* @__PURE__ */ createMemo(4096, toHex);

/** Bytes of an even-length hexadecimal text, or null. */
export function fromHex(text: string): Bytes | null {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return null;
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** Base64url without padding. The platform's own where it has one. */
export function toBase64Url(bytes: Uint8Array & NewMethods): string {
  if (bytes.toBase64 !== undefined) return bytes.toBase64({ alphabet: 'base64url', omitPadding: true });
  let out = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const chars = Math.min(4, bytes.length - i + 1);
    for (let c = 0; c < chars; c++) out += base64UrlAlphabet[(group >> (18 - 6 * c)) & 63] ?? '';
  }
  return out;
}

/** In the place of what is not in the alphabet. */
const noCharacter = 64;
/** Places of characters in the alphabet, by their codes. */
const base64UrlValues: Uint8Array = /* @__PURE__ */ valuesOf(base64UrlAlphabet);

function valuesOf(alphabet: string): Uint8Array {
  const values = new Uint8Array(128).fill(noCharacter);
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
  return values;
}

/** Bytes of a base64url text in its one canonical form (no padding, no stray bits), or null. The platform's is slower. */
export function fromBase64Url(text: string): Bytes | null {
  if (text.length % 4 === 1) return null;
  const out = new Uint8Array(Math.floor((text.length * 3) / 4));
  let buffer = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const value = base64UrlValues[text.charCodeAt(i)] ?? noCharacter;
    if (value === noCharacter) return null;
    buffer = ((buffer << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = (buffer >> bits) & 255;
    }
  }
  return (buffer & ((1 << bits) - 1)) === 0 ? out : null;
}
