import { equalBytes, toHex, type Bytes } from '../../../src/core/base/index.js';
import { encodeValue } from '../../../src/core/codec/index.js';
import { kidOf, sha256 } from '../../../src/core/crypto/index.js';
import { bindMessage } from '../../../src/core/identity/index.js';
import { inviteKeys, joinAnswerMessage, joinAskMessage, type InviteKeys } from '../../../src/core/invite/index.js';
import {
  decodeJoinAnswer,
  openJoinAnswer,
  sealJoinAsk,
  type JoinAnswer,
  type JoinStatus,
} from '../../../src/core/wire/index.js';
import type { JoinStep, ProfileData } from '../../../src/bridge/index.js';
import { callError, givenUp, type CallError } from '../call-error.js';
import { countFault, myGrant, setKey, type RoomCore } from './core.js';
import type { NetLink } from './net/link.js';
import type { RoomEngine } from './room.js';

/** How often a request is repeated while nobody answers. */
const askEveryMs = 2_000;
/** Requests to which an answer may still come; every answer is tried on each. */
const maxAsks = 32;
/** Answers that are kept, each of another address: who else has the link can make up any number. */
const maxAnswers = 8;
/** A refusal counts only after this time: anybody with the link can send one, and a better answer may be on its way. */
const refusalWaitMs = 1_500;
/** The first full catch-up may take long; the join ends when it is done, or no source is left for this long. */
const checkEveryMs = 100;
const zeros32 = new Uint8Array(32);

/** What a joiner knows before it is one. */
export interface JoinRequest {
  readonly secret: Bytes;
  /** 16 bytes, kept over reloads: same request and device, same answer (X9). */
  readonly requestId: Bytes;
  readonly profile: ProfileData;
  readonly onStep: (step: JoinStep, progress: number) => void;
}

/** Who is busy may answer the next time. */
const refusals: Readonly<Record<Exclude<JoinStatus, 'granted' | 'busy'>, string>> = {
  expired: 'invite/expired',
  used: 'invite/used',
  revoked: 'invite/revoked',
  declined: 'access/forbidden',
};

/**
 * The joiner's side (X9): asks on every network until somebody answers, fetches and verifies control with the key of the
 * answer, and is done when its own grant has effect and everything was fetched once. Rejects with a CallError.
 */
export function runJoin(
  engine: RoomEngine,
  request: JoinRequest,
): { readonly done: Promise<void>; readonly cancel: () => void } {
  const { core, net } = engine;
  const keys = inviteKeys({ roomId: core.roomId, secret: request.secret });
  const asks = new Map<string, Bytes>();
  const failed = (error: unknown): void => core.ports.report?.(error);
  const timers = new Set<() => void>();
  let finish: (error: CallError | null) => void = () => undefined;
  const answers = new Map<string, Granted>();
  // Two admitters may have answered at once, and somebody who only says so: which grant counts is for control to say.
  const isIn = (): boolean => myGrant(core)?.via?.requestId === toHex(request.requestId);
  let refusal: (() => void) | null = null;

  const later = (ms: number, run: () => void): (() => void) => {
    const cancel = core.ports.time.after(ms, () => {
      timers.delete(cancel);
      run();
    });
    timers.add(cancel);
    return cancel;
  };
  const ask = async (netLink: NetLink): Promise<void> => {
    if (isIn()) return;
    const frame = await buildAsk(core, { netLink, keys, request });
    asks.set(toHex(sha256(frame)), frame);
    for (const oldest of asks.keys()) {
      if (asks.size <= maxAsks) break;
      asks.delete(oldest);
    }
    netLink.sendClear(frame, 'all', 'ctl');
    if (answers.size === 0) request.onStep('waiting-for-host', 0);
  };
  const askAgain = (): void => {
    for (const netLink of net.links()) ask(netLink).catch(failed);
    later(askEveryMs, askAgain);
  };
  const onAnswer = async (frame: Bytes, address: string): Promise<void> => {
    if (isIn()) return;
    const answer = await readAnswer(core, { frame, asks, keys });
    if (answer === null) return countFault(core, 'join/bad-proof');
    const { status } = answer.answer;
    if (status === 'busy') return;
    if (status !== 'granted') {
      refusal ??= later(refusalWaitMs, () => {
        refusal = null;
        if (answers.size === 0) finish(callError(refusals[status], 'a member has refused the request'));
      });
      return;
    }
    const before = core.joinKids;
    answers.delete(address);
    answers.set(address, { ...answer.answer, admitter: answer.admitter });
    // Which one goes is left to chance, so that nobody pushes out another's by coming late, or early.
    const [chance = 0] = core.ports.random.bytes(1);
    if (answers.size > maxAnswers) answers.delete([...answers.keys()][chance % answers.size] ?? '');
    useAnswers(core, [...answers.values()].reverse());
    if (core.joinKids.every((kid) => before.some((one) => equalBytes(one, kid)))) return;
    if (before.length === 0) request.onStep('loading', 0);
    for (const netLink of net.links()) netLink.sendHello('all', new Uint8Array(16), null);
    net.look(); // those who are here already do not come again
  };
  const look = (): void => {
    if (!isIn()) return;
    const { network, progress } = net.info();
    request.onStep('loading', progress);
    if (network === 'up-to-date' || net.hasCaughtUp()) finish(null);
  };
  const check = (): void => {
    later(checkEveryMs, check);
    look();
  };
  const done = new Promise<void>((resolve, reject) => {
    finish = (error) => {
      for (const cancel of timers) cancel();
      net.onJoinAnswer = net.onLinkUp = net.onFetch = null;
      if (error === null) resolve();
      else reject(error);
    };
  });
  net.onJoinAnswer = async ({ link }, frame, from) => onAnswer(frame, `${link.type}/${from}`);
  net.onLinkUp = (netLink) => {
    ask(netLink).catch(failed);
  };
  net.onFetch = look;
  askAgain();
  check();
  return {
    done,
    cancel: () => {
      finish(givenUp());
    },
  };
}

