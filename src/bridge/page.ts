import { fromBase64Url, fromHex, toBase64Url, toHex, type Bytes } from '../core/base/index.js';
import { devicePrefixOf } from '../core/identity/index.js';
import { encodePayload, type Op } from '../core/op/index.js';
import {
  decodeDeclaration,
  encodeDeclaration,
  metaPrefix,
  schemaPrefix,
  type Declaration,
} from '../core/schema/index.js';
import { adviceOf, publicCode, type Advice, type ErrorCode } from './advice.js';
import type { WireError } from './error.js';
import type { CallArgs, CallName, FromWorker, Rejection, RoomInfo, RoomUpdate, ToWorker } from './messages.js';

/**
 * What a page and its own worker say to each other: the engine's messages with plain data where those have signed or
 * hashed bytes, and errors that bring their advice. So a page downloads neither codec nor hash, about 4 kB of its 14.
 */
export type FromPage =
  | Exclude<ToWorker, { readonly t: 'write' | 'call' }>
  | (Omit<Extract<ToWorker, { readonly t: 'write' }>, 'payload'> & {
      /** Prefix of the published schema that all ops fit; null: the built-in one of `meta`. */
      readonly schema: Bytes | null;
      readonly ops: readonly PageOp[];
    })
  | { readonly t: 'call'; readonly id: number; readonly name: CallName; readonly args: unknown };

/** An op whose record id is in base64url, as in the API. */
export type PageOp =
  Exclude<Op, { readonly kind: 'opaque' }> extends infer O
    ? O extends { readonly id: Bytes }
      ? Omit<O, 'id'> & { readonly id: string }
      : never
    : never;

/** Arguments of a call as the page gives them. */
export type PageArgs<N extends CallName> = Plain<CallArgs<N>>;
type Plain<A> = A extends { readonly declaration: Bytes }
  ? Omit<A, 'declaration'> & { readonly declaration: Declaration }
  : A;

/** See {@link FromPage}. */
export type ToPage =
  | Exclude<FromWorker, { readonly t: 'view' | 'engine' | 'reply-error' | 'room-error' }>
  | { readonly t: 'view'; readonly room: string; readonly update: PageUpdate }
  | (Omit<FromWorker & { readonly t: 'engine' }, 'error'> & { readonly error: PageError | null })
  | { readonly t: 'reply-error'; readonly id: number; readonly error: PageError }
  | { readonly t: 'room-error'; readonly room: string; readonly error: PageError };

/** An error in the terms of the API. */
export interface PageError extends Advice {
  readonly name: 'KeeproomError' | 'TypeError' | 'RangeError';
  readonly code: ErrorCode;
  readonly message: string;
}

/** A {@link RoomUpdate} for a page. */
export type PageUpdate = Omit<RoomUpdate, 'info' | 'rejected'> & {
  readonly info: PageInfo | null;
  readonly rejected: readonly PageRejection[];
};

/** A {@link Rejection} in the terms of the API. */
export type PageRejection = Omit<Rejection, 'code'> & { readonly code: ErrorCode };

/** A {@link RoomInfo} for a page. Its devices are told by what their record ids end in, in base64url (format.md X1). */
export type PageInfo = Omit<RoomInfo, 'declarations' | 'blocked'> & {
  readonly schemas: readonly PublishedSchema[];
  readonly blocked: 'device/blocked' | null;
};

/** A published schema, and the prefix that names it in payloads (F23). */
export interface PublishedSchema {
  readonly prefix: Bytes;
  readonly declaration: Declaration;
}

/** Stands in the worker between its page and whatever serves it. */
export interface PageGate {
  /** What to pass on; or, where that has no encoding, what to answer the page at once. Never throws. */
  readonly fromPage: (message: FromPage) => { readonly pass: ToWorker } | { readonly answer: ToPage };
  readonly toPage: (message: FromWorker) => ToPage;
}

