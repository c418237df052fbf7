import { expect, test } from 'vitest';
import { compareBytes, toBase64Url, toHex, type Bytes } from '../../src/core/base/index.js';
import { encodeValue } from '../../src/core/codec/index.js';
import { sha256 } from '../../src/core/crypto/index.js';
import { bindMessage, createRecordId } from '../../src/core/identity/index.js';
import { inviteKeys, joinAskMessage, type InviteKeys } from '../../src/core/invite/index.js';
import { decodeJoinAnswer, openJoinAnswer, sealJoinAsk } from '../../src/core/wire/index.js';
import { writeMeta } from './create.js';
import { writeControl } from './room/author.js';
import type { RoomCore } from './room/core.js';
import { createAdmitter } from './room/net/admit-joiner.js';
import {
  act,
  addLooseEpochs,
  copyAll,
  forgeControl,
  foundCore,
  give,
  grantFor,
  linkTo,
  memberCore,
  strangerCore,
} from './core.kit.js';

const zeros32 = new Uint8Array(32);
const nextRanks = { rank: 20, perms: 7 };

interface Link extends InviteKeys {
  readonly id: Bytes;
}

/** An invite by `core`, for anybody of INVITE to admit by. */
async function inviteBy(
  core: RoomCore,
  o: { rank?: number; perms?: number; expiresInMs?: number; write?: readonly Bytes[]; publicKeyOf?: InviteKeys } = {},
): Promise<Link> {
  const keys = inviteKeys({ roomId: core.roomId, secret: core.ports.random.bytes(16) });
  const { publicKey: invitePub } = await core.ports.vault.signerOfSeed((o.publicKeyOf ?? keys).seed);
  const { rank, perms, expiresInMs, write } = { ...nextRanks, expiresInMs: 600_000, write: null, ...o };
  const unit = await act(core, (step) =>
    writeControl(core, step, {
      kind: 'invite',
      invitePub,
      rank,
      perms,
      scope: zeros32,
      write,
      maxUses: 10,
      expiryMs: core.ports.time.now() + expiresInMs,
      approval: false,
      anyAdmitter: true,
      admitters: [],
    }),
  );
  return { ...keys, id: unit.entries[0]?.id ?? zeros32 };
}

/** Members share what an admitter needs of an invite. */
async function publish(core: RoomCore, link: Link): Promise<void> {
  const id = createRecordId(core.ports.random.bytes(12), core.keys.deviceId);
  const fields = { invite: toHex(link.id), inviteId: toBase64Url(link.inviteId), psk: toBase64Url(link.psk) };
  await act(core, (step) => writeMeta(core, step, [{ kind: 'insert', collection: '$invites', id, fields }]));
}

async function askOf(joiner: RoomCore, link: Link): Promise<Bytes> {
  const { roomId, keys, ports } = joiner;
  const { deviceId: device, x25519 } = keys;
  const [requestId, joinerNonce] = [ports.random.bytes(16), ports.random.bytes(32)];
  const place = { transportType: 'memory', address: 'j' };
  const said = { roomId, inviteId: link.inviteId, requestId, device, x25519, joinerNonce, ...place };
  const message = joinAskMessage(said);
  const ask = {
    requestId,
    device,
    x25519,
    bind: await ports.vault.sign(keys, bindMessage(roomId, x25519)),
    joinerNonce,
    profile: encodeValue(['Eve', null]),
    inviteSig: await (await ports.vault.signerOfSeed(link.seed)).sign(message),
    deviceSig: await ports.vault.sign(keys, message),
  };
  return sealJoinAsk({ roomId, inviteId: link.inviteId, psk: link.psk }, ask, ports.random.bytes(32));
}

/** What `host` answers a newcomer with this link. */
async function answerTo(
  host: RoomCore,
  link: Link,
  newcomer?: RoomCore,
): Promise<{ readonly status: string; readonly joiner: RoomCore }> {
  const joiner = newcomer ?? (await strangerCore(host));
  const frame = await askOf(joiner, link);
  const { netLink, clear } = linkTo(host, []);
  const isCleared = (): boolean => true;
  const hereDevices = (): readonly Bytes[] => [host.keys.deviceId];
  const admitter = createAdmitter(host, { isCleared, hereDevices, sendAfter: () => undefined });
  await admitter.onAsk(netLink, frame, 'j');
  await new Promise((resolve) => setTimeout(resolve, 20));
  await act(host, () => undefined);
  const answer = decodeJoinAnswer(clear[0] ?? zeros32);
  if (!answer.ok) return { status: answer.fault.code, joiner };
  const shared = (await joiner.ports.vault.agree(joiner.keys, answer.value.ephemeral)) ?? zeros32;
  const key = { roomId: host.roomId, askHash: sha256(frame), psk: link.psk, shared };
  const opened = openJoinAnswer(answer.value, key);
  return { status: opened.ok ? opened.value.status : opened.fault.code, joiner };
}

