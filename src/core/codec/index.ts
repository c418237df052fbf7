/**
 * The payload encoding: a strict profile of MessagePack in which a value has exactly one encoding (F14).
 * Integers of the safe range in their shortest form, other finite numbers as f64, well-formed UTF-8, map keys ascending
 * by UTF-8 bytes, no extensions. Written by hand on both sides because no stock library refuses the other encodings,
 * and because a strict reader that also builds the value is one pass: @msgpack/msgpack sorts keys by UTF-16, cannot keep
 * a sorted order for integer-like keys, and drops a leading U+FEFF of long texts; the tests use it as an independent
 * reader and writer. Beside it, small total readers, and forms: one description of a positional payload for both directions.
 * Nothing here knows what a payload means, and signed headers never pass through it.
 */
export type { Form } from './form.js';
export { anything, bytesOf, bytesUpTo, fieldsOf, flag, held, listOf, only, orNull, textUpTo, uintTo } from './form.js';
export { decodeValue } from './read.js';
export { asArray, asBoolean, asBytes, asBytesUpTo, asList, asMap, asText, asUint } from './shape.js';
export { compareUtf8, readUtf8, utf8Bytes, utf8Length } from './utf8.js';
export type { Value, ValueLimits } from './value.js';
export { valueLimits } from './value.js';
export type { ValueSink } from './write.js';
export { createValueSink, encodeValue } from './write.js';
