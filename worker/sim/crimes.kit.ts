/** What a hostile member does with a patched client: each crime by name, so that a table can say which were committed. */
import { toHex, type Bytes } from '../../src/core/base/index.js';
import { utf8Bytes } from '../../src/core/codec/index.js';
import { kidOf, x25519PublicKey } from '../../src/core/crypto/index.js';
import { commitKey, commitment } from '../../src/core/entry/index.js';
import { createRecordId, profileRecordId } from '../../src/core/identity/index.js';
import { encodePayload, type Op } from '../../src/core/op/index.js';
import {
  decodeBody,
  decodePack,
  encodeBody,
  openPack,
  packSealMessage,
  sealPack,
  withSealSignature,
} from '../../src/core/pack/index.js';
import { metaPrefix, schemaPrefix } from '../../src/core/schema/index.js';
import {
  decodeFragment,
  encodeAck,
  encodeBeacon,
  encodeFragment,
  encodeResume,
  encodeSyncClaim,
  encodeSyncDone,
  encodeSyncGrant,
  encodeSyncReq,
  frameType,
  frameTypes,
} from '../../src/core/wire/index.js';
import type { Peer } from '../../src/core/session/index.js';
import { countOf, domainName, idAt, type Chain, type Unit } from '../engine/replica/index.js';
import { sendEpoch } from '../engine/room/core.js';
import { simSchema } from './page.kit.js';
import { controlHex, flipBit, type Forgery, type Patched } from './patched.kit.js';
import { nodeDeflate } from './platform.kit.js';
import type { Chance } from './random.js';
import { evil } from './workload.kit.js';

/** Where a crime is committed. */
export interface CrimeScene {
  readonly patched: Patched;
  readonly chance: Chance;
  /** Whether the member may write in `main`. */
  readonly mayDraw: boolean;
  /** Entries (hex) that must not have an effect anywhere. */
  readonly forbid: (unit: Unit) => void;
  readonly log: (text: string) => void;
}

type Crime = (s: CrimeScene) => Promise<void> | void;

