/**
 * LiveKit data packets as a transport. `livekit(call)` borrows the app's call, `livekitData` owns a data-only one and
 * heals itself. Both treat LiveKit as an unreliable bus that keeps the order of one sender while connected: one constant
 * topic, reliable packets of at most 15,000 bytes, nothing sent or kept while not connected, and a fresh `up` after each
 * interruption, however short. What is said about others is a hint, and an identity is an address, not a proof.
 * LiveKit sees room, identities, sizes and times; never content, topics or names of ours.
 */
import type { Transport } from '../index.js';
import { borrowCall } from './borrow.js';
import type { CallLike } from './call.js';
import { ownCall, type CallAddress } from './own.js';
import { shareTransport } from './share.js';

export type { CallLike } from './call.js';

/**
 * A transport over a call of the app's, a `Room` of livekit-client; borrows it: never connects or disconnects it. Hand
 * it over before or after `connect()`. It is `stalled` when the call was connected and does not come back in 20 s, or
 * does not take packets any more: connect the call again (best as a new `Room`), or give it a `reconnectPolicy` of your own.
 */
export function livekit(call: CallLike): Transport {
  must(isCall(call), 'livekit: call must be a Room of livekit-client', call);
  return shareTransport('livekit', (source) => borrowCall(call, source));
}

/**
 * A transport with a data-only connection of its own to the LiveKit server at `url` (ws: or wss:); loads livekit-client
 * when it is opened. `token` is asked for a fresh token before each try: one for this device alone, since two
 * connections under one identity evict each other. Then `error` says `transport/identity-taken` and it stays down.
 */
export function livekitData(o: { url: string; token: () => Promise<string> }): Transport {
  must(isObject(o), 'livekitData: options must be { url, token }', o);
  must(typeof o.token === 'function', 'livekitData: token must be a function', o.token);
  const isUrl = typeof o.url === 'string' && /^(wss?|https?):\/\/./.test(o.url);
  must(isUrl, 'livekitData: url must begin with ws:// or wss://', o.url);
  const address: CallAddress = { url: o.url, token: async () => o.token() };
  return shareTransport('livekit', (source) => ownCall(address, source));
}

function isCall(value: unknown): boolean {
  return isObject(value) && 'localParticipant' in value && isObject(value.localParticipant) && 'on' in value;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Says of what came its kind alone: it may be a token. */
function must(isFine: boolean, rule: string, got: unknown): void {
  if (!isFine) throw new TypeError(`${rule}, got ${got === null ? 'null' : typeof got}`);
}
