/// <reference types="vite/types/importMeta.d.ts" />
/** The files of ../shared/vectors (beside the repository) in Node and in browsers; what is absent is not in the map. */
import type { VectorFiles } from './vectors.kit.js';

const modules = import.meta.glob(
  '../../../../shared/vectors/{wycheproof_{ed25519,x25519,hkdf_sha256,xchacha20_poly1305}_test,speccheck_cases,ed25519_edge_cases}.json',
  { eager: true, import: 'default' },
);

/** The files that are there, by name without extension. */
export const vectorFiles: VectorFiles = new Map(
  Object.entries(modules).map(([path, file]) => [path.replace(/^.*\//, '').replace(/\.json$/, ''), file]),
);
