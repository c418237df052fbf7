/**
 * The worked examples of docs/protocol.md, made by the real encoders out of the story, and how each is read back.
 * docs/vectors/v1.json holds them for other implementations; the suites say that document, file and code agree.
 */
import type { Bytes, Result } from '../../src/core/base/index.js';
import { concatBytes, toHex } from '../../src/core/base/index.js';
import type { ControlPayload } from '../../src/core/access/index.js';
import { controlKind, decodeControl, encodeControl } from '../../src/core/access/index.js';
import type { Value } from '../../src/core/codec/index.js';
import { decodeValue, encodeValue } from '../../src/core/codec/index.js';
import {
  deriveKey,
  ed25519PublicKey,
  hedgedNonce,
  labels,
  openAtRest,
  sealAtRest,
  sha256,
  signEd25519,
  x25519PublicKey,
} from '../../src/core/crypto/index.js';
import { commitKey, entryPreimage, headMessage, type Entry } from '../../src/core/entry/index.js';
import { openKey, openLink } from '../../src/core/epoch/index.js';
import { bindMessage, profileRecordId } from '../../src/core/identity/index.js';
import { decodeInviteCode, encodeInviteCode, joinAnswerMessage, joinAskMessage } from '../../src/core/invite/index.js';
import { decodePayload, encodePayload } from '../../src/core/op/index.js';
import type { BodyEntry } from '../../src/core/pack/index.js';
import {
  decodeBody,
  decodePack,
  encodeBody,
  openPack,
  packSealMessage,
  rebuildRun,
  sealPack,
  withSealSignature,
} from '../../src/core/pack/index.js';
import { setRoot, sumOfRoots, toClockEntries } from '../../src/core/reconcile/index.js';
import { decodeDeclaration, encodeDeclaration, metaPrefix } from '../../src/core/schema/index.js';
import * as wire from '../../src/core/wire/index.js';
import * as story from './story.kit.js';

/** One worked example. */
export interface Vector {
  readonly bytes: Bytes;
  /** What it is an example of, in a few words. */
  readonly what: string;
  /** Decodes and encodes again; null when it does not decode. Absent for what is only ever made, never read. */
  readonly again?: (bytes: Bytes) => Bytes | null;
}

/** All of them, by name, in the order of the document. */
export function buildVectors(): Readonly<Record<string, Vector>> {
  return { ...ids(), ...control(), ...epochs(), ...entries(), ...packs(), ...frames(), ...joining(), ...later() };
}

function again<T>(decode: (bytes: Bytes) => Result<T>, encode: (value: T) => Bytes): (bytes: Bytes) => Bytes | null {
  return (bytes) => {
    const read = decode(bytes);
    return read.ok ? encode(read.value) : null;
  };
}

function ids(): Record<string, Vector> {
  const { founder, joiner } = story;
  return {
    'device.founder': { bytes: founder.id, what: 'Ed25519 public key of the founder' },
    'device.joiner': { bytes: joiner.id, what: 'Ed25519 public key of the joiner' },
    'x25519.founder': { bytes: founder.x25519, what: 'X25519 public key of the founder' },
    'x25519.joiner': { bytes: joiner.x25519, what: 'X25519 public key of the joiner' },
    'bind.message': {
      bytes: bindMessage(story.roomId, joiner.x25519),
      what: 'what the joiner signs to bind its X25519 key',
    },
    'bind.signature': { bytes: story.joinerBind, what: 'its signature' },
    'record.id': { bytes: story.cardId, what: 'record id made by the founder' },
    'record.profile': { bytes: profileRecordId(joiner.id), what: 'record id of the joiner’s profile' },
    'rest.row': {
      bytes: sealAtRest({
        dataKey: story.chance('data key'),
        use: 'draft',
        random32: story.chance('rest random'),
        plaintext: story.epochKey,
      }),
      what: 'a row at rest, use "draft"',
      again: (bytes) => openAtRest({ dataKey: story.chance('data key'), use: 'draft', sealed: bytes }) && bytes,
    },
  };
}

