/**
 * Ways to carry frames between devices, behind one small interface: memory (seeded faults, for tests and the
 * simulator), BroadcastChannel (devices and tabs of one browser) and, by its own entry `keeproom/livekit`, LiveKit.
 * A transport moves opaque bytes between addresses. It does not retry, keep, cut up, encrypt or vouch for anything:
 * delivery is the engine's business (acks and a fresh comparison after each `up`), identity that of the envelope.
 */
export { broadcastChannel } from './broadcast.js';
export { checkSend } from './check.js';
export type { MemoryFrame, MemoryNetwork, MemoryNetworkOptions, TappedFrame } from './memory.js';
export { createMemoryNetwork } from './memory.js';
export type { MemoryFaults } from './memory-line.js';
export type { OpenTransport, Transport, TransportErrorCode, TransportEvents, TransportState } from './transport.js';
export { maxForeignFrameBytes, maxFrameBytes, TransportError } from './transport.js';
