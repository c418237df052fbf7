/**
 * The least work: units are handed to a worker, which opens, inflates, decodes, hashes, checks, applies and stores them,
 * and gives the page one buffer. Frozen: it changes only where it is shown to do more than it must.
 */
import { freshName } from '../../kit/idb.mjs';
import { createKeys, sealHistory } from '../../limit/pack.mjs';
import { startLimit } from '../../limit/host.mjs';
import { decodeState } from '../../limit/state.mjs';
import { BEGIN, checksumOf, END, keyName, mapSets } from '../../work.mjs';

let worker = null;
let units = [];

export const main = {
  prepare: async ({ ops, keys: keyCount, perTransaction }) => {
    const keys = await createKeys();
    units = await sealHistory(keys, { sets: mapSets({ ops, keys: keyCount }), keyName, perTransaction });
    worker = startLimit();
    await worker.call('keys', { seal: keys.seal, publicKey: keys.author.publicKey });
    return {};
  },
  sample: async () => {
    const name = freshName('limit');
    await worker.call('open', { name });
    // They come as they would from a network: one transfer.
    const given = units.map((unit) => unit.slice());
    const wireBytes = units.reduce((sum, unit) => sum + unit.length, 0);
    const startMs = performance.now();
    performance.mark(BEGIN);
    const transfer = given.map(({ buffer }) => buffer);
    const state = await worker.call('catchUp', { units: given }, transfer);
    const table = decodeState(state);
    const ms = performance.now() - startMs;
    performance.mark(END);
    await worker.call('drop', { name });
    return { checksum: checksumOf(table), metrics: { ms, wireBytes } };
  },
};