/** All of them. */
export const crimes: Readonly<Record<string, Crime>> = {
  'forbidden ops': async (s) => {
    const ops = s.chance.pick(forbiddenOps)(s);
    if (ops !== null)
      await publish(s, ops.domain, {
        payload: encodePayload({ schema: ops.schema ?? schemaOf(ops.domain), ops: ops.ops }),
      });
  },
  'bad payload': (s) =>
    publish(s, s.chance.pick(['chat', 'meta']), { payload: s.chance.bytes(s.chance.pick([0, 1, 40, 4000])) }),
  'unknown schema': (s) => {
    const payload = encodePayload({ schema: s.chance.bytes(8), ops: [chatOp(s, evil)] });
    return publish(s, 'chat', { payload });
  },
  'wrong commitment': (s) => publish(s, 'chat', { payload: plainPayload(s, evil), commit: s.chance.bytes(32) }),
  'payload withheld': async (s) => {
    const unit = await forge(s, 'chat', [{ payload: plainPayload(s, evil) }]);
    if (unit === null) return;
    s.forbid(unit);
    s.patched.live({ ...unit, entries: unit.entries.map((entry) => ({ ...entry, payload: null })) }, 'all');
  },
  'future clock': (s) =>
    publish(s, 'chat', {
      payload: plainPayload(s, evil),
      hlcMs: s.patched.engine.core.ports.time.now() + 365 * 86_400_000,
    }),
  'past clock': (s) => {
    const domainHex = domainHexOf(s, 'chat');
    // A first entry that names no other has no past that its time could contradict.
    if (domainHex === null || countOf(chainIn(s, domainHex, s.patched.engine.core.device)) === 0) return;
    return publish(s, 'chat', { payload: plainPayload(s, evil), hlcMs: 1000 + s.chance.int(1000) });
  },
  'dangling dep': (s) => publish(s, 'chat', { payload: plainPayload(s, evil), deps: [s.chance.bytes(32)] }),
  "somebody else's cap": (s) => {
    const { core } = s.patched.engine;
    const grants = [...core.state.access.grants.values()].filter((grant) => grant.subject !== core.device);
    return publish(s, 'chat', { payload: plainPayload(s, evil), cap: s.chance.pick(grants).record.entry.id });
  },
  'a head that follows nothing': async (s) => {
    const domainHex = domainHexOf(s, 'chat');
    const mine = domainHex === null ? 0 : countOf(chainIn(s, domainHex, s.patched.engine.core.device));
    if (domainHex === null || mine === 0) return;
    const from = { seq: mine, prev: s.chance.bytes(32) };
    await slip(s, { domainHex, from, entries: [{ payload: plainPayload(s, evil) }] });
  },
  "in somebody else's name": async (s) => {
    const [domainHex, victim] = [domainHexOf(s, 'chat'), somebody(s)];
    if (domainHex === null || victim === null) return;
    await slip(s, { domainHex, author: victim.device, entries: [{ payload: plainPayload(s, evil) }] });
  },
  'unknown cap': (s) => publish(s, 'chat', { payload: plainPayload(s, evil), cap: s.chance.bytes(32) }),
  'forbidden control': async (s) => {
    const unit = await s.patched.forge({
      domainHex: controlHex,
      entries: [{ control: s.chance.pick(forbiddenControl)(s) }],
    });
    s.forbid(unit);
    s.patched.live(unit, 'all');
  },
  'junk control': async (s) => {
    const unit = await s.patched.forge({
      domainHex: controlHex,
      entries: [{ kind: s.chance.int(16), payload: s.chance.bytes(s.chance.int(200)) }],
    });
    s.patched.live(unit, 'all');
  },
  'own epoch': async (s) => {
    const { core } = s.patched.engine;
    const key = s.chance.bytes(32);
    const parents = [...core.state.access.epochs.values()].map((epoch) => epoch.kid).slice(0, 1);
    const gen = 1 + Math.max(0, ...[...core.state.access.epochs.values()].map((epoch) => epoch.gen));
    const control = {
      kind: 'epoch',
      scope: new Uint8Array(32),
      kid: kidOf(core.roomId, new Uint8Array(32), key),
      gen,
      parents,
      links: parents.map(() => s.chance.bytes(48)),
    } as const;
    const unit = await s.patched.forge({ domainHex: controlHex, entries: [{ control, ...headsOf(s) }] });
    if (await s.patched.keep(unit)) s.patched.live(unit, 'all');
  },
  'garbage wraps': async (s) => {
    const { core } = s.patched.engine;
    const kid = sendEpoch(core)?.kid ?? s.chance.bytes(32);
    const recipients = [...core.state.access.devices.values()]
      .map((grant) => ({ device: grant.subjectId, sealed: s.chance.bytes(48) }))
      .sort((a, b) => (toHex(a.device) < toHex(b.device) ? -1 : 1));
    const control = { kind: 'wrap', kid, epk: x25519PublicKey(s.chance.bytes(32)), recipients } as const;
    const unit = await s.patched.forge({ domainHex: controlHex, entries: [{ control, ...headsOf(s) }] });
    if (await s.patched.keep(unit)) s.patched.live(unit, 'all');
  },
  'fork in data': (s) => fork(s, s.chance.pick(['chat', 'meta', 'main'])),
  'fork in control': async (s) => {
    const head = s.patched.engine.core.state.control.chainsByAuthor.get(s.patched.engine.core.device);
    const seq = head === undefined ? 0 : s.chance.int(countOf(head) + 1);
    const prev = seq === 0 ? new Uint8Array(32) : (idAt(head, seq - 1) ?? new Uint8Array(32));
    const branches: Unit[] = [];
    for (let i = 0; i < 2 + s.chance.int(2); i++)
      branches.push(
        await s.patched.forge({
          domainHex: controlHex,
          from: { seq, prev },
          entries: [{ control: { kind: 'fold' }, ...headsOf(s) }],
        }),
      );
    for (const peer of s.patched.peers()) s.patched.live(s.chance.pick(branches), peer);
    await s.patched.keep(s.chance.pick(branches));
  },
  'fork far back': (s) => fork(s, 'chat', 0),
  'replays what it heard': (s) => {
    for (let i = 0; i < 5 && s.patched.heard.length > 0; i++) s.patched.sayRaw(s.chance.pick(s.patched.heard), 'all');
  },
  'oversized and empty frames': (s) => {
    s.patched.sayRaw(s.chance.bytes(s.chance.pick([0, 1, 3, 14_999, 15_000])), 'all');
  },
  'lying beacon': (s) => {
    const domains = [...s.patched.engine.core.state.access.domains.values()].map((domain) => ({
      domainId: domain.id,
      root: s.chance.bytes(32),
      count: s.chance.pick([0, 3, 2 ** 40]),
    }));
    domains.sort((a, b) => (toHex(a.domainId) < toHex(b.domainId) ? -1 : 1));
    s.patched.say(frameTypes.beacon, encodeBeacon({ domains, serve: true, hidden: false }), 'all');
  },
  'claims for everything': (s) => {
    const requester = somebody(s);
    if (requester === null) return;
    const claim = {
      reqId: s.chance.bytes(16),
      requester: requester.device,
      coverage: 255,
      entries: 10_000,
      bytesEstimate: 1e6,
      load: 0,
    };
    s.patched.say(frameTypes.syncClaim, encodeSyncClaim(claim), 'all');
  },
  'request that knows everything': (s) => request(s, { count: 2 ** 47, head: 8 }),
  'request that knows nobody': (s) => request(s, { count: 1 + s.chance.int(5), head: 8 }),
  'grant that nobody claimed': (s) => {
    const peer = somebody(s);
    if (peer === null) return;
    const grant = { reqId: s.chance.bytes(16), claimer: peer.device, transfer: 0x10000, ranges: null, floors: [] };
    s.patched.say(frameTypes.syncGrant, encodeSyncGrant(grant), peer);
    s.patched.sayRaw(encodeFragment({ transfer: 0x10000, index: 0, total: 1, bytes: s.chance.bytes(500) }), [
      peer.address,
    ]);
    s.patched.say(
      frameTypes.syncDone,
      encodeSyncDone({ reqId: s.chance.bytes(16), transfer: 0x10000, packs: 0, entries: 0, complete: true, roots: [] }),
      peer,
    );
  },
  'lying resume': (s) => {
    const peer = somebody(s);
    if (peer === null) return;
    const [domain] = s.patched.engine.core.state.access.domains.values();
    const heads =
      domain === undefined || s.chance.is(0.5)
        ? []
        : [
            {
              domainId: domain.id,
              seq: 50,
              entryId: s.chance.bytes(32),
              sig: s.chance.bytes(64),
              boot: s.chance.bytes(8),
            },
          ];
    s.patched.say(
      frameTypes.resume,
      encodeResume({ device: peer.device, session: s.chance.is(0.5) ? peer.session : s.chance.bytes(16), heads }),
      peer,
    );
  },
  'lying ack': (s) => {
    const peer = somebody(s);
    const [domain] = s.patched.engine.core.state.access.domains.values();
    if (peer === null || domain === undefined) return;
    const heads = [{ domainId: domain.id, author: peer.device, seq: s.chance.int(5), headId: s.chance.bytes(32) }];
    s.patched.say(frameTypes.ack, encodeAck({ heads, transfers: [0x10000, 1] }), peer);
  },
  'unknown frame types': (s) => {
    s.patched.sayRaw(Uint8Array.of(s.chance.int(8), s.chance.int(256), 1, 0, ...s.chance.bytes(60)), 'all');
  },
};

