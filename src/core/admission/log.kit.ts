/**
 * A control log written entry by entry, as a set of peers would: every entry has an author, what that author had seen,
 * and goes through the two halves of admission. Signatures are left out: authority does not look at them.
 */
import type { Bytes, Result } from '../base/index.js';
import { compareBytes, toHex } from '../base/index.js';
import type {
  AccessState,
  ControlPayload,
  ControlRecord,
  GrantPayload,
  InvitePayload,
  Power,
} from '../access/index.js';
import { allPermissions, controlKind, encodeControl, evaluateAccess, isInPast } from '../access/index.js';
import { commitKey, commitment, entryId, type Entry } from '../entry/index.js';
import { utf8Bytes } from '../codec/index.js';
import { sha256 } from '../crypto/index.js';
import type { ControlContext } from './index.js';
import { judgeCandidate, prepareControl } from './index.js';

export const zeros32: Bytes = new Uint8Array(32);
/** Before every time a log gives. */
export const firstMs = 1_700_000_000_000;

/** 32 bytes that look like a key and are named. */
export function idOf(name: string): Bytes {
  return sha256(utf8Bytes(name));
}

/** A grant of a new person's device with the given powers; more of it by `rest`. */
export function grantPayload(
  subject: Bytes,
  power: Omit<Power, 'write'>,
  rest: Partial<GrantPayload> = {},
): GrantPayload {
  return {
    kind: 'grant',
    subject,
    x25519: zeros32,
    bind: new Uint8Array(64),
    member: new Uint8Array(0),
    scope: zeros32,
    rank: power.rank,
    depth: 0,
    perms: power.perms,
    write: null,
    via: null,
    wraps: [],
    ...rest,
  };
}

/** An invite that any device that may invite answers, for two; more of it by `rest`. */
export function invitePayload(power: Omit<Power, 'write'>, rest: Partial<InvitePayload> = {}): InvitePayload {
  return {
    kind: 'invite',
    invitePub: zeros32,
    rank: power.rank,
    perms: power.perms,
    scope: zeros32,
    write: null,
    maxUses: 2,
    expiryMs: firstMs * 2,
    approval: false,
    anyAdmitter: true,
    admitters: [],
    ...rest,
  };
}

export const limits = { maxPayload: 131_072, maxDeps: 32, maxControl: 12_288, maxDomains: 16 };

/** How an entry comes to be: everything has a default that an honest author would choose. */
export interface Writing {
  /** What the author had seen; its own entries are added. Default: everything. */
  readonly seen?: readonly ControlRecord[];
  /** Default: the author's best effective grant in what it had seen. */
  readonly cap?: Bytes;
  readonly hlcMs?: number;
  readonly change?: (entry: Entry) => Entry;
}

/** All admitted entries, in the order they were written. */
export interface Log {
  readonly roomId: Bytes;
  readonly founder: Bytes;
  readonly records: readonly ControlRecord[];
  /** Writes, judges and, when that goes well, adds an entry. */
  readonly write: (author: Bytes, payload: ControlPayload, o?: Writing) => Result<ControlRecord>;
  /** The same; throws when it was not admitted. */
  readonly must: (author: Bytes, payload: ControlPayload, o?: Writing) => ControlRecord;
  readonly access: () => AccessState;
  /** A copy that goes its own way. */
  readonly fork: () => Log;
}

/** A log of a genesis. */
export function createLog(founderName = 'founder', o: { readonly limits?: typeof limits } = {}): Log {
  const founder = idOf(founderName);
  const payload: ControlPayload = {
    kind: 'genesis',
    ruleset: 1,
    nonce: idOf('nonce'),
    x25519: zeros32,
    bind: new Uint8Array(64),
    recovery: new Uint8Array(0),
    limits: o.limits ?? limits,
  };
  const entry = entryOf(payload, {
    roomId: zeros32,
    author: founder,
    seq: 0,
    prev: zeros32,
    cap: zeros32,
    deps: [],
    hlcMs: firstMs,
  });
  const roomId = entry.id;
  const first = admit(entry, { roomId, records: [], nowMs: firstMs });
  if (!first.ok) throw new TypeError(`genesis: ${first.fault.code}`);
  return logOf({ roomId, founder, records: [first.value] });
}

interface LogState {
  readonly roomId: Bytes;
  readonly founder: Bytes;
  readonly records: ControlRecord[];
}

