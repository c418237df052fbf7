import type { Bytes } from '../base/index.js';
import { equalBytes, toHex } from '../base/index.js';
import type { Asks } from './asks.js';
import type { BoundedMap } from './bounded.js';
import { createBoundedMap } from './bounded.js';
import type { Peer } from './peer.js';

/** Who I am on this link. */
export interface OwnSession {
  readonly device: Bytes;
  /** 16 fresh random bytes. */
  readonly session: Bytes;
  readonly roomTag: Bytes;
}

/** A peer and what is counted about it. */
export interface PeerRecord {
  peer: Peer;
  /** Largest counter taken; -1 before the first. */
  lastCtr: number;
  /** What its HELLO said the next one is: taken is none below. Not kept when it leaves: nobody has proved it. */
  readonly nextCtr: number;
}

/** A session that was answered and is not here: perhaps an old recording. */
export interface Candidate {
  readonly address: string;
  readonly device: Bytes;
  /** Of its newest HELLO. */
  readonly hlcMs: number;
  /** It has echoed me, but somebody else is where it would be: it has to do so once more, now that it was asked. */
  readonly isContender: boolean;
}

/** All of one link. Keys: addresses, devices in hex, and {@link sessionKey}. */
export interface LinkState {
  readonly own: OwnSession;
  readonly asks: Asks;
  readonly peers: Map<string, PeerRecord>;
  readonly addresses: Map<string, string>;
  readonly candidates: BoundedMap<Candidate>;
  /** Sessions that were here, with the time of their newest HELLO: what is not newer is a replay. */
  readonly past: BoundedMap<number>;
  /** Counters of those that left: coming back under the same stream starts nothing anew. */
  readonly counters: BoundedMap<number>;
  /** Time in my newest HELLO. */
  sentMs: number;
}

/** Strangers cost no more than this: an evicted one is answered once more and loses nothing else. */
const maxCandidates = 64;
const maxPast = 1024;

/** A link on which nobody is known. */
export function createLinkState(own: OwnSession, asks: Asks): LinkState {
  return {
    own,
    asks,
    peers: new Map(),
    addresses: new Map(),
    candidates: createBoundedMap(maxCandidates),
    past: createBoundedMap(maxPast),
    counters: createBoundedMap(maxPast),
    sentMs: 0,
  };
}

/** With the device in it: anybody can put another's session into a HELLO of its own. */
export function sessionKey({ device, session }: { readonly device: Bytes; readonly session: Bytes }): string {
  return toHex(device) + toHex(session);
}

/** The record of a device that is here. */
export function peerByDevice(state: LinkState, device: Bytes): PeerRecord | undefined {
  return state.peers.get(state.addresses.get(toHex(device)) ?? '');
}

/** Forgets the oldest candidates at an address until at most `keep` are left. */
export function dropCandidates(state: LinkState, address: string, keep: number): void {
  const here = [...state.candidates.entries()].filter(([, candidate]) => candidate.address === address);
  for (const [key] of here.slice(0, Math.max(0, here.length - keep))) state.candidates.delete(key);
}

/** Forgets those that wanted the place of a peer: it has just shown that it is there. */
export function dropContenders(state: LinkState, { address, device }: Peer): void {
  for (const [key, candidate] of [...state.candidates.entries()]) {
    const isRival = candidate.address === address || equalBytes(candidate.device, device);
    if (candidate.isContender && isRival) state.candidates.delete(key);
  }
}