/** What a patched client does for as long as it runs, one of these per run. */
export const habits: Readonly<Record<string, (patched: Patched, chance: Chance) => void>> = {
  none: () => undefined,
  'serves nothing': (patched) => {
    patched.tamper = (frame) => (isServing(frame) ? [] : [frame]);
  },
  'loses half': (patched, chance) => {
    patched.tamper = (frame) => (isServing(frame) && chance.is(0.5) ? [] : [frame]);
  },
  'turns bits': (patched, chance) => {
    patched.tamper = (frame) => (chance.is(0.2) ? [flipBit(frame, chance.int(frame.length * 8))] : [frame]);
  },
  'sends everything twice': (patched) => {
    patched.tamper = (frame) => [frame, frame];
  },
  'seals junk under the names of others': (patched, chance) => {
    patched.tamper = async (frame) => [await reseal(patched, chance, frame)];
  },
};

function isServing(frame: Bytes): boolean {
  const type = frameType(frame);
  return type === frameTypes.fragment || type === frameTypes.syncDone;
}

function schemaOf(domain: string): Bytes {
  return domain === 'meta' ? metaPrefix() : schemaPrefix(simSchema);
}

function chatOp(s: CrimeScene, body: string): Op {
  const id = createRecordId(s.chance.bytes(12), s.patched.engine.core.keys.deviceId);
  return { kind: 'insert', collection: 'chat', id, fields: { body: `${body} ${String(s.chance.int(1000))}` } };
}

