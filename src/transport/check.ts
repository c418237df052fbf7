import { maxFrameBytes } from './transport.js';

/** Throws TypeError or RangeError when the arguments of `send` are not what the interface says: a mistake of our caller. */
export function checkSend(frame: unknown, to: unknown): void {
  if (!(frame instanceof Uint8Array)) {
    throw new TypeError(`send: frame must be a Uint8Array, got ${typeof frame}`);
  }
  if (frame.length > maxFrameBytes) {
    throw new RangeError(`send: frame must be at most ${maxFrameBytes} bytes, got ${frame.length}`);
  }
  if (to === 'all') return;
  if (!Array.isArray(to) || !to.every((address) => typeof address === 'string')) {
    throw new TypeError(`send: to must be 'all' or a list of addresses, got ${typeof to}`);
  }
}
