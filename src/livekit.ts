/** The entry `keeproom/livekit`: transports over LiveKit, apart from the rest so that no page loads what it does not use. */
export type { CallLike } from './transport/livekit/index.js';
export { livekit, livekitData } from './transport/livekit/index.js';