function plainPayload(s: CrimeScene, body: string): Bytes {
  return encodePayload({ schema: schemaPrefix(simSchema), ops: [chatOp(s, body)] });
}

function domainHexOf(s: CrimeScene, name: string): string | null {
  const { state } = s.patched.engine.core;
  return [...state.access.domains.keys()].find((key) => domainName(state, key) === name) ?? null;
}

/** Heads of control that are in nobody's way: an entry that names them is judged with everything known. */
function headsOf(s: CrimeScene): { deps: Bytes[] } {
  const { core } = s.patched.engine;
  const heads = [...core.state.control.chainsByAuthor]
    .filter(([author]) => author !== core.device)
    .flatMap(([, chain]) => chain.loaded.ids.slice(-1));
  return { deps: heads.sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1)) };
}

async function forge(
  s: CrimeScene,
  domain: string,
  entries: Parameters<Patched['forge']>[0]['entries'],
): Promise<Unit | null> {
  const domainHex = domainHexOf(s, domain);
  return domainHex === null ? null : s.patched.forge({ domainHex, entries });
}

/** Signs one forbidden entry, and spreads it as a peer would: live, and by what its own disk then serves. */
async function publish(
  s: CrimeScene,
  domain: string,
  body: Parameters<Patched['forge']>[0]['entries'][number],
): Promise<void> {
  const unit = await forge(s, domain, [body]);
  if (unit === null) return;
  s.forbid(unit);
  if (s.chance.is(0.8)) await s.patched.keep(unit);
  if (s.chance.is(0.8)) s.patched.live(unit, 'all');
}

/** Signs two or three different entries for one place, and tells each peer of one. */
async function fork(s: CrimeScene, domain: string, place?: number): Promise<void> {
  const domainHex = domainHexOf(s, domain);
  const { core } = s.patched.engine;
  if (domainHex === null) return;
  const chain = core.state.domains.get(domainHex)?.chainsByAuthor.get(core.device);
  const seq = Math.min(place ?? s.chance.int(countOf(chain) + 1), countOf(chain));
  const prev = seq === 0 ? new Uint8Array(32) : (idAt(chain, seq - 1) ?? new Uint8Array(32));
  const branches: Unit[] = [];
  for (let i = 0; i < 2 + s.chance.int(2); i++) {
    const entries = Array.from({ length: 1 + s.chance.int(3) }, () => ({ payload: forkPayload(s, domain) }));
    const unit = await s.patched.forge({ domainHex, from: { seq, prev }, entries });
    branches.push(unit);
  }
  s.log(`forks ${domain} at ${String(seq)} into ${String(branches.length)}`);
  for (const peer of s.patched.peers()) s.patched.live(s.chance.pick(branches), peer);
  await s.patched.keep(s.chance.pick(branches));
}

function forkPayload(s: CrimeScene, domain: string): Bytes {
  if (domain === 'chat') return plainPayload(s, 'forked');
  const id = s.patched.engine.core.keys.deviceId;
  const op: Op =
    domain === 'meta'
      ? {
          kind: 'update',
          collection: '$profiles',
          id: profileRecordId(id),
          fields: { name: `forked ${String(s.chance.int(99))}` },
        }
      : { kind: 'insert', collection: 'cards', id: createRecordId(s.chance.bytes(12), id), fields: { text: 'forked' } };
  return encodePayload({ schema: schemaOf(domain), ops: [op] });
}

function chainIn(s: CrimeScene, domainHex: string, author: string): Chain | undefined {
  return s.patched.engine.core.state.domains.get(domainHex)?.chainsByAuthor.get(author);
}

/** Serves a forged unit beside what peers come for, and says something true that they come for. */
async function slip(s: CrimeScene, forgery: Forgery): Promise<void> {
  const unit = await s.patched.forge(forgery);
  s.forbid(unit);
  await s.patched.slip(unit);
  const news = await forge(s, 'meta', [{ payload: forkPayload(s, 'meta') }]);
  if (news !== null) await s.patched.keep(news);
}

function somebody(s: CrimeScene): Peer | null {
  const peers = s.patched.peers();
  return peers.length === 0 ? null : s.chance.pick(peers);
}

