import { concatBytes, createWriter, type Bytes } from '../base/index.js';
import { deriveKey, hmacWith, labels, sha256, sha256After } from '../crypto/index.js';

/** Kinds of entries (docs/protocol.md). Kind 0 lives in data domains, all others in `control`. */
export const entryKinds = {
  data: 0,
  genesis: 1,
  grant: 2,
  revoke: 3,
  adopt: 4,
  epoch: 5,
  wrap: 6,
  domain: 7,
  group: 8,
  invite: 9,
  fold: 11,
  redact: 12,
  ruleset: 13,
} as const;

/** At most this many dependencies in one entry. */
export const maxDeps = 32;
/** A data writer names at most this many foreign heads (F13). */
export const maxDataDeps = 4;

const entryVersion = 1;
const entrySuite = 1;
const runPartBytes = 192;
const ownPartBytes = 80;
const idBytes = 32;
const zeros4 = new Uint8Array(4);
const zeros32 = new Uint8Array(idBytes);

/** What the writer chose: everything of an entry but its place in the chain. */
export interface EntryBody {
  readonly kind: number;
  /** 8 random bytes of the engine start that signed it (F10). */
  readonly boot: Bytes;
  /** The grant it acts under; zeros in genesis. */
  readonly cap: Bytes;
  /** The epoch whose key commits to the payload; zeros in control. */
  readonly kid: Bytes;
  readonly hlcMs: number;
  readonly hlcCtr: number;
  /** Entry ids of the same domain, strictly ascending, at most {@link maxDeps}. */
  readonly deps: readonly Bytes[];
  /** Null when only the commitment is known (payload missing, F1). */
  readonly payload: Bytes | null;
  readonly commit: Bytes;
}

/** Where an entry stands. */
export interface EntryPlace {
  /** Zeros in genesis only. */
  readonly roomId: Bytes;
  /** Zeros in control. */
  readonly domainId: Bytes;
  readonly author: Bytes;
  readonly seq: number;
  /** Id of the entry before; zeros at seq 0. */
  readonly prev: Bytes;
}

/** One signed transaction, as admitted. `id` covers everything else. */
export interface Entry extends EntryBody, EntryPlace {
  readonly id: Bytes;
}

/** The bytes whose SHA-256 is the entry's id (format.md §2): label, then the header at fixed offsets. */
export function entryPreimage(place: EntryPlace, body: EntryBody): Bytes {
  return concatBytes(runPart(place, body), ownPart(place, body));
}

/** The first 192 bytes, three whole blocks: the same for all entries of a run. */
function runPart(place: EntryPlace, body: EntryBody): Bytes {
  return createWriter(runPartBytes)
    .bytes(labels.entry)
    .u8(entryVersion)
    .u8(entrySuite)
    .u8(body.kind)
    .u8(0)
    .bytes(zeros4)
    .bytes(body.boot)
    .bytes(place.roomId)
    .bytes(place.domainId)
    .bytes(place.author)
    .bytes(body.cap)
    .bytes(body.kid)
    .done();
}

/** The rest; in `into`, which is of {@link ownPartBytes}, where that is enough. */
function ownPart(place: EntryPlace, body: EntryBody, into?: Bytes): Bytes {
  const size = ownPartBytes + idBytes * body.deps.length;
  const writer = createWriter(size, body.deps.length === 0 ? into : undefined)
    .bytes(place.prev)
    .bytes(body.commit)
    .u48(place.seq)
    .u48(body.hlcMs)
    .u16(body.hlcCtr)
    .u8(0)
    .u8(body.deps.length);
  for (const dep of body.deps) writer.bytes(dep);
  return writer.done();
}

/** SHA-256 of the preimage. */
export function entryId(place: EntryPlace, body: EntryBody): Bytes {
  return sha256(runPart(place, body), ownPart(place, body));
}

/**
 * {@link entryId} for entries one after the other: what those of a run share is hashed once (F22). Only entries that hold
 * the very same arrays count as of one run, so the arrays must not change between calls.
 */
export function createEntryIds(): typeof entryId {
  let last: Placed | null = null;
  let hash = sha256After(new Uint8Array());
  const own = new Uint8Array(ownPartBytes);
  return (place, body) => {
    if (last === null || !isSameRun(last, { place, body })) hash = sha256After(runPart(place, body));
    last = { place, body };
    return hash(ownPart(place, body, own));
  };
}

type Placed = { readonly place: EntryPlace; readonly body: EntryBody };

function isSameRun({ place: p, body: a }: Placed, { place: q, body: b }: Placed): boolean {
  const isPlace = p.roomId === q.roomId && p.domainId === q.domainId && p.author === q.author;
  return isPlace && a.kind === b.kind && a.boot === b.boot && a.cap === b.cap && a.kid === b.kid;
}

/** What an author signs for its run up to `seq` (F3): a head certificate that anybody can check without keys. */
export function headMessage(roomId: Bytes, domainId: Bytes, head: { readonly seq: number; readonly id: Bytes }): Bytes {
  const seq = createWriter(8).u16(0).u48(head.seq).done();
  return concatBytes(labels.head, roomId, domainId, seq, head.id);
}

/** The commitment key of one author in one domain. Control commits under a public key of zeros: its payload is no secret. */
export function commitKey(prk: Bytes | null, domainId: Bytes, author: Bytes): Bytes {
  return prk === null ? zeros32 : deriveKey(prk, labels.commit, concatBytes(domainId, author));
}

/** HMAC-SHA256 over seq and payload: binds the payload to the header without revealing it. */
export function commitment(key: Bytes, seq: number, payload: Bytes): Bytes {
  return createCommitments(key)(seq, payload);
}

/** {@link commitment} under one key, with the work for the key done once. */
export function createCommitments(key: Bytes): (seq: number, payload: Bytes) => Bytes {
  const hmac = hmacWith(key);
  const place = new Uint8Array(6);
  return (seq, payload) => hmac(createWriter(place.length, place).u48(seq).done(), payload);
}
