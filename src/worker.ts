/**
 * The entry of the engine's worker, published as one file without imports. Lies beside `spawn.ts`, which names it;
 * everything it is made of lies in worker/.
 */
import { createEngine } from '../worker/engine/index.js';
import { runWebWorker } from '../worker/hosts/web/index.js';

// Being fenced or closed is seen by the tabs' gate around the store, which ends this engine's term.
runWebWorker(self, (ports) => createEngine(ports, { lost: () => undefined }));
