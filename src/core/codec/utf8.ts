import type { Bytes } from '../base/index.js';

// On every platform we run on; the core compiles without DOM types, so the used shape is stated here.
declare const TextDecoder: new (
  label: 'utf-8',
  o: { fatal: boolean; ignoreBOM: boolean },
) => { readonly decode: (bytes: Uint8Array) => string };
declare const TextEncoder: new () => {
  readonly encode: (text: string) => Bytes;
  readonly encodeInto: (text: string, into: Uint8Array) => { read: number; written: number };
};

// ignoreBOM keeps a leading U+FEFF: dropped, the text would not encode back to the same bytes.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const loneSurrogate = /\p{Surrogate}/u;
/** Up to this a loop over ASCII is faster than a call into the platform. */
export const shortTextBytes = 32;

/** Whether the text has no lone surrogate, so that it has a UTF-8 form. */
export function isWellFormed(text: string): boolean {
  return !loneSurrogate.test(text);
}

/** UTF-8 bytes of a well-formed text; TypeError for a lone surrogate, which has no UTF-8 form. */
export function utf8Bytes(text: string): Bytes {
  if (!isWellFormed(text)) throw new TypeError('text: expected well-formed Unicode, got a lone surrogate');
  return encoder.encode(text);
}

/** Length of a well-formed text in UTF-8, without encoding it. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    const isSurrogate = unit >= 0xd800 && unit <= 0xdfff;
    length += unit < 0x800 || isSurrogate ? 1 : 2;
  }
  return length;
}

/** Writes at the front of `into`, which must be long enough; returns the number of bytes. */
export function writeUtf8(text: string, into: Uint8Array): number {
  return encoder.encodeInto(text, into).written;
}

/** The text of strictly well-formed UTF-8 (no overlong form, no surrogate, a leading BOM kept), or null; `from` and `to` are places in `bytes`. */
export function readUtf8(bytes: Uint8Array, from = 0, to: number = bytes.length): string | null {
  let text = '';
  for (let i = from; i < to; i++) {
    const byte = bytes[i] ?? 0x80;
    if (byte >= 0x80 || to - from > shortTextBytes) return readAnyUtf8(bytes.subarray(from, to));
    text += String.fromCharCode(byte);
  }
  return text;
}

function readAnyUtf8(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** Order of two well-formed texts by their UTF-8 bytes, which is the order of code points: <0, 0 or >0. */
export function compareUtf8(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rankOfUnit(x) - rankOfUnit(y);
  }
  return a.length - b.length;
}

/** UTF-16 puts surrogates (code points from 0x10000) below 0xE000..0xFFFF; this lifts them above. */
function rankOfUnit(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
