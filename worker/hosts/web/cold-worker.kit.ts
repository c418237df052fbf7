/** The web worker with an engine that never prefers and never beacons: elections as in a room where nobody has heard of anybody (S11). */
import { createEngine } from '../../engine/index.js';
import { runWebWorker } from './index.js';

runWebWorker(self, {
  createEngine: (ports) => createEngine({ ...ports, isCold: true }, { lost: () => undefined }),
  loadCurves: () => Promise.reject(new Error('this worker is for platforms that have the curves')),
});