function logOf(state: LogState): Log {
  const { roomId, founder, records } = state;
  const write: Log['write'] = (author, payload, o = {}) => {
    const seen = closure(records, [
      ...(o.seen ?? records),
      ...records.filter((record) => record.author === toHex(author)),
    ]);
    const own = seen.filter((record) => record.author === toHex(author));
    const last = own.at(-1);
    const cap = o.cap ?? accessOf(seen).devices.get(toHex(author))?.record.entry.id ?? zeros32;
    const deps = headsOf(seen)
      .filter((record) => record.author !== toHex(author))
      .map((record) => record.entry.id)
      .sort(compareBytes);
    const hlcMs = o.hlcMs ?? 1 + Math.max(...seen.map((record) => record.entry.hlcMs));
    const made = entryOf(payload, {
      roomId,
      author,
      seq: own.length,
      prev: last?.entry.id ?? zeros32,
      cap,
      deps,
      hlcMs,
    });
    const record = admit(o.change?.(made) ?? made, { roomId, records, nowMs: hlcMs });
    if (record.ok) records.push(record.value);
    return record;
  };
  return {
    roomId,
    founder,
    records,
    write,
    must: (author, payload, o) => {
      const written = write(author, payload, o);
      if (!written.ok) throw new TypeError(`${payload.kind}: ${written.fault.code} ${written.fault.detail}`);
      return written.value;
    },
    access: () => accessOf(records),
    fork: () => logOf({ ...state, records: [...records] }),
  };
}

interface Place {
  readonly roomId: Bytes;
  readonly author: Bytes;
  readonly seq: number;
  readonly prev: Bytes;
  readonly cap: Bytes;
  readonly deps: readonly Bytes[];
  readonly hlcMs: number;
}

function entryOf(payload: ControlPayload, o: Place): Entry {
  const bytes = encodeControl(payload);
  const { roomId, author, seq, prev } = o;
  const place = { roomId, domainId: zeros32, author, seq, prev };
  const body = {
    kind: controlKind(payload),
    boot: new Uint8Array(8),
    cap: o.cap,
    kid: zeros32,
    hlcMs: o.hlcMs,
    hlcCtr: 0,
    deps: o.deps,
    payload: bytes,
    commit: commitment(commitKey(null, zeros32, author), seq, bytes),
  };
  return { ...place, ...body, id: entryId(place, body) };
}

/** The entry with another header, and so another id. */
export function withHeader(entry: Entry, change: Partial<Entry>): Entry {
  const changed = { ...entry, ...change };
  return { ...changed, id: entryId(changed, changed) };
}

/** Everything in `from`, and what it rests on, in the order of the log. */
export function closure(log: readonly ControlRecord[], from: readonly ControlRecord[]): ControlRecord[] {
  return log.filter((record) => from.some((one) => one.id === record.id || isInPast(one.past, record)));
}

/** Records that lie in no other's past. */
function headsOf(records: readonly ControlRecord[]): ControlRecord[] {
  return records.filter((record) => !records.some((other) => isInPast(other.past, record)));
}

const known = new Map<string, AccessState>();

/** evaluateAccess, once per set: the suites ask for the same small sets over and over. */
function accessOf(records: readonly ControlRecord[]): AccessState {
  const key = records.map((record) => record.id).join();
  let access = known.get(key);
  if (access === undefined) {
    if (known.size > 2000) known.clear();
    known.set(key, (access = evaluateAccess(records)));
  }
  return access;
}

/** What admission knows at a peer that holds `records`. */
export function contextOf(
  records: readonly ControlRecord[],
  o: { readonly roomId: Bytes; readonly author: Bytes; readonly nowMs: number },
): ControlContext {
  const last = records.filter((record) => record.author === toHex(o.author)).at(-1)?.entry;
  return {
    roomId: o.roomId,
    log: records,
    byId: new Map(records.map((record) => [record.id, record])),
    access: accessOf(records),
    head: last === undefined ? null : { seq: last.seq, id: last.id },
    roomNowMs: o.nowMs,
  };
}

/** Both halves of admission at a peer that holds `records`. */
export function admit(
  entry: Entry,
  o: { readonly roomId: Bytes; readonly records: readonly ControlRecord[]; readonly nowMs: number },
): Result<ControlRecord> {
  const context = contextOf(o.records, { roomId: o.roomId, author: entry.author, nowMs: o.nowMs });
  const prepared = prepareControl(entry, context);
  return prepared.ok ? judgeCandidate(prepared.value, context) : prepared;
}

/** Powers by name, as every room has them. */
export const roles = {
  admin: { rank: 10, perms: allPermissions },
  editor: { rank: 20, perms: 7 },
  viewer: { rank: 30, perms: 1 },
};
