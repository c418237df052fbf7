/** The web worker with an engine that never prefers and never beacons: elections as in a room where nobody has heard of anybody (S11). */
import { createEngine } from '../../engine/index.js';
import { runWebWorker } from './index.js';

runWebWorker(self, (ports) => createEngine({ ...ports, isCold: true }, { lost: () => undefined }));
