import { copyBytes, briefHex } from '../core/base/index.js';
import { parseBroadcastMessage, type BroadcastMessage } from './broadcast-message.js';
import { checkSend } from './check.js';
import { findPlatform, type ChannelLike } from './platform.js';
import {
  maxFrameBytes,
  TransportError,
  type OpenTransport,
  type Transport,
  type TransportEvents,
} from './transport.js';

/** Others of one channel whose presence is remembered; a script that announces more is ignored. */
const maxPeers = 1_024;

/** Bytes of a random address: enough that no two opens ever meet under one. */
const addressBytes = 16;

/**
 * Devices and tabs of one browser and origin that use the same `name`. Addresses are random per open, so two clients
 * of one page reach each other as well. Any script of the origin can speak there and claim any address.
 * Touches no global before `open`; where there is no BroadcastChannel, `error` says `transport/unavailable`.
 */
export function broadcastChannel(name: string = 'default'): Transport {
  if (typeof name !== 'string') throw new TypeError(`broadcastChannel: name must be a string, got ${typeof name}`);
  return { type: 'broadcast', open: (on) => openBroadcast(`keeproom/bus/${name}`, on) };
}

function openBroadcast(channelName: string, on: TransportEvents): OpenTransport {
  const platform = findPlatform();
  if (platform.crypto === undefined) throw new TypeError('broadcastChannel: expected a platform with crypto, got none');
  const address = briefHex(platform.crypto.getRandomValues(new Uint8Array(addressBytes)));
  const peers = new Set<string>();
  let channel: ChannelLike | null = null;
  let isClosed = false;
  let ignored = 0;

  const post = (message: BroadcastMessage): void => channel?.postMessage(message);

  const rise = (): void => {
    if (isClosed || channel !== null) return;
    if (platform.BroadcastChannel === undefined) {
      on.error?.(new TransportError('transport/unavailable', 'this platform has no BroadcastChannel'));
      return;
    }
    channel = new platform.BroadcastChannel(channelName);
    channel.onmessage = (event) => receive(event.data);
    channel.onmessageerror = () => ignored++;
    post({ kind: 'hello', from: address });
    on.state('up');
  };

  /** Also when the page goes into the back/forward cache: an open channel would keep it out, and others waiting. */
  const sink = (): void => {
    post({ kind: 'gone', from: address });
    channel?.close();
    channel = null;
    peers.clear();
  };

  const meet = (from: string): boolean => {
    if (peers.has(from)) return true;
    if (peers.size >= maxPeers) return false;
    peers.add(from);
    on.peer(from, 'here');
    return true;
  };

  const receive = (data: unknown): void => {
    const message = parseBroadcastMessage(data);
    if (message === null || message.from === address) {
      ignored++;
      return;
    }
    switch (message.kind) {
      case 'gone':
        if (peers.delete(message.from)) on.peer(message.from, 'gone');
        return;
      case 'hello':
        if (meet(message.from)) post({ kind: 'here', from: address, to: [message.from] });
        else ignored++;
        return;
      case 'here':
        if (message.to.includes(address) && !meet(message.from)) ignored++;
        return;
      case 'frame':
        if (message.to !== 'all' && !message.to.includes(address)) return;
        on.frame(message.bytes, message.from);
    }
  };

  /** The page goes out of sight for good or into the back/forward cache. */
  const hide = (): void => {
    if (channel === null) return;
    sink();
    on.state('down');
  };
  platform.addEventListener?.('pagehide', hide);
  platform.addEventListener?.('pageshow', rise);
  void Promise.resolve().then(rise);

  return {
    get self() {
      return channel === null ? '' : address;
    },
    maxFrameBytes,
    send: async (frame, to) => {
      checkSend(frame, to);
      if (channel === null)
        throw new TransportError(isClosed ? 'transport/closed' : 'transport/down', 'send: the channel is not open');
      if (to.length === 0) return;
      post({ kind: 'frame', from: address, to: to === 'all' ? to : [...to], bytes: copyBytes(frame) });
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      platform.removeEventListener?.('pagehide', hide);
      platform.removeEventListener?.('pageshow', rise);
      sink();
    },
    ignored: () => ignored,
  };
}
