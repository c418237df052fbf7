/**
 * Who is on one link now (X4, docs/protocol.md §HELLO): freshness by echoed sessions rather than by clocks, because
 * people's clocks are wrong. A device is here once its HELLO echoed my session; until then it is a candidate, which is
 * answered and replaces nobody. Frames count only from the source a device is bound to, each counter once (F15).
 * Within a session a HELLO must be newer than the last, by its sender's own clock; between sessions of one device the
 * newer one wins; where that does not decide, whoever is at the place now is asked.
 * Checks no signature, holds no timer and knows no rights: a stranger may be here, and the engine gives it nothing.
 */
export { firstAskMs, maxAsks } from './asks.js';
export type { FramePlace, LinkSessions } from './link.js';
export { createLinkSessions } from './link.js';
export type { Peer, SessionAction } from './peer.js';
export { newestCommonTag } from './peer.js';
export type { OwnSession } from './state.js';
