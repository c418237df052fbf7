import type { Bytes } from '../core/base/index.js';

/** As much of a BroadcastChannel as is used here; this code is compiled without the DOM's types. */
export interface ChannelLike {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onmessageerror: (() => void) | null;
  readonly postMessage: (message: unknown) => void;
  readonly close: () => void;
}

type Listen = (type: 'pagehide' | 'pageshow', run: () => void) => void;

/** What the broadcast transport needs from the page, worker or Node it runs in: globals that not all of them have. */
interface Platform {
  readonly BroadcastChannel?: new (name: string) => ChannelLike;
  readonly crypto?: { readonly getRandomValues: (into: Bytes) => Bytes };
  readonly addEventListener?: Listen;
  readonly removeEventListener?: Listen;
}

/** The globals of this moment, so that importing this file touches none of them. */
export function findPlatform(): Platform {
  return globalThis as Platform;
}
