/**
 * How bytes share a narrow wire: packs cut into fragments and put together again within bounds (X7), a window of
 * unacknowledged bytes per peer, lanes that keep bulk from delaying what people do, and the delays of retries.
 * Windows are driven by the receiver's acknowledgements because a transport's own buffers say nothing of the peer (livekit.md V13).
 * Sends nothing and holds no timer: the engine does.
 */
export type { Fragment } from './fragment.js';
export {
  baseOf,
  fragmentBytes,
  isTransferBase,
  maxFragments,
  maxPacksPerGrant,
  maxTransferBytes,
  splitIntoFragments,
  transferOf,
} from './fragment.js';
export type { Lane, Lanes } from './lanes.js';
export { createLanes } from './lanes.js';
export type { Reassembled, Reassembly } from './reassembly.js';
export { createReassembly, maxOpenTransfers } from './reassembly.js';
export { jittered, maxRetryDelayMs, retryDelayMs } from './retry.js';
export type { SendWindow, SentPack } from './window.js';
export { createSendWindow, sendWindowBytes } from './window.js';