/** The gate of one page. */
export function createPageGate(): PageGate {
  /** By bytes in hex: a room's info is sent often, its schemas hardly ever change. */
  const known = new Map<string, PublishedSchema | null>();
  /** Writes that were answered here and which came before each: for the engine they never were. */
  const refused = new Map<number, number>();
  const read = (bytes: Bytes): PublishedSchema | null => {
    const key = toHex(bytes);
    let schema = known.get(key);
    if (schema === undefined) known.set(key, (schema = readSchema(bytes)));
    return schema;
  };
  const infoForPage = ({ declarations, ...info }: RoomInfo): PageInfo => ({
    ...info,
    device: creatorOf(info.device),
    members: info.members.map((member) => ({ ...member, devices: member.devices.map(creatorOf) })),
    // What happened is all the same to a person: this copy of the device goes nowhere.
    blocked: info.blocked === null ? null : 'device/blocked',
    schemas: declarations.map(read).filter((schema) => schema !== null),
  });
  return {
    fromPage: (message) => {
      if (message.t === 'write') return passWrite(message, refused);
      if (message.t === 'call') return passCall(message);
      return { pass: message };
    },
    toPage: (message) => {
      switch (message.t) {
        case 'view': {
          const { info, rejected } = message.update;
          const update = {
            ...message.update,
            info: info && infoForPage(info),
            rejected: rejected.map(publicRejection),
          };
          return { ...message, update };
        }
        case 'engine':
          return { ...message, error: message.error && errorForPage(message.error) };
        case 'reply-error':
          return { ...message, error: errorForPage(message.error) };
        case 'room-error':
          return { ...message, error: errorForPage(message.error) };
        default:
          return message;
      }
    },
  };
}

function publicRejection(rejection: Rejection): PageRejection {
  return { ...rejection, code: publicCode(rejection.code) };
}

function errorForPage({ name, code, message }: WireError): PageError {
  if (name === 'AbortError') return { name: 'KeeproomError', code: 'aborted', message, ...adviceOf('aborted') };
  const known = publicCode(code);
  return { name, code: known, message: message.replace(`${code}: `, ''), ...adviceOf(known) };
}

/** Of a device id that an engine made. */
function creatorOf(device: string): string {
  return toBase64Url(devicePrefixOf(fromHex(device) ?? new Uint8Array()));
}

/** What is no id fails in the encoder. */
function toOp(op: PageOp): Op {
  return { ...op, id: fromBase64Url(op.id) ?? new Uint8Array() };
}

function readSchema(bytes: Bytes): PublishedSchema | null {
  const declaration = decodeDeclaration(bytes);
  return declaration.ok ? { prefix: schemaPrefix(bytes), declaration: declaration.value } : null;
}

/** What has no encoding (too large, no plain data) is rejected like anything that peers would not accept. */
function passWrite(
  message: FromPage & { readonly t: 'write' },
  refused: Map<number, number>,
): ReturnType<PageGate['fromPage']> {
  const { t, room, n, domain, schema, ops } = message;
  const prev = refused.get(message.prev) ?? message.prev;
  try {
    const payload = encodePayload({ schema: schema ?? metaPrefix(), ops: ops.map(toOp) });
    return { pass: { t, room, n, prev, domain, payload } };
  } catch {
    refused.set(n, prev);
    const [op] = ops;
    const { collection, id } = op ?? { collection: '', id: '' };
    const values = op !== undefined && 'fields' in op ? op.fields : null;
    const rejected = [{ n, code: 'record/invalid' as const, collection, id, values }];
    const update = { reset: false, records: null, savedUpTo: 0, deliveredUpTo: 0, info: null, rejected };
    return { answer: { t: 'view', room, update } };
  }
}

function passCall(message: FromPage & { readonly t: 'call' }): ReturnType<PageGate['fromPage']> {
  const { args } = message;
  if (typeof args !== 'object' || args === null || !('declaration' in args)) return { pass: message };
  try {
    // Whatever came, encoding is also the check: what is no declaration throws.
    const declaration = encodeDeclaration(args.declaration as Declaration);
    return { pass: { ...message, args: { ...args, declaration } } };
  } catch (error) {
    return { answer: { t: 'reply-error', id: message.id, error: misuse(error) } };
  }
}

function misuse(error: unknown): PageError {
  const name = error instanceof TypeError ? 'TypeError' : 'RangeError';
  return errorForPage({ name, code: '', message: error instanceof Error ? error.message : '' });
}
