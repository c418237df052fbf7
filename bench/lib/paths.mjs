/** Where things are. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** bench/ itself. */
export const benchRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** The repository that bench/ is in. */
export const repository = dirname(benchRoot);