function request(s: CrimeScene, o: { readonly count: number; readonly head: number }): void {
  const peer = somebody(s);
  const { core } = s.patched.engine;
  if (peer === null) return;
  const authors = [...core.state.access.devices.values()].map((grant) => grant.subjectId.slice(0, 16));
  const entries = (o.count > 100 ? authors : [s.chance.bytes(16), ...authors])
    .sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1))
    .map((author) => ({ author, count: o.count, head: s.chance.bytes(o.head) }));
  const domains = [...core.state.access.domains.values()]
    .map((domain) => ({
      domainId: domain.id,
      root: s.chance.bytes(32),
      count: o.count,
      entries,
      window: { after: null, upTo: null },
    }))
    .sort((a, b) => (toHex(a.domainId) < toHex(b.domainId) ? -1 : 1));
  const req = {
    reqId: s.chance.bytes(16),
    attempt: 0,
    want: 1,
    prefer: peer.device,
    exclude: [],
    controlOnly: false,
    transfer: 0x20000,
    domains,
    held: [],
  };
  s.patched.say(frameTypes.syncReq, encodeSyncReq(req), peer);
}

interface ForbiddenOps {
  readonly domain: string;
  readonly ops: readonly Op[];
  readonly schema?: Bytes;
}

const forbiddenOps: readonly ((s: CrimeScene) => ForbiddenOps | null)[] = [
  (s) => {
    const victim = somebody(s);
    const fields = { name: evil };
    return (
      victim && {
        domain: 'meta',
        ops: [{ kind: 'update', collection: '$profiles', id: profileRecordId(victim.device), fields }],
      }
    );
  },
  (s) => {
    const id = otherRecord(s, 'chat');
    return id && { domain: 'chat', ops: [{ kind: 'update', collection: 'chat', id, fields: { body: evil } }] };
  },
  (s) => {
    const id = otherRecord(s, 'chat');
    return id && { domain: 'chat', ops: [{ kind: 'delete', collection: 'chat', id }] };
  },
  (s) => {
    const victim = somebody(s);
    const id = victim && createRecordId(s.chance.bytes(12), victim.device);
    return id && { domain: 'chat', ops: [{ kind: 'insert', collection: 'chat', id, fields: { body: evil } }] };
  },
  () => ({
    domain: 'meta',
    ops: [{ kind: 'update', collection: '$room', id: new Uint8Array(28), fields: { title: evil } }],
  }),
  (s) => {
    const id = createRecordId(s.chance.bytes(12), s.patched.engine.core.keys.deviceId);
    return {
      domain: 'meta',
      ops: [{ kind: 'insert', collection: '$roles', id, fields: { name: evil, rank: 1, perms: 127, write: 'all' } }],
    };
  },
  (s) => {
    const id = createRecordId(s.chance.bytes(12), s.patched.engine.core.keys.deviceId);
    return {
      domain: 'meta',
      ops: [
        { kind: 'insert', collection: '$domains', id, fields: { name: 'aaa', domain: domainHexOf(s, 'main') ?? '' } },
      ],
    };
  },
  (s) => {
    if (s.mayDraw) return null;
    const id = createRecordId(s.chance.bytes(12), s.patched.engine.core.keys.deviceId);
    return { domain: 'main', ops: [{ kind: 'insert', collection: 'cards', id, fields: { text: evil } }] };
  },
  (s) => {
    const id = createRecordId(s.chance.bytes(12), s.patched.engine.core.keys.deviceId);
    const collection = s.chance.pick(['nowhere', 'cards', '$profiles']);
    return { domain: 'chat', ops: [{ kind: 'insert', collection, id, fields: { body: evil } }] };
  },
  (s) => {
    const id = createRecordId(s.chance.bytes(12), s.patched.engine.core.keys.deviceId);
    return {
      domain: 'chat',
      ops: [chatOp(s, evil), { kind: 'insert', collection: 'chat', id, fields: { body: 7, more: evil } }],
    };
  },
  (s) => ({
    domain: 'chat',
    ops: [
      { kind: 'increment', collection: 'chat', id: otherRecord(s, 'chat') ?? new Uint8Array(28), field: 'body', by: 5 },
    ],
  }),
];

