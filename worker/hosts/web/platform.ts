import type { Channel, LockManagerLike, TabsOptions } from '../../tabs/index.js';

/** Web Locks and BroadcastChannel, or null where one is missing: a tab of such a browser is on its own. */
export function tabsPlatform(): TabsOptions['platform'] {
  if (!('locks' in navigator) || typeof BroadcastChannel === 'undefined') return null;
  return { locks: browserLocks(navigator.locks), openChannel };
}

function browserLocks(manager: LockManager): LockManagerLike {
  return { request: (name, options, held) => manager.request(name, options, held) };
}

function openChannel(name: string, hear: (message: unknown) => void): Channel {
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }: MessageEvent<unknown>) => hear(data);
  return { send: (message) => channel.postMessage(message), close: () => channel.close() };
}

/** Whether a killed browser of this kind can lose its databases (see worker/storage/idb/log.ts): Chromium and its kin. */
export function canTearLog(): boolean {
  return /Chrom(e|ium)\//.test(navigator.userAgent);
}