function control(): Record<string, Vector> {
  const kinds: readonly (readonly [string, ControlPayload, string])[] = [
    ['control.genesis', story.genesisPayload, 'payload of genesis'],
    ['control.epoch', story.epochPayload, 'payload of the first epoch'],
    ['control.wrap', story.wrapPayload, 'payload of its wrap for the founder'],
    ['control.domain.meta', story.metaPayload, 'payload of the domain meta'],
    ['control.domain', story.mainPayload, 'payload of the domain main'],
    ['control.invite', story.invitePayload, 'payload of an invite'],
    ['control.grant', story.grantPayload, 'payload of the grant by it'],
    ['control.revoke', story.revokePayload, 'payload of its revocation'],
    ['control.fold', story.foldPayload, 'payload of a fold'],
  ];
  return Object.fromEntries(
    kinds.map(([name, payload, what]) => [
      name,
      {
        bytes: encodeControl(payload),
        what,
        again: (bytes: Bytes) => {
          const read = decodeControl(controlKind(payload), bytes);
          return read === null || read === 'unsupported' ? null : encodeControl(read);
        },
      },
    ]),
  );
}

function epochs(): Record<string, Vector> {
  const { roomId, kid, joiner, joinerWrap, childKey, childKid, link, prk, founder, main } = story;
  const scope = story.zeros32;
  const context = { roomId, scope, kid, epk: joinerWrap.epk, device: joiner.id, x25519: joiner.x25519 };
  return {
    'epoch.key': { bytes: story.epochKey, what: 'K' },
    'epoch.kid': { bytes: kid, what: 'kid' },
    'epoch.prk': { bytes: prk, what: 'PRK' },
    'epoch.commit-key': {
      bytes: commitKey(prk, main.entry.id, founder.id),
      what: 'X("keeproom/commit1", main ‖ founder)',
    },
    'epoch.pack-key': { bytes: deriveKey(prk, labels.pack, founder.id), what: 'X("keeproom/pack/01", founder)' },
    'epoch.nonce-key': { bytes: deriveKey(prk, labels.nonce, founder.id), what: 'X("keeproom/nonce/1", founder)' },
    'nonce.hedged': {
      bytes: hedgedNonce({
        key: deriveKey(prk, labels.nonce, founder.id),
        random32: story.chance('nonce random'),
        aad: kid,
        plaintext: story.epochKey,
      }),
      what: 'hedged nonce: key epoch.nonce-key, aad epoch.kid, plaintext epoch.key',
    },
    'epoch.wrap': {
      bytes: joinerWrap.sealed,
      what: 'K wrapped for the joiner',
      again: (bytes) => openKey(bytes, joinerWrap.shared, context) && bytes,
    },
    'epoch.link': {
      bytes: link,
      what: 'K under a child key',
      again: (bytes) => openLink(bytes, childKey, { roomId, scope, kid: childKid, parentKid: kid }) && bytes,
    },
  };
}

/** A preimage is only ever made; reading its fields back by their offsets gives the same bytes. */
function preimageOf({ entry }: { readonly entry: Entry }): Bytes {
  return entryPreimage(entry, entry);
}

