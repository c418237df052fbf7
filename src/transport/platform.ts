import type { Bytes } from '../core/base/index.js';

/** As much of a BroadcastChannel as is used here; this code is compiled without the DOM's types. */
export interface ChannelLike {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onmessageerror: (() => void) | null;
  readonly postMessage: (message: unknown) => void;
  readonly close: () => void;
}

/** What the broadcast transport needs from the page, worker or Node it runs in. */
interface Platform {
  /** Null where there is no BroadcastChannel. */
  readonly openChannel: (name: string) => ChannelLike | null;
  readonly randomBytes: (length: number) => Bytes;
  /** The page goes out of sight for good or into the back/forward cache, and comes back. The result stops listening. */
  readonly onPageTurn: (on: { readonly hide: () => void; readonly show: () => void }) => () => void;
}

type Listen = (type: string, run: () => void) => void;

/** Looks at the globals now, so that importing this file touches none of them. */
export function findPlatform(): Platform {
  const host = globalThis as {
    readonly BroadcastChannel?: new (name: string) => ChannelLike;
    readonly crypto?: { readonly getRandomValues: (into: Bytes) => Bytes };
    readonly addEventListener?: Listen;
    readonly removeEventListener?: Listen;
  };
  return {
    openChannel: (name) => (host.BroadcastChannel === undefined ? null : new host.BroadcastChannel(name)),
    randomBytes: (length) => {
      if (host.crypto === undefined) throw new TypeError('broadcastChannel: expected a platform with crypto, got none');
      return host.crypto.getRandomValues(new Uint8Array(length));
    },
    onPageTurn: ({ hide, show }) => {
      host.addEventListener?.('pagehide', hide);
      host.addEventListener?.('pageshow', show);
      return () => {
        host.removeEventListener?.('pagehide', hide);
        host.removeEventListener?.('pageshow', show);
      };
    },
  };
}
