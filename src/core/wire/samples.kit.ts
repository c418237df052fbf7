/** One value per frame type, each with its decoder, its encoder and its vector: the corpus of the wire's suites. */
import type { Bytes, Result } from '../base/index.js';
import { fromHex } from '../base/index.js';
import type { Ack, Beacon, Hello, Live, Resume, SyncClaim, SyncDone, SyncError, SyncGrant, SyncReq } from './index.js';
import {
  decodeAck,
  decodeBeacon,
  decodeFragment,
  decodeLive,
  decodeResume,
  decodeSyncClaim,
  decodeSyncDone,
  decodeSyncError,
  decodeSyncGrant,
  decodeSyncReq,
  encodeAck,
  encodeBeacon,
  encodeFragment,
  encodeLive,
  encodeResume,
  encodeSyncClaim,
  encodeSyncDone,
  encodeSyncError,
  encodeSyncGrant,
  encodeSyncReq,
} from './index.js';
import { wireVectors } from './vectors.kit.js';

/** s, s + 1, … modulo 256. */
export function bytes(length: number, first: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => first + i);
}

/** Bytes of hexadecimal that a test wrote itself. */
export function hex(text: string): Bytes {
  const out = fromHex(text);
  if (out === null) throw new TypeError(`expected hexadecimal, got ${text}`);
  return out;
}

export const roomId = bytes(32, 0x10);
export const kid = bytes(32, 0x30);
export const prk = bytes(32, 0x50);
export const random32 = bytes(32, 0x70);
export const device = hex(wireVectors.device);
export const otherDevice = bytes(32, 0x90);
export const stream = bytes(8, 0xa0);
export const boot = bytes(8, 0xb0);
export const reqId = bytes(16, 0xc0);
export const controlDomain = new Uint8Array(32);
export const dataDomain = bytes(32, 0x20);

export const hello: Hello = {
  roomTag: hex(wireVectors.roomTag),
  device,
  session: bytes(16, 0xd0),
  echo: bytes(16, 0xe0),
  boot,
  stream,
  hlcMs: 1_700_000_000_123,
  kidTags: [bytes(8, 0x30), bytes(8, 0x40)],
  caps: { proto: 1, max: ['a', true] },
  sum: bytes(16, 0xc8),
};

const beacon: Beacon = {
  domains: [
    { domainId: controlDomain, root: bytes(32, 1), count: 3 },
    { domainId: dataDomain, root: bytes(32, 2), count: 70_000 },
  ],
  serve: true,
  hidden: true,
};

export const syncReq: SyncReq = {
  reqId,
  attempt: 2,
  want: 1,
  prefer: otherDevice,
  exclude: [bytes(32, 3)],
  controlOnly: false,
  transfer: 0x0005_0000,
  domains: [
    {
      domainId: controlDomain,
      root: bytes(32, 1),
      count: 3,
      entries: [{ author: bytes(16, 4), count: 300, head: bytes(8, 5) }],
      window: { after: null, upTo: null },
    },
    {
      domainId: dataDomain,
      root: bytes(32, 2),
      count: 9,
      entries: [
        { author: bytes(16, 6), count: 1, head: bytes(8, 7) },
        { author: bytes(16, 8), count: 8, head: bytes(8, 9) },
      ],
      window: { after: bytes(16, 1), upTo: bytes(16, 8) },
    },
  ],
  held: [{ domainId: dataDomain, author: bytes(32, 6), seq: 12, head: bytes(16, 7) }],
};

const syncClaim: SyncClaim = {
  reqId,
  requester: otherDevice,
  coverage: 255,
  entries: 1000,
  bytesEstimate: 5240,
  load: 1,
};

const syncGrant: SyncGrant = {
  reqId,
  claimer: otherDevice,
  transfer: 0xfffe_0000,
  ranges: [{ domainId: dataDomain, author: bytes(32, 6), from: 10, to: 20 }],
  floors: [{ domainId: dataDomain, author: bytes(32, 8), from: 1024 }],
};

const syncDone: SyncDone = {
  reqId,
  transfer: 0x1_0000,
  packs: 2,
  entries: 1034,
  complete: true,
  roots: [
    { domainId: controlDomain, root: bytes(32, 1) },
    { domainId: dataDomain, root: bytes(32, 2) },
  ],
};

const ack: Ack = {
  heads: [{ domainId: dataDomain, author: bytes(32, 6), seq: 9, headId: bytes(32, 11) }],
  transfers: [0x1_0000, 0x1_0001],
};

const resume: Resume = {
  device: otherDevice,
  session: bytes(16, 0xe0),
  heads: [{ domainId: dataDomain, seq: 1023, entryId: bytes(32, 11), sig: bytes(64, 12), boot }],
};

const syncError: SyncError = { code: 'frame/unknown-key', reqId, retryAfterMs: 2500 };

const live: Live = { domainId: dataDomain, fromSeq: 70_000, count: 2, endSig: bytes(64, 12), body: bytes(20, 99) };

const fragment = { transfer: 0x1_0002, index: 1, total: 3, bytes: bytes(30, 7) };

/** A type with one value, and its encoder bound to whatever its own decoder gives. */
export interface Sample {
  readonly name: keyof typeof wireVectors;
  readonly value: unknown;
  readonly encoded: () => Bytes;
  readonly decode: (bytes: Bytes) => Result<unknown>;
  /** Decodes and encodes again; null when it does not decode. */
  readonly again: (bytes: Bytes) => Bytes | null;
}

function sample<T>(
  name: keyof typeof wireVectors,
  value: T,
  codec: { readonly encode: (value: T) => Bytes; readonly decode: (bytes: Bytes) => Result<T> },
): Sample {
  return {
    name,
    value,
    encoded: () => codec.encode(value),
    decode: codec.decode,
    again: (input) => {
      const decoded = codec.decode(input);
      return decoded.ok ? codec.encode(decoded.value) : null;
    },
  };
}

/** All messages and clear frames whose decoder takes nothing but bytes. */
export const samples: readonly Sample[] = [
  sample('beacon', beacon, { encode: encodeBeacon, decode: decodeBeacon }),
  sample('syncReq', syncReq, { encode: encodeSyncReq, decode: decodeSyncReq }),
  sample('syncClaim', syncClaim, { encode: encodeSyncClaim, decode: decodeSyncClaim }),
  sample('syncGrant', syncGrant, { encode: encodeSyncGrant, decode: decodeSyncGrant }),
  sample(
    'syncGrantAll',
    { reqId, claimer: otherDevice, transfer: 0, ranges: null, floors: [] },
    { encode: encodeSyncGrant, decode: decodeSyncGrant },
  ),
  sample('syncDone', syncDone, { encode: encodeSyncDone, decode: decodeSyncDone }),
  sample('ack', ack, { encode: encodeAck, decode: decodeAck }),
  sample('resume', resume, { encode: encodeResume, decode: decodeResume }),
  sample('syncError', syncError, { encode: encodeSyncError, decode: decodeSyncError }),
  sample('live', live, { encode: encodeLive, decode: decodeLive }),
  sample('fragment', fragment, { encode: encodeFragment, decode: decodeFragment }),
];
