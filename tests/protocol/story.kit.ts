/**
 * The room that the worked examples of docs/protocol.md are taken from: a founder, an invite, somebody who joins by it,
 * and an entry with one op of each kind. Everything that is random in life is {@link chance} of a name here, so that the
 * same bytes come out for ever.
 */
import type { Bytes } from '../../src/core/base/index.js';
import { compareBytes } from '../../src/core/base/index.js';
import type { ControlPayload } from '../../src/core/access/index.js';
import { controlKind, encodeControl } from '../../src/core/access/index.js';
import { utf8Bytes } from '../../src/core/codec/index.js';
import {
  ed25519PublicKey,
  epochPrk,
  kidOf,
  sha256,
  signEd25519,
  x25519PublicKey,
  x25519Shared,
} from '../../src/core/crypto/index.js';
import { commitKey, commitment, entryId, entryKinds, headMessage, type Entry } from '../../src/core/entry/index.js';
import { sealKey, sealLink } from '../../src/core/epoch/index.js';
import { bindMessage, createRecordId, profileRecordId, singleRecordId } from '../../src/core/identity/index.js';
import { inviteKeys } from '../../src/core/invite/index.js';
import { encodePayload, type Op } from '../../src/core/op/index.js';
import { encodeDeclaration, metaPrefix, schemaPrefix, type Declaration } from '../../src/core/schema/index.js';

const names = new Set<string>();

/** SHA-256 of "keeproom/vectors/v1 " and the name, cut to `length`. */
export function chance(name: string, length = 32): Bytes {
  names.add(name);
  return sha256(utf8Bytes(`keeproom/vectors/v1 ${name}`)).slice(0, length);
}

/** Every name that was asked for so far, sorted. */
export function chanceNames(): readonly string[] {
  return [...names].sort();
}

export const zeros32: Bytes = new Uint8Array(32);
/** The founder's clock when the room began. */
export const startMs = 1_767_225_600_000;

/** A device with all its secrets. */
export interface StoryDevice {
  readonly seed: Bytes;
  readonly id: Bytes;
  readonly x25519Secret: Bytes;
  readonly x25519: Bytes;
}

function deviceOf(name: string): StoryDevice {
  const [seed, x25519Secret] = [chance(`${name} ed25519`), chance(`${name} x25519`)];
  return { seed, id: ed25519PublicKey(seed), x25519Secret, x25519: x25519PublicKey(x25519Secret) };
}

export const founder: StoryDevice = deviceOf('founder');
export const joiner: StoryDevice = deviceOf('joiner');
export const founderBoot: Bytes = chance('founder boot', 8);

/** One entry, its preimage's parts, and its head signature. */
export interface StoryEntry {
  readonly entry: Entry;
  readonly payload: Bytes;
  readonly signature: Bytes;
}

interface Written {
  readonly roomId: Bytes;
  readonly domainId: Bytes;
  readonly author: StoryDevice;
  readonly prev: StoryEntry | null;
  readonly kind: number;
  readonly cap: Bytes;
  readonly kid: Bytes;
  readonly prk: Bytes | null;
  readonly hlcMs: number;
  readonly hlcCtr?: number;
  readonly deps?: readonly Bytes[];
  readonly payload: Bytes;
}

function write(w: Written): StoryEntry {
  const seq = w.prev === null ? 0 : w.prev.entry.seq + 1;
  const place = { roomId: w.roomId, domainId: w.domainId, author: w.author.id, seq, prev: w.prev?.entry.id ?? zeros32 };
  const body = {
    kind: w.kind,
    boot: founderBoot,
    cap: w.cap,
    kid: w.kid,
    hlcMs: w.hlcMs,
    hlcCtr: w.hlcCtr ?? 0,
    deps: [...(w.deps ?? [])].sort(compareBytes),
    payload: w.payload,
    commit: commitment(commitKey(w.prk, w.domainId, w.author.id), seq, w.payload),
  };
  const id = entryId(place, body);
  return {
    entry: { ...place, ...body, id },
    payload: w.payload,
    signature: signEd25519(w.author.seed, headMessage(w.roomId, w.domainId, { seq, id })),
  };
}

