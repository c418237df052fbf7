import type { Bytes, Result } from '../base/index.js';
import { equalBytes, fail, ok } from '../base/index.js';
import type { Hello } from '../wire/index.js';
import { answerHello, askHello, judgeHello, leave, takeHello } from './arrival.js';
import { createAsks } from './asks.js';
import type { Peer, SessionAction } from './peer.js';
import type { LinkState, OwnSession, PeerRecord } from './state.js';
import { createLinkState, dropCandidates, peerByDevice } from './state.js';

/** Who is on one link now. One per start of the link: after every reconnect a new one with a new session. `now` is the local clock in ms. */
export interface LinkSessions {
  /** My broadcast when the link comes up. */
  readonly start: (now: number) => readonly SessionAction[];
  /**
   * Cheap judgement before the signature is checked.
   * Codes: 'hello/wrong-room', 'hello/wrong-address', 'hello/malformed', 'frame/misdirected', 'frame/replayed'.
   */
  readonly judge: (hello: Hello, from: string) => Result<null>;
  /**
   * A HELLO and the verdict over its signature, which was checked with `from` as the address.
   * Codes: those of judge, 'hello/bad-signature'.
   */
  readonly hello: (
    hello: Hello,
    from: string,
    o: { readonly verified: boolean; readonly now: number },
  ) => Result<readonly SessionAction[]>;
  /** The transport says that somebody is at this address. A hint: nobody is here by it. */
  readonly addressHere: (address: string, now: number) => void;
  readonly addressGone: (address: string) => readonly SessionAction[];
  /** A frame from this address was of an unbound source: asks who is there. */
  readonly suspect: (address: string, now: number) => void;
  /** Asks again where an answer may have been lost. */
  readonly tick: (now: number) => readonly SessionAction[];
  readonly nextTickAt: () => number | null;
  /** My key tags or capabilities changed: tells every peer, without a question. */
  readonly refresh: (now: number) => readonly SessionAction[];
  readonly peerAt: (address: string) => Peer | null;
  readonly peerOf: (device: Bytes) => Peer | null;
  readonly peers: () => readonly Peer[];
  /**
   * Whose frame this would be. Changes nothing, because a header is not proof: the counter moves in countFrame.
   * Codes: 'frame/unbound-source', 'frame/replayed'.
   */
  readonly frameFrom: (address: string, place: FramePlace) => Result<Peer>;
  /** Takes the counter of a frame whose seal and signature were good. Codes as above: another may have come first. */
  readonly countFrame: (address: string, place: FramePlace) => Result<Peer>;
}

/** Where a frame says it stands. */
export interface FramePlace {
  readonly stream: Bytes;
  readonly ctr: number;
}

/** A link on which nobody is known. */
export function createLinkSessions(own: OwnSession): LinkSessions {
  const state = createLinkState(own, createAsks());
  return {
    start: (now) => [askHello(state, 'all', now)],
    judge: (hello, from) => judgeHello(state, hello, from),
    hello: (hello, from, { verified, now }) => {
      const judged = judgeHello(state, hello, from);
      if (!judged.ok) return judged;
      if (!verified) return fail('hello/bad-signature');
      return ok(takeHello(state, hello, { from, now }));
    },
    addressHere: (address, now) => {
      state.asks.setPresent(address, true);
      if (!state.peers.has(address)) state.asks.expect(address, now);
    },
    addressGone: (address) => leave(state, address),
    suspect: (address, now) => state.asks.expect(address, now),
    tick: (now) => tick(state, now),
    nextTickAt: () => state.asks.nextAt(),
    refresh: (now) =>
      [...state.peers.values()].map(({ peer }) => answerHello(state, peer, { from: peer.address, now })),
    peerAt: (address) => state.peers.get(address)?.peer ?? null,
    peerOf: (device) => peerByDevice(state, device)?.peer ?? null,
    peers: () => [...state.peers.values()].map(({ peer }) => peer),
    frameFrom: (address, place) => {
      const record = recordOf(state, address, place);
      return record.ok ? ok(record.value.peer) : record;
    },
    countFrame: (address, place) => {
      const record = recordOf(state, address, place);
      if (!record.ok) return record;
      record.value.lastCtr = place.ctr;
      return ok(record.value.peer);
    },
  };
}

function tick(state: LinkState, now: number): SessionAction[] {
  const { ask, giveUp } = state.asks.due(now);
  for (const address of giveUp) dropCandidates(state, address, 0);
  return ask.map((address) => askHello(state, [address], now));
}

function recordOf(state: LinkState, address: string, { stream, ctr }: FramePlace): Result<PeerRecord> {
  const record = state.peers.get(address);
  if (record === undefined || !equalBytes(record.peer.stream, stream)) {
    return fail('frame/unbound-source');
  }
  return ctr > record.lastCtr && ctr >= record.nextCtr ? ok(record) : fail('frame/replayed');
}
