/**
 * Epochs: the generations of the room's key. How a key is wrapped for a device and linked to its parents, and which
 * epoch may be written under (the send rule). Kids commit to their keys, so nothing is ever tried: a key that does not
 * hash to its kid is not stored. Rotation on removal comes with removal.
 */
export type { LinkContext } from './link.js';
export { openLink, sealLink } from './link.js';
export { chooseSendEpoch, epochHeads, kidsNewestFirst, nextGeneration } from './send.js';
export type { WrapContext } from './wrap.js';
export { openKey, sealedKeyBytes, sealKey } from './wrap.js';