function entries(): Record<string, Vector> {
  const { genesis, data, reply, roomId, main, grant } = story;
  return {
    'schema.declaration': {
      bytes: story.declarationBytes,
      what: 'a declaration',
      again: again(decodeDeclaration, encodeDeclaration),
    },
    'schema.prefix': { bytes: story.appPrefix, what: 'its prefix' },
    'schema.meta-prefix': { bytes: metaPrefix(), what: 'the prefix of our own schema' },
    'payload.ops': {
      bytes: story.payload,
      what: 'a payload with an op of each kind',
      again: again(decodePayload, encodePayload),
    },
    'payload.profile': {
      bytes: story.profilePayload,
      what: 'a payload in meta: the joiner’s profile',
      again: again(decodePayload, encodePayload),
    },
    'entry.genesis': { bytes: preimageOf(genesis), what: 'preimage of genesis' },
    'entry.genesis.id': { bytes: roomId, what: 'its id, which is the room’s' },
    'entry.genesis.signature': { bytes: genesis.signature, what: 'its head signature' },
    'entry.grant': { bytes: preimageOf(grant), what: 'preimage of the grant' },
    'entry.grant.id': { bytes: grant.entry.id, what: 'its id' },
    'entry.data': { bytes: preimageOf(data), what: 'preimage of a data entry of the founder' },
    'entry.data.commit': { bytes: data.entry.commit, what: 'its commitment' },
    'entry.data.id': { bytes: data.entry.id, what: 'its id' },
    'entry.reply': { bytes: preimageOf(reply), what: 'preimage of the joiner’s entry, which depends on it' },
    'entry.reply.id': { bytes: reply.entry.id, what: 'its id' },
    'head.message': { bytes: headMessage(roomId, main.entry.id, reply.entry), what: 'what the joiner signs' },
    'head.signature': { bytes: reply.signature, what: 'its head signature' },
  };
}

function bodyOf({ kind, boot, cap, kid, hlcMs, hlcCtr, deps, payload, commit }: Entry): BodyEntry {
  return { kind, boot, cap, kid, hlcMs, hlcCtr, deps, payload, commit: payload === null ? commit : null };
}

/** The founder's second and third entry as a unit; the payload of the second is lost in `lost`. */
function unit(): { readonly columns: Bytes; readonly lost: Bytes; readonly header: Parameters<typeof sealPack>[0] } {
  const { second, third, data, main, founder, kid } = story;
  const bodies = [second, third].map(({ entry }) => bodyOf(entry));
  const lost = [{ ...bodyOf(second.entry), payload: null, commit: second.entry.commit }, bodyOf(third.entry)];
  const header = {
    deflated: false,
    count: 2,
    fromSeq: 1,
    domainId: main.entry.id,
    author: founder.id,
    prevId: data.entry.id,
    endId: third.entry.id,
    endSig: third.signature,
    sealKid: kid,
    sealer: founder.id,
  };
  return { columns: encodeBody(bodies), lost: encodeBody(lost), header };
}

function packs(): Record<string, Vector> {
  const { roomId, prk, founder } = story;
  const { columns, lost, header } = unit();
  const unsigned = sealPack(
    header,
    { columns, stored: columns },
    { prk, roomId, random32: story.chance('pack random') },
  );
  const pack = withSealSignature(unsigned, signEd25519(founder.seed, packSealMessage(roomId, unsigned)));
  const body = again((bytes) => decodeBody(bytes, 2), encodeBody);
  return {
    'body.columns': { bytes: columns, what: 'columns of two entries', again: body },
    'body.absent': { bytes: lost, what: 'the same, the first payload lost', again: body },
    'pack.sealed': { bytes: pack, what: 'the pack of the two, signed by its sealer', again: resealed },
    'pack.seal-message': { bytes: packSealMessage(roomId, unsigned), what: 'what its sealer signs' },
  };
}

/** Opens a pack, rebuilds its entries, and seals and signs them again. */
function resealed(bytes: Bytes): Bytes | null {
  const { roomId, prk, founder } = story;
  const pack = decodePack(bytes);
  const opened = pack.ok ? openPack(pack.value, { prk, roomId }) : pack;
  if (!pack.ok || !opened.ok) return null;
  const bodies = decodeBody(opened.value.stored, pack.value.count);
  if (!bodies.ok) return null;
  const { domainId, author, fromSeq, prevId, endId } = pack.value;
  const rebuilt = rebuildRun({ roomId, domainId, author, fromSeq, prevId, endId }, bodies.value, () => prk);
  if (!rebuilt.ok) return null;
  const columns = encodeBody(rebuilt.value.map(bodyOf));
  const unsigned = sealPack(
    pack.value,
    { columns, stored: columns },
    { prk, roomId, random32: story.chance('pack random') },
  );
  return withSealSignature(unsigned, signEd25519(founder.seed, packSealMessage(roomId, unsigned)));
}

