/** The saved document, as a file would hold it: what its authors count. */
import { Automerge, writeAutomerge } from '../../kit/automerge.mjs';

export const main = {
  prepare: async (work) => ({ bytes: Automerge.save(writeAutomerge({ ...work, perTransaction: 1 })).length }),
  sample: async ({ checksum, bytes }) => ({ checksum, metrics: { bytes } }),
};
