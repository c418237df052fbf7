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

type ChannelClass = new (name: string) => ChannelLike;
type Listen = (type: string, run: () => void) => void;

/** Looks at the globals now, so that importing this file touches none of them. */
export function findPlatform(): Platform {
  const host: object = globalThis;
  const channelClass: unknown = Reflect.get(host, 'BroadcastChannel');
  const add: unknown = Reflect.get(host, 'addEventListener');
  const remove: unknown = Reflect.get(host, 'removeEventListener');
  return {
    openChannel: (name) => (isChannelClass(channelClass) ? new channelClass(name) : null),
    randomBytes: (length) => {
      const source: unknown = Reflect.get(host, 'crypto');
      if (!hasRandomValues(source))
        throw new TypeError('broadcastChannel: this platform has no crypto.getRandomValues');
      return source.getRandomValues(new Uint8Array(length));
    },
    onPageTurn: ({ hide, show }) => {
      if (!isListen(add) || !isListen(remove)) return () => undefined;
      Reflect.apply(add, host, ['pagehide', hide]);
      Reflect.apply(add, host, ['pageshow', show]);
      return () => {
        Reflect.apply(remove, host, ['pagehide', hide]);
        Reflect.apply(remove, host, ['pageshow', show]);
      };
    },
  };
}

function isChannelClass(value: unknown): value is ChannelClass {
  return typeof value === 'function';
}

function isListen(value: unknown): value is Listen {
  return typeof value === 'function';
}

function hasRandomValues(value: unknown): value is { readonly getRandomValues: (into: Bytes) => Bytes } {
  return typeof value === 'object' && value !== null && 'getRandomValues' in value;
}
