/** Somebody who runs the network and knows no secret: replays, cuts, turns bits, makes up frames, and claims to be anybody. */
import type { Bytes } from '../../src/core/base/index.js';
import { frameType, frameTypes } from '../../src/core/wire/index.js';
import type { MemoryNetwork, TappedFrame } from '../../src/transport/index.js';
import { flipBit } from './patched.kit.js';
import type { Chance } from './random.js';

/** Frames remembered; the oldest go first, but for some of each type that are kept for good. */
const maxRemembered = 500;

export interface Outsider {
  /** One hostile act. */
  readonly act: () => void;
  readonly acts: () => number;
}

export function createOutsider(o: {
  readonly network: MemoryNetwork;
  readonly chance: Chance;
  /** Addresses of those who are attacked. */
  readonly addresses: readonly string[];
}): Outsider {
  const { network, chance } = o;
  const heard: TappedFrame[] = [];
  const firsts = new Map<number, TappedFrame[]>();
  let count = 0;
  network.tap((frame) => {
    if (frame.injected) return;
    heard.push(frame);
    if (heard.length > maxRemembered) heard.shift();
    const type = frameType(frame.bytes) ?? 0;
    const early = firsts.get(type) ?? [];
    if (early.length < 20) early.push(frame);
    firsts.set(type, early);
  });
  const anyFrame = (): TappedFrame | null => {
    if (heard.length === 0) return null;
    return chance.is(0.7) ? chance.pick(heard) : chance.pick(chance.pick([...firsts.values()]));
  };
  const put = (bytes: Bytes, from: string, to: readonly string[] | 'all'): void => {
    count++;
    network.inject({ from, to, bytes });
  };
  const change = (bytes: Bytes): Bytes => {
    switch (chance.int(4)) {
      case 0:
        return flipBit(bytes, chance.int(bytes.length * 8));
      case 1:
        return bytes.slice(0, chance.int(bytes.length));
      case 2:
        return Uint8Array.from([...bytes, ...chance.bytes(1 + chance.int(20))]);
      default:
        return Uint8Array.from([...bytes.subarray(0, chance.int(bytes.length)), ...chance.bytes(30)]);
    }
  };
  const acts: readonly (() => void)[] = [
    // Exactly as it was, to the same or to others, under the same or another name.
    () => {
      const frame = anyFrame();
      if (frame !== null) put(frame.bytes, frame.from, frame.to);
    },
    () => {
      const frame = anyFrame();
      if (frame !== null) put(frame.bytes, frame.from, 'all');
    },
    () => {
      const frame = anyFrame();
      if (frame !== null) put(frame.bytes, chance.pick([...o.addresses, 'outsider']), 'all');
    },
    () => {
      const frame = anyFrame();
      if (frame !== null) put(change(frame.bytes), frame.from, chance.is(0.5) ? frame.to : 'all');
    },
    // HELLOs and join frames again: what strangers may send.
    () => {
      const kind = chance.pick([frameTypes.hello, frameTypes.joinAsk, frameTypes.joinAnswer, frameTypes.resume]);
      const frame = chance.pick(firsts.get(kind) ?? [null]);
      if (frame !== null)
        put(
          chance.is(0.5) ? frame.bytes : change(frame.bytes),
          chance.pick([frame.from, 'outsider']),
          chance.is(0.5) ? frame.to : 'all',
        );
    },
    () => put(chance.bytes(chance.pick([0, 1, 2, 60, 400, 20_000])), chance.pick([...o.addresses, 'outsider']), 'all'),
    () => {
      const type = chance.pick(Object.values(frameTypes));
      const head = Uint8Array.of(type >> 8, type & 255, 1, chance.pick([0, 2]), ...chance.bytes(20 + chance.int(400)));
      put(head, chance.pick([...o.addresses, 'outsider']), 'all');
    },
  ];
  return {
    act: () => chance.pick(acts)(),
    acts: () => count,
  };
}
