import type { Bytes } from '../core/base/index.js';

/** What an engine sees of one network: an unreliable bus with addresses (livekit.md, consequence 1). */
export interface Link {
  /** 'livekit', 'broadcast', 'memory', … part of what a HELLO signs. */
  readonly type: string;
  /** Own address there, as others see it. */
  readonly self: string;
  readonly maxFrameBytes: number;
  /** Resolves when the transport has taken the frame; never means received. Rejects when it is down. */
  readonly send: (frame: Bytes, to: readonly string[] | 'all') => Promise<void>;
}

/** Events of a link, in order. Frames are owned by the receiver. */
export interface LinkEvents {
  readonly frame: (bytes: Bytes, from: string) => void;
  readonly peer: (address: string, change: 'here' | 'gone') => void;
  readonly down: () => void;
}