type Granted = Extract<JoinAnswer, { status: 'granted' }> & { readonly admitter: Bytes };

/** The keys of these answers, the newest first, are held, and no others that only an answer named and nothing lies under. */
function useAnswers(core: RoomCore, answers: readonly Granted[]): void {
  for (const kid of core.joinKids.map(toHex)) {
    if (core.state.access.kids.has(kid) || core.keptKids.has(kid)) continue;
    core.epochKeys.delete(kid);
    core.state.prks.delete(kid);
  }
  for (const { kid, key } of answers) setKey(core, toHex(kid), key);
  core.joinKids = [...new Map(answers.map(({ kid }) => [toHex(kid), kid])).values()];
  core.admitters = answers.map(({ admitter }) => admitter);
}

async function buildAsk(
  core: RoomCore,
  o: { readonly netLink: NetLink; readonly keys: InviteKeys; readonly request: JoinRequest },
): Promise<Bytes> {
  const { deviceId: device, x25519 } = core.keys;
  const { requestId } = o.request;
  const { inviteId, psk, seed } = o.keys;
  const joinerNonce = core.ports.random.bytes(32);
  const { type: transportType, self: address } = o.netLink.link;
  const message = joinAskMessage({
    roomId: core.roomId,
    inviteId,
    requestId,
    device,
    x25519,
    joinerNonce,
    transportType,
    address,
  });
  const ask = {
    requestId,
    device,
    x25519,
    bind: await core.ports.vault.sign(core.keys, bindMessage(core.roomId, x25519)),
    joinerNonce,
    profile: encodeValue([o.request.profile.name, o.request.profile.color]),
    inviteSig: await (await core.ports.vault.signerOfSeed(seed)).sign(message),
    deviceSig: await core.ports.vault.sign(core.keys, message),
  };
  return sealJoinAsk({ roomId: core.roomId, inviteId, psk }, ask, core.ports.random.bytes(32));
}

/** An answer to one of my requests, or null: whatever does not verify is dropped and the next one tried. */
async function readAnswer(
  core: RoomCore,
  o: { readonly frame: Bytes; readonly asks: ReadonlyMap<string, Bytes>; readonly keys: InviteKeys },
): Promise<{ readonly answer: JoinAnswer; readonly admitter: Bytes } | null> {
  const sealed = decodeJoinAnswer(o.frame);
  if (!sealed.ok) return null;
  const { ephemeral, admitter, unsigned, sig } = sealed.value;
  const shared = await core.ports.vault.agree(core.keys, ephemeral);
  if (shared === null) return null;
  for (const ask of o.asks.values()) {
    const askHash = sha256(ask);
    const opened = openJoinAnswer(sealed.value, { roomId: core.roomId, askHash, psk: o.keys.psk, shared });
    if (!opened.ok) continue;
    const [isGood] = await core.ports.vault.verify([
      { publicKey: admitter, message: joinAnswerMessage({ roomId: core.roomId, askHash, unsigned }), signature: sig },
    ]);
    const answer = opened.value;
    const isKeyRight = answer.status !== 'granted' || equalBytes(kidOf(core.roomId, zeros32, answer.key), answer.kid);
    return isGood === true && isKeyRight ? { answer, admitter } : null;
  }
  return null;
}
