import { createBoundedMap } from './bounded.js';

/** First ask to an address that has not shown itself; doubled for each further one. */
export const firstAskMs = 1000;
/** Longest pause between two asks. */
const maxAskMs = 64_000;
/** Asks to an address of which only a HELLO, perhaps an old recording, has told; then it is left alone until it speaks. */
export const maxAsks = 5;
/** Addresses waited for at a time. */
const maxAsked = 512;

/** Whom to send a HELLO again: an answer may have been lost on the way. */
export interface Asks {
  /** Somebody is at this address but not yet here. */
  readonly expect: (address: string, now: number) => void;
  /** The transport says that somebody is at this address, or nobody any more. Who is there is asked until it answers. */
  readonly setPresent: (address: string, isPresent: boolean) => void;
  readonly settle: (address: string) => void;
  /** Addresses to ask now, and those given up. */
  readonly due: (now: number) => { readonly ask: readonly string[]; readonly giveUp: readonly string[] };
  readonly nextAt: () => number | null;
}

interface Ask {
  readonly tries: number;
  readonly at: number;
}

/** Nobody is waited for. */
export function createAsks(): Asks {
  const waiting = createBoundedMap<Ask>(maxAsked);
  const present = createBoundedMap<true>(maxAsked);
  return {
    expect: (address, now) => {
      if (waiting.get(address) === undefined) waiting.set(address, { tries: 0, at: now + firstAskMs });
    },
    setPresent: (address, isPresent) => {
      if (isPresent) present.set(address, true);
      else present.delete(address);
    },
    settle: (address) => waiting.delete(address),
    due: (now) => {
      const ask: string[] = [];
      const giveUp: string[] = [];
      for (const [address, { tries, at }] of [...waiting.entries()]) {
        if (at > now) continue;
        if (tries >= maxAsks && present.get(address) === undefined) {
          waiting.delete(address);
          giveUp.push(address);
        } else {
          const next = now + Math.min(maxAskMs, firstAskMs * 2 ** (tries + 1));
          waiting.set(address, { tries: tries + 1, at: next });
          ask.push(address);
        }
      }
      return { ask, giveUp };
    },
    nextAt: () => {
      let next: number | null = null;
      for (const [, { at }] of waiting.entries()) next = next === null ? at : Math.min(next, at);
      return next;
    },
  };
}
