import type { Result } from '../base/index.js';
import { concatBytes, equalBytes, fail, ok, toHex } from '../base/index.js';
import type { Hello } from '../wire/index.js';
import type { Peer, SessionAction } from './peer.js';
import type { LinkState, PeerRecord } from './state.js';
import { dropCandidates, dropContenders, peerByDevice, sessionKey } from './state.js';

/** Where and when a HELLO came. */
export interface Arrival {
  readonly from: string;
  readonly now: number;
}

/** The capability under which an answer says how far the sender's counter is (X4). */
const nextCtrCap = 'c';
/** The old and the new session of one that reconnects. */
const maxCandidatesPerAddress = 2;

/** Asks for an answer, with the next time of mine. */
export function askHello(state: LinkState, to: readonly string[] | 'all', now: number): SessionAction {
  return { do: 'send-hello', to, echo: new Uint8Array(16), device: null, hlcMs: nextSentMs(state, now) };
}

/** The answer to a HELLO of this session, with the next time of mine. */
export function answerHello(
  state: LinkState,
  { session, device }: Pick<Hello, 'session' | 'device'>,
  { from, now }: Arrival,
): SessionAction {
  return { do: 'send-hello', to: [from], echo: session, device, hlcMs: nextSentMs(state, now) };
}

function nextSentMs(state: LinkState, now: number): number {
  state.sentMs = Math.max(state.sentMs + 1, now);
  return state.sentMs;
}

/** What can be refused before the signature is checked. */
export function judgeHello(state: LinkState, hello: Hello, from: string): Result<null> {
  if (!equalBytes(hello.roomTag, state.own.roomTag)) return fail('hello/wrong-room');
  if (equalBytes(hello.device, state.own.device)) return fail('frame/misdirected');
  const key = sessionKey(hello);
  const known = peerByDevice(state, hello.device)?.peer;
  if (known !== undefined && sessionKey(known) === key) {
    if (known.address !== from) return fail('hello/wrong-address');
    const isSame = equalBytes(known.stream, hello.stream) && equalBytes(known.boot, hello.boot);
    if (!isSame) return fail('hello/malformed');
    return hello.hlcMs > known.hlcMs ? ok(null) : fail('frame/replayed');
  }
  const newest = state.candidates.get(key)?.hlcMs ?? state.past.get(key) ?? -1;
  return hello.hlcMs > newest ? ok(null) : fail('frame/replayed');
}

/** A HELLO that judgeHello let pass and whose signature is good. */
export function takeHello(state: LinkState, hello: Hello, arrival: Arrival): SessionAction[] {
  const record = state.peers.get(arrival.from);
  if (record !== undefined && sessionKey(record.peer) === sessionKey(hello))
    return renew(state, record, hello, arrival);
  if (!equalBytes(hello.echo, state.own.session)) return greet(state, hello, arrival);
  const rivals = rivalsOf(state, hello, arrival.from);
  // A device's own time orders its sessions; where it does not, or devices differ, the place is asked who is there.
  const isClear =
    rivals.every(({ peer }) => equalBytes(peer.device, hello.device) && hello.hlcMs > peer.hlcMs) &&
    !hasNewerCandidate(state, hello);
  const isProven = state.candidates.get(sessionKey(hello))?.isContender === true;
  return isClear || isProven ? promote(state, hello, arrival) : contend(state, hello, arrival);
}

/** A later HELLO of another session of the device was here before: this may be one that was long on its way. */
function hasNewerCandidate(state: LinkState, hello: Hello): boolean {
  const key = sessionKey(hello);
  return [...state.candidates.entries()].some(
    ([other, { device, hlcMs }]) => other !== key && equalBytes(device, hello.device) && hlcMs > hello.hlcMs,
  );
}

/** Who would have to go: the one at this address, and this device under another session. */
function rivalsOf(state: LinkState, hello: Hello, from: string): PeerRecord[] {
  const rivals = new Set([state.peers.get(from), peerByDevice(state, hello.device)]);
  return [...rivals].filter((record) => record !== undefined);
}

