/**
 * Packs: a sealed run of one chain's entries, the one form in which history is stored, sent and exported (F4).
 * The header is clear (who, where, which key); everything else, entry headers included, is sealed under an epoch key.
 * The body codec stands behind encodeBody/decodeBody so that other columns can replace it under a new body version.
 * Compression is a port of the engine (`deflated` says whether it was used); signatures are checked by the engine, once
 * per unit. A bad copy is never a bad entry: every failure here is REFUSE or HOLD (F1).
 */
export type { BodyEntry } from './body.js';
export { decodeBody, encodeBody, maxRawBodyBytes, maxUnitEntries } from './body.js';
export type { PackHeader, SealedPack, SealKey } from './pack.js';
export { maxContentBytes } from './content.js';
export { decodePack, maxPackBytes, openPack, packSealMessage, sealPack, withSealSignature } from './pack.js';
export type { RunPlace } from './rebuild.js';
export { rebuildRun } from './rebuild.js';
