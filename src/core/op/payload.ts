import type { Bytes, Result } from '../base/index.js';
import { createRecent, fail, ok, requireLength, requireWithin } from '../base/index.js';
import type { ValueLimits } from '../codec/index.js';
import { asArray, asBytes, asList, decodeValue, encodeValue, valueLimits } from '../codec/index.js';
import type { Op } from './op.js';
import { opToValue, readOp } from './op.js';

/** Length of the prefix that names a schema version (F23). */
export const schemaPrefixBytes = 8;
/** Most ops of one transaction: every one is at least 32 bytes, so the byte bound is met first or soon after. */
export const maxPayloadOps = 4096;
/** Largest payload; with its header it stays well below the 192 KiB of a pack's unit (F8). */
export const maxPayloadBytes = 131_072;

/** Budgets of a payload as a value. */
export const payloadLimits: ValueLimits = { ...valueLimits, maxBytes: maxPayloadBytes };

/** What a data entry carries: all of its ops take effect, or none. */
export interface Payload {
  /** First {@link schemaPrefixBytes} of SHA-256 over the canonical declaration the ops were written under. */
  readonly schema: Bytes;
  /** 1 to {@link maxPayloadOps}; their order is the last part of an op's stamp (F21). */
  readonly ops: readonly Op[];
}

/**
 * The one encoding of a payload; {@link decodePayload} accepts what it returns.
 * Throws TypeError or RangeError naming the op and what was expected of it.
 */
export function encodePayload(payload: Payload): Bytes {
  const { schema, ops } = payload;
  requireLength('schema', schema, schemaPrefixBytes);
  requireWithin('ops.length', ops.length, 1, maxPayloadOps);
  return encodeValue([schema, ops.map((op, index) => opToValue(op, `ops[${String(index)}]`))], payloadLimits);
}

/** Weight of an entry of {@link known} beside its bytes, about what its objects take. */
const knownBytes = 256;
/** Payloads that were read a moment ago, by their bytes: what stores, judges and shows an entry all ask for them. */
const known = createRecent<Bytes, Payload>(4 * 1024 * 1024);

/** Notes what these bytes decode to, where that was found out in another way. */
export function notePayload(bytes: Bytes, payload: Payload): void {
  known.set(bytes, payload, bytes.length + knownBytes);
}

/** Total and strict: re-encoding the result gives the same bytes (F14). Neither may change afterwards. Code: entry/payload. */
export function decodePayload(bytes: Bytes): Result<Payload> {
  const before = known.get(bytes);
  if (before !== undefined) return ok(before);
  const read = readPayload(bytes);
  if (read.ok) notePayload(bytes, read.value);
  return read;
}

function readPayload(bytes: Bytes): Result<Payload> {
  const value = decodeValue(bytes, payloadLimits);
  if (!value.ok) return fail('entry/payload', value.fault.detail);
  const items = asArray(value.value, 2);
  const schema = asBytes(items?.[0], schemaPrefixBytes);
  const list = asList(items?.[1], maxPayloadOps);
  if (schema === null || list === null || list.length === 0) {
    return fail('entry/payload', `expected [schema prefix, 1 to ${String(maxPayloadOps)} ops]`);
  }
  const ops: Op[] = [];
  for (const item of list) {
    const op = readOp(item);
    if (!op.ok) return fail('entry/payload', `ops[${String(ops.length)}]: ${op.fault.detail}`);
    ops.push(op.value);
  }
  return ok({ schema, ops });
}