test('[AUTH-5] an ask is answered expired when what is here is dated after the end of the invite', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  const link = await inviteBy(ada, { expiresInMs: 180_000 });
  await publish(ada, link);
  expect((await answerTo(ada, link)).status).toBe('granted');
  await copyAll(ada, bob);
  // Bob's clock is four minutes ahead, within what everybody takes.
  bob.lastHlc = { ms: ada.ports.time.now() + 240_000, ctr: 0 };
  const [given] = await give(ada, [await forgeControl(bob, { kind: 'fold' })]);
  expect(given?.outcome).toBe('admitted');
  expect((await answerTo(ada, link)).status).toBe('expired');
}, 60_000);

test('[AUTH-5] an ask by the invite of somebody whose grant has fallen is answered revoked', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada, { rank: 5, perms: 127 });
  const first = await inviteBy(ada, { rank: 10, perms: 127 });
  await copyAll(ada, bob);
  await act(ada, (step) =>
    writeControl(ada, step, { kind: 'revoke', targetKind: 3, target: first.id, cascade: false }),
  );
  const mallory = await strangerCore(ada);
  const via = { invite: first.id, use: 0, requestId: new Uint8Array(16) };
  const grant = { ...(await grantFor(bob, mallory, { rank: 10, perms: 127 })), via };
  await act(bob, (step) => writeControl(bob, step, grant));
  await copyAll(bob, mallory);
  const link = await inviteBy(mallory);
  await publish(mallory, link);
  await copyAll(mallory, bob);
  expect((await answerTo(bob, link)).status).toBe('granted');
  const late = await strangerCore(bob);
  await copyAll(ada, bob);
  expect(bob.state.access.devices.has(mallory.device)).toBe(false);
  expect((await answerTo(bob, link, late)).status).toBe('revoked');
}, 60_000);

test('[X9] what another member says opens a link is not believed: its maker alone knows', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  const link = await inviteBy(ada);
  await copyAll(ada, bob);
  await publish(bob, { ...link, psk: bob.ports.random.bytes(32) });
  await copyAll(bob, ada);
  await publish(ada, link);
  expect((await answerTo(ada, link)).status).toBe('granted');
}, 60_000);

test('[X9] a member that gives an invite of its own the id, psk and key of another’s link does not close that link', async () => {
  const ada = await foundCore();
  const bob = await memberCore(ada);
  const link = await inviteBy(ada);
  const grantOf = (joiner: RoomCore): unknown => ada.state.access.devices.get(joiner.device)?.via?.invite;
  const mine = await inviteBy(bob, { rank: 30, perms: 1, publicKeyOf: link });
  await publish(bob, { ...link, id: mine.id, psk: bob.ports.random.bytes(32) });
  await publish(bob, { ...link, id: mine.id });
  await copyAll(bob, ada);
  await publish(ada, link);
  // Whichever is read first.
  const entries = ada.state.records.entries.bind(ada.state.records);
  for (const order of [1, -1]) {
    const sorted = (name: string) => [...entries(name)].sort(([x], [y]) => (x < y ? -order : order));
    Object.assign(ada.state.records, { entries: sorted });
    const { status, joiner } = await answerTo(ada, link);
    expect([status, grantOf(joiner)]).toEqual(['granted', toHex(link.id)]);
  }
  await act(bob, (step) => writeControl(bob, step, { kind: 'revoke', targetKind: 3, target: mine.id, cascade: false }));
  await copyAll(bob, ada);
  expect((await answerTo(ada, link)).status).toBe('granted');
}, 60_000);

test('[X9] an ask that no entry can grant as things are is answered busy, and fails no step', async () => {
  const ada = await foundCore();
  const link = await inviteBy(ada);
  await publish(ada, link);
  const { access } = ada.state;
  ada.state.access = { ...access, limits: { ...access.limits, maxControl: 200 } };
  expect((await answerTo(ada, link)).status).toBe('busy');
  ada.state.access = access;
  expect((await answerTo(ada, link)).status).toBe('granted');
}, 60_000);

test('[F24] a grant by an invite with 256 domains brings as many keys as fit it, the one in use first', async () => {
  const ada = await foundCore();
  await addLooseEpochs(ada, 60);
  const write = Array.from({ length: 256 }, () => ada.ports.random.bytes(32)).sort(compareBytes);
  const link = await inviteBy(ada, { write });
  await publish(ada, link);
  const { status, joiner } = await answerTo(ada, link);
  expect(status).toBe('granted');
  const wraps = ada.state.access.devices.get(joiner.device)?.wraps.length ?? 0;
  expect(wraps).toBeGreaterThan(20);
  await copyAll(ada, joiner);
  expect(joiner.epochKeys.size).toBe(wraps);
}, 60_000);