const stream = (): Bytes => story.chance('founder stream', 8);
const session = (): Bytes => story.chance('founder session', 16);
const reqId = (): Bytes => story.chance('sync request', 16);

/** The clock of main after the founder's three entries and the joiner's one. */
function clock(): Map<string, { count: number; head: Bytes }> {
  return new Map([
    [toHex(story.founder.id), { count: 3, head: story.third.entry.id }],
    [toHex(story.joiner.id), { count: 1, head: story.reply.entry.id }],
  ]);
}

function messages(): Record<string, Vector> {
  const { founder, joiner, main, third, second, zeros32 } = story;
  const domainId = main.entry.id;
  const root = setRoot(domainId, clock());
  const one = <T>(
    value: T,
    what: string,
    codec: { encode: (value: T) => Bytes; decode: (bytes: Bytes) => Result<T> },
  ): Vector => ({
    bytes: codec.encode(value),
    what,
    again: again(codec.decode, codec.encode),
  });
  const req: wire.SyncReq = {
    reqId: reqId(),
    attempt: 0,
    want: 1,
    prefer: founder.id,
    exclude: [],
    controlOnly: false,
    transfer: 0x5eed_0000,
    domains: [{ domainId, root, count: 4, entries: toClockEntries(clock()), window: { after: null, upTo: null } }],
    held: [{ domainId, author: founder.id, seq: 3, head: domainId.slice(0, 16) }],
  };
  const grant: wire.SyncGrant = {
    reqId: reqId(),
    claimer: founder.id,
    transfer: 0x5eed_0000,
    ranges: null,
    floors: [{ domainId, author: founder.id, from: 2 }],
  };
  const done: wire.SyncDone = {
    reqId: reqId(),
    transfer: 0x5eed_0000,
    packs: 1,
    entries: 2,
    complete: true,
    roots: [{ domainId, root }],
  };
  const live: wire.Live = { domainId, fromSeq: 1, count: 2, endSig: third.signature, body: unit().columns };
  return {
    'root.main': { bytes: root, what: 'root of main with four entries' },
    'message.beacon': one(
      {
        domains: [
          { domainId: zeros32, root, count: 9 },
          { domainId, root, count: 4 },
        ],
        serve: true,
        hidden: false,
      },
      'BEACON',
      { encode: wire.encodeBeacon, decode: wire.decodeBeacon },
    ),
    'message.sync-req': one(req, 'SYNC_REQ', { encode: wire.encodeSyncReq, decode: wire.decodeSyncReq }),
    'message.sync-claim': one(
      { reqId: reqId(), requester: joiner.id, coverage: 255, entries: 4, bytesEstimate: 256, load: 0 },
      'SYNC_CLAIM',
      { encode: wire.encodeSyncClaim, decode: wire.decodeSyncClaim },
    ),
    'message.sync-grant': one(grant, 'SYNC_GRANT', { encode: wire.encodeSyncGrant, decode: wire.decodeSyncGrant }),
    'message.sync-done': one(done, 'SYNC_DONE', { encode: wire.encodeSyncDone, decode: wire.decodeSyncDone }),
    'message.ack': one(
      { heads: [{ domainId, author: founder.id, seq: 2, headId: third.entry.id }], transfers: [0x5eed_0000] },
      'ACK',
      { encode: wire.encodeAck, decode: wire.decodeAck },
    ),
    'message.resume': one(
      {
        device: founder.id,
        session: session(),
        heads: [{ domainId, seq: 2, entryId: third.entry.id, sig: third.signature, boot: second.entry.boot }],
      },
      'RESUME',
      { encode: wire.encodeResume, decode: wire.decodeResume },
    ),
    'message.error': one({ code: 'frame/unknown-key', reqId: null, retryAfterMs: 2000 }, 'ERROR', {
      encode: wire.encodeSyncError,
      decode: wire.decodeSyncError,
    }),
    'message.live': one(live, 'LIVE', { encode: wire.encodeLive, decode: wire.decodeLive }),
  };
}