const genesisNonce = chance('genesis nonce');
export const genesisPayload: ControlPayload = {
  kind: 'genesis',
  ruleset: 1,
  nonce: genesisNonce,
  x25519: founder.x25519,
  bind: signEd25519(founder.seed, bindMessage(genesisNonce, founder.x25519)),
  recovery: new Uint8Array(0),
  limits: { maxPayload: 131_072, maxDeps: 32, maxControl: 12_288, maxDomains: 16 },
};
export const genesis: StoryEntry = write({
  roomId: zeros32,
  domainId: zeros32,
  author: founder,
  prev: null,
  kind: entryKinds.genesis,
  cap: zeros32,
  kid: zeros32,
  prk: null,
  hlcMs: startMs,
  payload: encodeControl(genesisPayload),
});
/** The id of the genesis entry. */
export const roomId: Bytes = genesis.entry.id;

/** The next control entry of the founder. */
function control(prev: StoryEntry, payload: ControlPayload): StoryEntry {
  const place = { roomId, domainId: zeros32, author: founder, prev, cap: roomId, kid: zeros32, prk: null };
  return write({
    ...place,
    kind: controlKind(payload),
    hlcMs: startMs,
    hlcCtr: prev.entry.seq + 1,
    payload: encodeControl(payload),
  });
}

export const epochKey: Bytes = chance('epoch key');
export const kid: Bytes = kidOf(roomId, zeros32, epochKey);
export const prk: Bytes = epochPrk(roomId, kid, epochKey);
export const epochPayload: ControlPayload = { kind: 'epoch', scope: zeros32, kid, gen: 1, parents: [], links: [] };
const epoch: StoryEntry = control(genesis, epochPayload);

/** What wraps a key for a device: the context, and the shared secret that only the two have. */
function wrapFor(
  device: StoryDevice,
  name: string,
): { readonly epk: Bytes; readonly shared: Bytes; readonly sealed: Bytes } {
  const secret = chance(`${name} ephemeral`);
  const epk = x25519PublicKey(secret);
  const shared = agree(secret, device.x25519);
  return {
    epk,
    shared,
    sealed: sealKey(epochKey, shared, { roomId, scope: zeros32, kid, epk, device: device.id, x25519: device.x25519 }),
  };
}

/** X25519; the keys of the story are all good. */
export function agree(secret: Bytes, publicKey: Bytes): Bytes {
  const shared = x25519Shared(secret, publicKey);
  if (shared === null) throw new TypeError('expected a shared secret');
  return shared;
}

const founderWrap = wrapFor(founder, 'founder wrap');
export const wrapPayload: ControlPayload = {
  kind: 'wrap',
  kid,
  epk: founderWrap.epk,
  recipients: [{ device: founder.id, sealed: founderWrap.sealed }],
};
const wrap: StoryEntry = control(epoch, wrapPayload);
export const metaPayload: ControlPayload = {
  kind: 'domain',
  scope: zeros32,
  isMeta: true,
  nonce: chance('meta nonce', 16),
};
const meta: StoryEntry = control(wrap, metaPayload);
export const mainPayload: ControlPayload = {
  kind: 'domain',
  scope: zeros32,
  isMeta: false,
  nonce: chance('main nonce', 16),
};
export const main: StoryEntry = control(meta, mainPayload);

export const secret: Bytes = chance('invite secret', 16);
export const keys = inviteKeys({ roomId, secret });
export const invitePayload: ControlPayload = {
  kind: 'invite',
  invitePub: ed25519PublicKey(keys.seed),
  rank: 20,
  perms: 7,
  scope: zeros32,
  write: [main.entry.id],
  maxUses: 2,
  expiryMs: startMs + 7 * 86_400_000,
  approval: false,
  anyAdmitter: true,
  admitters: [],
};
const invite: StoryEntry = control(main, invitePayload);

