import { observe, type ContractBed } from './contract.kit.js';
import { broadcastChannel, maxForeignFrameBytes } from './index.js';

/** A bed on the platform's own BroadcastChannel: Node, a page or a worker. `name` keeps beds apart. */
export function broadcastBed(name: string): ContractBed {
  return {
    open: async () => observe(broadcastChannel(name)),
    openTwice: async () => {
      const transport = broadcastChannel(name);
      return [observe(transport), observe(transport)];
    },
    disturb: async (to) => {
      const self = await to.self();
      const junk = [...malformedMessages(self), { kind: 'gone', from: self }, { kind: 'hello', from: self }];
      const channel = new BroadcastChannel(`keeproom/bus/${name}`);
      for (const message of junk) channel.postMessage(message);
      channel.close();
      return junk.length;
    },
  };
}

/** Messages no transport of ours posts, made to look as if they were for `self`. */
export function malformedMessages(self: string): readonly unknown[] {
  const bytes = new Uint8Array([1]);
  return [
    null,
    0,
    'text',
    [],
    {},
    new Map([['kind', 'frame']]),
    { kind: 'frame' },
    { kind: 'frame', from: 'x', to: 'all' },
    { kind: 'frame', from: 'x', to: 'everybody', bytes },
    { kind: 'frame', from: 'x', to: [self, 7], bytes },
    { kind: 'frame', from: 'x', to: [self], bytes: [1, 2] },
    { kind: 'frame', from: 'x', to: [self], bytes: bytes.buffer },
    { kind: 'frame', from: 'x', to: [self], bytes: new DataView(bytes.buffer) },
    { kind: 'frame', from: 'x', to: [self], bytes: new Uint8Array(maxForeignFrameBytes + 1) },
    { kind: 'frame', from: '', to: [self], bytes },
    { kind: 'frame', from: 7, to: [self], bytes },
    { kind: 'frame', from: 'x'.repeat(65), to: [self], bytes },
    { kind: 'frame', from: 'x', to: Array.from({ length: 1_025 }, () => self), bytes },
    { kind: 'here', from: 'x' },
    { kind: 'here', from: 'x', to: 'all' },
    { kind: 'welcome', from: 'x' },
    { kind: 'hello' },
    { kind: 'hello', from: null },
  ];
}
