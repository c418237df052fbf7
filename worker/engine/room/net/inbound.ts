import {
  equalBytes,
  fail,
  ok,
  toHex,
  type Bytes,
  type FaultCode,
  type Result,
} from '../../../../src/core/base/index.js';
import { decodeBody, rebuildRun } from '../../../../src/core/pack/index.js';
import type { Peer } from '../../../../src/core/session/index.js';
import {
  decodeEnvelope,
  decodeHello,
  decodeLive,
  frameSignedBytes,
  helloSignedBytes,
  isSignedType,
  openEnvelope,
  splitSigned,
  type Live,
} from '../../../../src/core/wire/index.js';
import { chainKey, countOf, domainOf, idAt, type Unit } from '../../replica/index.js';
import { unitKeys, type RoomCore } from '../core.js';
import { loadPlaces } from '../hydrate.js';
import { kidOfTag, type NetLink } from './link.js';

/** A sealed frame that proved itself: opened, its signature good, its counter taken. */
export interface OpenedFrame {
  readonly type: number;
  readonly peer: Peer;
  /** The message without its signature. */
  readonly message: Bytes;
}

/** Opens a sealed frame: source → key by tag → seal → signature → counter (docs/protocol.md §Frames). Nothing is tried. */
export async function openFrame(
  core: RoomCore,
  netLink: NetLink,
  o: { readonly bytes: Bytes; readonly from: string },
): Promise<Result<OpenedFrame>> {
  const envelope = decodeEnvelope(o.bytes);
  if (!envelope.ok) return envelope;
  const { type, stream, ctr, header, kidTag } = envelope.value;
  const isReplayOff = core.ports.weaknesses?.has('replay') === true;
  const bound = netLink.sessions.frameFrom(o.from, { stream, ctr: isReplayOff ? Number.MAX_SAFE_INTEGER : ctr });
  if (!bound.ok) return bound;
  const kid = kidOfTag(core, kidTag);
  if (!kid.ok) return kid;
  const prk = core.state.prks.get(toHex(kid.value));
  if (prk === undefined) return fail('frame/unknown-key', toHex(kid.value));
  const opened = openEnvelope(envelope.value, { roomId: core.roomId, kid: kid.value, prk, sender: bound.value.device });
  if (!opened.ok) return opened;
  const message = await checkSigned(core, { type, header, body: opened.value, signer: bound.value.device });
  if (!message.ok) return message;
  if (!isReplayOff) {
    const counted = netLink.sessions.countFrame(o.from, { stream, ctr });
    if (!counted.ok) return counted;
  }
  return ok({ type, peer: bound.value, message: message.value });
}

async function checkSigned(
  core: RoomCore,
  o: { readonly type: number; readonly header: Bytes; readonly body: Bytes; readonly signer: Bytes },
): Promise<Result<Bytes>> {
  if (!isSignedType(o.type)) return ok(o.body);
  const split = splitSigned(o.body);
  if (!split.ok) return split;
  const { message, sig } = split.value;
  if (core.ports.weaknesses?.has('signature') === true) return ok(message);
  const job = {
    publicKey: o.signer,
    message: frameSignedBytes({ roomId: core.roomId, header: o.header, message }),
    signature: sig,
  };
  const [isGood] = await core.ports.vault.verify([job]);
  return isGood === true ? ok(message) : fail('frame/bad-signature');
}

/** Judges and verifies a HELLO; gives the session's actions. */
export async function openHello(
  core: RoomCore,
  netLink: NetLink,
  o: { readonly bytes: Bytes; readonly from: string },
): Promise<ReturnType<NetLink['sessions']['hello']>> {
  const decoded = decodeHello(o.bytes);
  if (!decoded.ok) return decoded;
  const { hello, unsigned, sig } = decoded.value;
  const judged = netLink.sessions.judge(hello, o.from);
  if (!judged.ok) return judged;
  const message = helloSignedBytes({
    roomId: core.roomId,
    transportType: netLink.link.type,
    address: o.from,
    unsigned,
  });
  const [verified] = await core.ports.vault.verify([{ publicKey: hello.device, message, signature: sig }]);
  return netLink.sessions.hello(hello, o.from, { verified: verified === true, now: core.ports.time.now() });
}

/** The unit of a live frame, which continues (or repeats) what is held of its sender's chain; 'entry/missing-prev' tells a gap. */
export async function unitOfLive(core: RoomCore, message: Bytes, sender: Bytes): Promise<Result<Unit>> {
  const live = decodeLive(message);
  if (!live.ok) return live;
  await loadPlaces(core, [{ ...live.value, author: sender, seq: live.value.fromSeq - 1 }]);
  const prevId = prevOf(core, live.value, sender);
  if (!prevId.ok) return prevId;
  const bodies = decodeBody(live.value.body, live.value.count);
  if (!bodies.ok) return fail('frame/malformed', bodies.fault.detail);
  if (bodies.value.some((body) => body.payload === null)) return fail('frame/malformed');
  const { domainId, fromSeq, endSig } = live.value;
  const run = { roomId: core.roomId, domainId, author: sender, fromSeq, prevId: prevId.value, endId: null };
  const entries = rebuildRun(run, bodies.value, unitKeys(core).prkOf);
  if (!entries.ok) return entries;
  return ok({ domainId, author: sender, fromSeq, prevId: prevId.value, entries: entries.value, endSig });
}

/** Whether what a live frame tells is in the set, or is nothing. */
export function isHere(core: RoomCore, message: Bytes, sender: Bytes): boolean {
  const live = decodeLive(message);
  if (!live.ok) return true;
  const { domainId, fromSeq, count } = live.value;
  const chain = domainOf(core.state, toHex(domainId))?.chainsByAuthor.get(toHex(sender));
  return countOf(chain) >= fromSeq + count;
}

const zeros32 = new Uint8Array(32);

function prevOf(core: RoomCore, live: Live, sender: Bytes): Result<Bytes> {
  const end = core.state.forks.get(chainKey(toHex(live.domainId), toHex(sender)))?.end ?? Infinity;
  if (live.fromSeq > end) return fail('entry/fork');
  if (live.fromSeq === 0) return ok(zeros32);
  const chain = domainOf(core.state, toHex(live.domainId))?.chainsByAuthor.get(toHex(sender));
  const prev = idAt(chain, live.fromSeq - 1) ?? heldPrev(core, live, sender);
  return prev === null ? fail('entry/missing-prev') : ok(prev);
}

/** The entry before may wait for something itself. */
function heldPrev(core: RoomCore, live: Live, sender: Bytes): Bytes | null {
  for (const { unit } of core.held) {
    const last = unit.entries.at(-1);
    if (last?.seq === live.fromSeq - 1 && equalBytes(unit.author, sender) && equalBytes(unit.domainId, live.domainId))
      return last.id;
  }
  return null;
}

/** Faults that say: something of the sender is missing here, ask for it. */
export function isGap(code: FaultCode): boolean {
  return (
    code === 'entry/missing-prev' ||
    code === 'entry/missing-dep' ||
    code === 'entry/missing-cap' ||
    code === 'entry/missing-schema'
  );
}