/** A record of a collection that somebody else has made. */
function otherRecord(s: CrimeScene, collection: string): Bytes | null {
  const { core } = s.patched.engine;
  const mine = toHex(core.keys.deviceId).slice(0, 32);
  const others = [...core.state.records.entries(collection)].filter(([, record]) => record.creatorPrefix !== mine);
  const [id] = others.length === 0 ? [undefined] : s.chance.pick(others);
  return id === undefined ? null : Uint8Array.from(Buffer.from(id, 'base64url'));
}

type Control = NonNullable<Parameters<Patched['forge']>[0]['entries'][number]['control']>;

const forbiddenControl: readonly ((s: CrimeScene) => Control)[] = [
  (s) => grantTo(s, { rank: 0, perms: 127 }),
  (s) => grantTo(s, { rank: 21, perms: 127 }),
  (s) => grantTo(s, { rank: 50, perms: 1 }),
  (s) => ({ kind: 'domain', scope: new Uint8Array(32), isMeta: s.chance.is(0.5), nonce: s.chance.bytes(16) }),
  (s) => {
    const invites = [...s.patched.engine.core.state.access.invites.values()];
    const target =
      invites.length === 0 ? s.chance.bytes(32) : Uint8Array.from(Buffer.from(s.chance.pick(invites).id, 'hex'));
    return { kind: 'revoke', targetKind: 3, target, cascade: false };
  },
  (s) => ({ kind: 'epoch', scope: new Uint8Array(32), kid: s.chance.bytes(32), gen: 77, parents: [], links: [] }),
  (s) => ({ kind: 'wrap', kid: s.chance.bytes(32), epk: s.chance.bytes(32), recipients: [] }),
  (s) => ({
    kind: 'invite',
    invitePub: s.chance.bytes(32),
    rank: 1,
    perms: 127,
    scope: new Uint8Array(32),
    write: null,
    maxUses: 9,
    expiryMs: 2 ** 47,
    approval: false,
    anyAdmitter: true,
    admitters: [],
  }),
];

function grantTo(s: CrimeScene, o: { rank: number; perms: number }): Control {
  return {
    kind: 'grant',
    subject: s.patched.engine.core.keys.deviceId,
    x25519: s.patched.engine.core.keys.x25519,
    bind: s.chance.bytes(64),
    member: new Uint8Array(0),
    scope: new Uint8Array(32),
    ...o,
    depth: 0,
    write: null,
    via: null,
    wraps: [],
  };
}

/**
 * A pack on its way, replaced by one that names the same author, run and signature and holds something else, sealed and
 * signed by this member: with other payloads, or with payloads left out and their true commitments in place.
 */
async function reseal(patched: Patched, chance: Chance, frame: Bytes): Promise<Bytes> {
  const fragment = frameType(frame) === frameTypes.fragment ? decodeFragment(frame) : null;
  const pack = fragment?.ok === true && fragment.value.total === 1 ? decodePack(fragment.value.bytes) : null;
  const { core } = patched.engine;
  const prk = pack?.ok === true ? core.state.prks.get(toHex(pack.value.sealKid)) : undefined;
  if (fragment?.ok !== true || pack?.ok !== true || prk === undefined) return frame;
  const key = { prk, roomId: core.roomId, random32: chance.bytes(32) };
  const opened = openPack(pack.value, key);
  const { stored, rawLength } = opened.ok ? opened.value : { stored: frame, rawLength: 0 };
  const columns = pack.value.deflated ? await nodeDeflate.inflate(stored, rawLength) : stored;
  const bodies = columns === null || !opened.ok ? null : decodeBody(columns, pack.value.count);
  if (bodies?.ok !== true) return frame;
  const isStripped = chance.is(0.5);
  const { domainId, author, fromSeq } = pack.value;
  const junk = bodies.value.map((body, i) => {
    if (!isStripped || body.payload === null) return { ...body, payload: utf8Bytes(evil), commit: null };
    const epoch = toHex(domainId) === controlHex ? null : (core.state.prks.get(toHex(body.kid)) ?? null);
    return {
      ...body,
      payload: null,
      commit: commitment(commitKey(epoch, domainId, author), fromSeq + i, body.payload),
    };
  });
  const body = encodeBody(junk);
  const sealed = sealPack(
    { ...pack.value, deflated: false, sealer: core.keys.deviceId },
    { columns: body, stored: body },
    key,
  );
  const signature = await core.ports.vault.sign(core.keys, packSealMessage(core.roomId, sealed));
  return encodeFragment({ ...fragment.value, bytes: withSealSignature(sealed, signature) });
}