/** A further HELLO of a peer that is here: newer facts, and an answer when it evidently lacks one. */
function renew(state: LinkState, record: PeerRecord, hello: Hello, arrival: Arrival): SessionAction[] {
  const before = record.peer.kidTags;
  record.peer = peerFrom(hello, arrival);
  const actions: SessionAction[] = [];
  if (equalBytes(hello.echo, state.own.session)) {
    dropContenders(state, record.peer);
    state.asks.settle(arrival.from);
  } else {
    actions.push(answerHello(state, hello, arrival));
    actions.push({ do: 'peer-asks', peer: record.peer });
  }
  const isSame =
    before.length === hello.kidTags.length && equalBytes(concatBytes(...before), concatBytes(...hello.kidTags));
  if (!isSame) actions.push({ do: 'peer-changed', peer: record.peer });
  return actions;
}

/** A HELLO that does not prove to be of now: answered, remembered within bounds, and nothing more. */
function greet(state: LinkState, hello: Hello, arrival: Arrival): SessionAction[] {
  const { from, now } = arrival;
  remember(state, hello, { from, isContender: state.candidates.get(sessionKey(hello))?.isContender === true });
  state.asks.expect(from, now);
  return [answerHello(state, hello, arrival)];
}

/**
 * A HELLO that echoes me, in a place that another holds: a late one of an older session looks the same. The place is
 * asked; whoever is there now answers with a newer one.
 */
function contend(state: LinkState, hello: Hello, arrival: Arrival): SessionAction[] {
  const { from, now } = arrival;
  const isAnswered = state.candidates.get(sessionKey(hello)) !== undefined;
  remember(state, hello, { from, isContender: true });
  state.asks.expect(from, now);
  const answer = isAnswered ? [] : [answerHello(state, hello, arrival)];
  return [...answer, askHello(state, [from], now)];
}

function remember(state: LinkState, hello: Hello, o: { readonly from: string; readonly isContender: boolean }): void {
  const key = sessionKey(hello);
  if (state.candidates.get(key) === undefined) dropCandidates(state, o.from, maxCandidatesPerAddress - 1);
  const { device, hlcMs } = hello;
  state.candidates.set(key, { address: o.from, device, hlcMs, isContender: o.isContender });
}

/** The sender is here, and whoever it replaces is not. It is answered first: what I send next needs me to be here too. */
function promote(state: LinkState, hello: Hello, arrival: Arrival): SessionAction[] {
  const { from } = arrival;
  const actions: SessionAction[] = [];
  const key = sessionKey(hello);
  if (state.candidates.get(key) === undefined) actions.push(answerHello(state, hello, arrival));
  for (const record of rivalsOf(state, hello, from)) actions.push(remove(state, record, 'replaced'));
  dropCandidates(state, from, 0);
  state.candidates.delete(key);
  state.past.delete(key);
  state.asks.settle(from);
  const peer = peerFrom(hello, arrival);
  const lastCtr = state.counters.get(counterKey(peer)) ?? -1;
  state.peers.set(from, { peer, lastCtr, nextCtr: nextCtrOf(hello) });
  state.addresses.set(toHex(hello.device), from);
  actions.push({ do: 'peer-here', peer });
  return actions;
}

/** What it says the counter of its next frame is: of now, because it echoes me. Frames from before would be replays. */
function nextCtrOf({ caps }: Hello): number {
  const next = Object.hasOwn(caps, nextCtrCap) ? caps[nextCtrCap] : 0;
  return typeof next === 'number' && Number.isSafeInteger(next) ? next : 0;
}

/** The transport says that nobody is at this address any more. */
export function leave(state: LinkState, address: string): SessionAction[] {
  dropCandidates(state, address, 0);
  state.asks.setPresent(address, false);
  state.asks.settle(address);
  const record = state.peers.get(address);
  return record === undefined ? [] : [remove(state, record, 'left')];
}

function remove(state: LinkState, { peer, lastCtr }: PeerRecord, because: 'left' | 'replaced'): SessionAction {
  if (lastCtr >= 0) state.counters.set(counterKey(peer), lastCtr);
  state.peers.delete(peer.address);
  state.addresses.delete(toHex(peer.device));
  state.past.set(sessionKey(peer), peer.hlcMs);
  return { do: 'peer-gone', peer, because };
}

function peerFrom(hello: Hello, { from, now }: Arrival): Peer {
  const { device, session, boot, stream, kidTags, caps, sum, hlcMs } = hello;
  return { address: from, device, session, boot, stream, kidTags, caps, sum, hlcMs, offsetMs: hlcMs - now };
}

function counterKey({ device, stream }: Peer): string {
  return toHex(device) + toHex(stream);
}