const transportType = 'memory';
const address = 'a1';

function frames(): Record<string, Vector> {
  const { founder, roomId, kid, prk } = story;
  const hello: wire.Hello = {
    roomTag: wire.roomTagOf(roomId),
    device: founder.id,
    session: session(),
    echo: new Uint8Array(16),
    boot: story.founderBoot,
    stream: stream(),
    hlcMs: story.startMs,
    kidTags: [kid.slice(0, 8)],
    caps: { v: 1 },
    sum: null,
  };
  const echo = story.chance('joiner session', 16);
  const domainId = story.main.entry.id;
  const main = { domainId, root: setRoot(domainId, clock()), count: 4 };
  const sum = sumOfRoots(prk, { sender: founder.id, session: session(), echo }, [main]);
  const helloMessageOf = (one: wire.Hello): Bytes =>
    wire.helloSignedBytes({ roomId, transportType, address, unsigned: wire.encodeHello(one) });
  const helloOf = (one: wire.Hello, what: string): Vector => ({
    bytes: wire.joinSigned(wire.encodeHello(one), signEd25519(founder.seed, helloMessageOf(one))),
    what,
    again: again(wire.decodeHello, (read) => wire.joinSigned(wire.encodeHello(read.hello), read.sig)),
  });
  const message = messages()['message.ack']?.bytes ?? new Uint8Array(0);
  const header = wire.envelopeHeader({ type: wire.frameTypes.ack, kid, stream: stream(), ctr: 7 });
  const signedBytes = wire.frameSignedBytes({ roomId, header, message });
  const body = wire.joinSigned(message, signEd25519(founder.seed, signedBytes));
  const key = { roomId, kid, prk, sender: founder.id };
  const envelope = wire.sealEnvelope(key, { header, body, random32: story.chance('envelope random') });
  const fragment = { transfer: 0x5eed_0001, index: 0, total: 1, bytes: story.chance('part of a pack') };
  return {
    'room.tag': { bytes: hello.roomTag, what: 'the room’s tag' },
    'frame.hello': helloOf(hello, 'HELLO of the founder on transport "memory" at address "a1"'),
    'hello.message': { bytes: helloMessageOf(hello), what: 'what its signature covers' },
    'hello.sum': { bytes: sum, what: 'the founder’s sum for the joiner’s session, as if main were all there is' },
    'frame.hello-answer': helloOf(
      { ...hello, echo, sum, hlcMs: story.startMs + 1 },
      'its answer to the joiner, with the sum',
    ),
    ...messages(),
    'envelope.header': { bytes: header, what: 'header of the ACK’s envelope' },
    'envelope.signed': { bytes: signedBytes, what: 'what the signature in it covers' },
    'envelope.ack': {
      bytes: envelope,
      what: 'the whole frame',
      again: (bytes) => {
        const read = wire.decodeEnvelope(bytes);
        const opened = read.ok ? wire.openEnvelope(read.value, key) : read;
        return opened.ok
          ? wire.sealEnvelope(key, { header, body: opened.value, random32: story.chance('envelope random') })
          : null;
      },
    },
    'frame.fragment': {
      bytes: wire.encodeFragment(fragment),
      what: 'a fragment',
      again: again(wire.decodeFragment, wire.encodeFragment),
    },
  };
}