export const requestId: Bytes = chance('request id', 16);
export const joinerBind: Bytes = signEd25519(joiner.seed, bindMessage(roomId, joiner.x25519));
export const joinerWrap = wrapFor(joiner, 'joiner wrap');
export const grantPayload: ControlPayload = {
  kind: 'grant',
  subject: joiner.id,
  x25519: joiner.x25519,
  bind: joinerBind,
  member: new Uint8Array(0),
  scope: zeros32,
  rank: 20,
  depth: 0,
  perms: 7,
  write: [main.entry.id],
  via: { invite: invite.entry.id, use: 0, requestId },
  wraps: [{ kid, epk: joinerWrap.epk, sealed: joinerWrap.sealed }],
};
export const grant: StoryEntry = control(invite, grantPayload);
export const revokePayload: ControlPayload = { kind: 'revoke', targetKind: 3, target: invite.entry.id, cascade: false };
export const revoke: StoryEntry = control(grant, revokePayload);
export const foldPayload: ControlPayload = { kind: 'fold' };
/** A child epoch, of which only the link is shown. */
export const childKey: Bytes = chance('child key');
export const childKid: Bytes = kidOf(roomId, zeros32, childKey);
export const link: Bytes = sealLink(epochKey, childKey, { roomId, scope: zeros32, kid: childKid, parentKid: kid });

const declaration: Declaration = {
  app: 'board',
  collections: {
    cards: {
      domain: 'main',
      owned: false,
      single: false,
      fields: {
        text: { kind: 'string', maxLength: 500, need: 'required' },
        x: { kind: 'number', min: null, max: null, integer: false, need: { default: 0 } },
        color: { kind: 'oneOf', values: ['red', 'blue'], need: 'optional' },
        votes: { kind: 'counter' },
      },
    },
    board: {
      domain: 'main',
      owned: false,
      single: true,
      fields: { title: { kind: 'string', maxLength: 80, need: { default: '' } } },
    },
  },
  roles: { guest: { rank: 25, write: ['main'], can: [] } },
};
export const declarationBytes: Bytes = encodeDeclaration(declaration);
export const appPrefix: Bytes = schemaPrefix(declarationBytes);

export const cardId: Bytes = createRecordId(chance('card', 12), founder.id);
const ops: readonly Op[] = [
  { kind: 'insert', collection: 'cards', id: cardId, fields: { text: 'Grüße', x: 1.5 } },
  { kind: 'update', collection: 'board', id: singleRecordId(), fields: { title: 'Plan' } },
  { kind: 'increment', collection: 'cards', id: cardId, field: 'votes', by: -2 },
  { kind: 'delete', collection: 'cards', id: cardId },
  { kind: 'opaque', code: 77, rest: [true, null] },
];
export const payload: Bytes = encodePayload({ schema: appPrefix, ops });
const inMain = { roomId, domainId: main.entry.id, kind: entryKinds.data, kid, prk };
export const data: StoryEntry = write({
  ...inMain,
  author: founder,
  prev: null,
  cap: roomId,
  hlcMs: startMs + 1000,
  payload,
});
/** By the joiner, who had seen {@link data}. */
export const reply: StoryEntry = write({
  ...inMain,
  author: joiner,
  prev: null,
  cap: grant.entry.id,
  hlcMs: startMs + 61_000,
  hlcCtr: 3,
  deps: [data.entry.id],
  payload: encodePayload({
    schema: appPrefix,
    ops: [{ kind: 'update', collection: 'cards', id: cardId, fields: { color: 'red' } }],
  }),
});
/** The founder's second and third entry: one unit. */
export const second: StoryEntry = write({
  ...inMain,
  author: founder,
  prev: data,
  cap: roomId,
  hlcMs: startMs + 62_000,
  deps: [reply.entry.id],
  payload: encodePayload({
    schema: appPrefix,
    ops: [{ kind: 'increment', collection: 'cards', id: cardId, field: 'votes', by: 1 }],
  }),
});
export const third: StoryEntry = write({
  ...inMain,
  author: founder,
  prev: second,
  cap: roomId,
  hlcMs: startMs + 62_000,
  hlcCtr: 1,
  payload: encodePayload({ schema: appPrefix, ops: [{ kind: 'delete', collection: 'cards', id: cardId }] }),
});

export const profilePayload: Bytes = encodePayload({
  schema: metaPrefix(),
  ops: [{ kind: 'insert', collection: '$profiles', id: profileRecordId(joiner.id), fields: { name: 'Bob' } }],
});