function joining(): Record<string, Vector> {
  const { roomId, secret, keys, joiner, founder, requestId } = story;
  const code = encodeInviteCode({ roomId, secret });
  const joinerNonce = story.chance('joiner nonce');
  const { inviteId, psk, seed } = keys;
  const message = joinAskMessage({
    roomId,
    inviteId,
    requestId,
    device: joiner.id,
    x25519: joiner.x25519,
    joinerNonce,
    transportType,
    address: 'b2',
  });
  const askKey = { roomId, inviteId, psk };
  const sealAsk = (ask: wire.JoinAsk): Bytes => wire.sealJoinAsk(askKey, ask, story.chance('ask random'));
  const ask = sealAsk({
    requestId,
    device: joiner.id,
    x25519: joiner.x25519,
    bind: story.joinerBind,
    joinerNonce,
    profile: encodeValue(['Bob', null]),
    inviteSig: signEd25519(seed, message),
    deviceSig: signEd25519(joiner.seed, message),
  });
  const ephemeral = story.chance('answer ephemeral');
  const shared = story.agree(ephemeral, joiner.x25519);
  const answerKey = { roomId, askHash: sha256(ask), psk, shared };
  const seal = (answer: wire.JoinAnswer): Bytes =>
    wire.sealJoinAnswer(answerKey, {
      ephemeral: x25519PublicKey(ephemeral),
      admitter: founder.id,
      answer,
      random32: story.chance('answer random'),
    });
  const unsigned = seal({ status: 'granted', grantId: story.grant.entry.id, kid: story.kid, key: story.epochKey });
  const sign = (bytes: Bytes): Bytes =>
    signEd25519(founder.seed, joinAnswerMessage({ roomId, askHash: answerKey.askHash, unsigned: bytes }));
  return {
    'invite.code': {
      bytes: Uint8Array.from(code, (char) => char.charCodeAt(0)),
      what: 'the code of the link, in ASCII',
      again: (bytes) => {
        const read = decodeInviteCode(String.fromCharCode(...bytes));
        return read.ok ? Uint8Array.from(encodeInviteCode(read.value), (char) => char.charCodeAt(0)) : null;
      },
    },
    'invite.id': { bytes: inviteId, what: 'invite id' },
    'invite.public': { bytes: ed25519PublicKey(keys.seed), what: 'public key of the invite' },
    'invite.psk': { bytes: psk, what: 'psk' },
    'join.message': { bytes: message, what: 'what both signatures of the ASK cover' },
    'join.ask': { bytes: ask, what: 'JOIN_ASK', again: again((bytes) => wire.openJoinAsk(bytes, askKey), sealAsk) },
    'join.answer': {
      bytes: wire.joinSigned(unsigned, sign(unsigned)),
      what: 'JOIN_ANSWER',
      again: (bytes) => {
        const sealed = wire.decodeJoinAnswer(bytes);
        const opened = sealed.ok ? wire.openJoinAnswer(sealed.value, answerKey) : sealed;
        if (!opened.ok) return null;
        const resealed = seal(opened.value);
        return wire.joinSigned(resealed, sign(resealed));
      },
    },
  };
}

/** Bytes of kinds that this version holds: known to be told apart, without effect. */
function later(): Record<string, Vector> {
  const { main, founder, joiner, third, revoke, zeros32, reply } = story;
  const pin: Value = [main.entry.id, joiner.id, 0, reply.entry.id, reply.signature];
  const held = (kind: number, value: Value, what: string): Vector => ({
    bytes: encodeValue(value),
    what,
    again: (bytes) => (decodeControl(kind, bytes) === 'unsupported' ? reencoded(bytes) : null),
  });
  return {
    'later.revoke': held(3, [1, joiner.id, true, [pin]], 'revoke of a device, with one pin'),
    'later.adopt': held(4, [main.entry.id, founder.id, 2, third.entry.id, third.signature], 'adopt'),
    'later.group': held(8, [story.chance('group nonce', 16)], 'group'),
    'later.redact': held(12, [[third.entry.id], null], 'redact'),
    'later.ruleset': held(13, [2], 'ruleset'),
    'later.linked': {
      bytes: concatBytes(encodeControl(linked(zeros32, revoke.entry.id))),
      what: 'a grant that links a device',
    },
  };
}

function linked(scope: Bytes, member: Bytes): ControlPayload {
  if (story.grantPayload.kind !== 'grant') throw new TypeError('expected a grant');
  return { ...story.grantPayload, scope, member, depth: 1, via: null, wraps: [] };
}

function reencoded(bytes: Bytes): Bytes | null {
  const read = decodeValue(bytes);
  return read.ok ? encodeValue(read.value) : null;
}
